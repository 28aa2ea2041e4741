/* SPDX-License-Identifier: MIT
 * The opener: a process beside the engine that keeps the rights which the engine gives up, and does
 * with them the three things that take rights later. It has no secret and sees no packet. It ends
 * with the engine. */
#pragma once

#include <stdint.h>

struct udp;

struct opener {
	int fd;         /* to the process */
	unsigned count; /* of the pairs of sockets of an engine */
};

/* Starts it, before there are threads and secrets. path: the file that opener_remove() removes
 * (empty: none). null: /dev/null, borrowed. 0 or -errno. */
int opener_start(struct opener *opener, unsigned count, const char *path, int null);
/* Lets it end. */
void opener_close(struct opener *opener);
/* As udp_open(), for count pairs. */
int opener_open(const struct opener *opener, struct udp *udp, uint16_t port, uint32_t fwmark);
/* As udp_set_fwmark(), for count pairs. */
int opener_set_fwmark(const struct opener *opener, struct udp *udp, uint32_t fwmark);
/* Removes the file. 0 or -errno. */
int opener_remove(const struct opener *opener);
