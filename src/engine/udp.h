/* SPDX-License-Identifier: MIT
 * The UDP sockets: one for IPv4 and one for IPv6 on the same port. Plural by contract: trains of
 * datagrams in and out. Datagrams leave without the don't-fragment bit, from the source address
 * that the path names while it is fresh. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "engine/path.h"

#define UDP_BATCH 32           /* trains read at once */
#define UDP_DATAGRAM_MAX 65535 /* bytes of a train */

struct udp {
	int fd4, fd6;  /* -1: closed */
	uint16_t port; /* 0: closed */
};

/* Consecutive datagrams of equal length in one buffer; only the last may be shorter. */
struct udp_train {
	uint8_t *bytes;
	size_t len;    /* of all */
	size_t stride; /* of each */
	struct path path;
};

/* Room for UDP_BATCH trains. */
struct udp_room;

struct udp_room *udp_room_new(void); /* NULL: no memory */
void udp_room_free(struct udp_room *room);

/* Opens both sockets on port (0: any free one). IPv6 may be missing from the machine, IPv4 too, not
 * both. 0 or -errno. */
int udp_open(struct udp *udp, uint16_t port, uint32_t fwmark);
void udp_close(struct udp *udp);
int udp_set_fwmark(const struct udp *udp, uint32_t fwmark);
/* Reads what has come, at most UDP_BATCH trains, into room; sources are stamped with generation.
 * The number, or -errno (0: nothing there). *trains is valid until the next call. */
int udp_receive(int fd, struct udp_room *room, uint32_t generation,
		const struct udp_train **trains);
/* Sends all datagrams of a train over its path; without the source address when that turns out to
 * be gone. 0 or -errno. */
int udp_send(const struct udp *udp, const struct udp_train *train, uint32_t generation);
