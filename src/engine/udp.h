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
	uint32_t fwmark;
	_Atomic bool unsplit; /* a device here cannot split trains (UDP_SEGMENT): send one by one */
};

/* Consecutive datagrams of equal length in one buffer; only the last may be shorter. */
struct udp_train {
	uint8_t *bytes;
	size_t len;    /* of all */
	size_t stride; /* of each */
	uint8_t tos;   /* DSCP and ECN of the outer header */
	struct path path;
};

/* Room for UDP_BATCH trains. */
struct udp_room;

struct udp_room *udp_room_new(void); /* NULL: no memory */
void udp_room_free(struct udp_room *room);

/* Opens count pairs of sockets on port (0: any free one); the system spreads the peers over them.
 * IPv6 may be missing from the machine, IPv4 too, not both. 0 or -errno: -EADDRINUSE. */
int udp_open(struct udp *udp, unsigned count, uint16_t port, uint32_t fwmark);
void udp_close(struct udp *udp);
int udp_set_fwmark(struct udp *udp, uint32_t fwmark); /* 0 or -errno */
/* Reads what has come, at most UDP_BATCH trains, into room. The number, or -errno (0: nothing
 * there). *trains is valid until the next call. */
int udp_receive(int fd, struct udp_room *room, const struct udp_train **trains);
/* Sends all datagrams of a train over its path; without the source address when that turns out to
 * be gone. 0 or -errno. */
int udp_send(struct udp *udp, const struct udp_train *train);
