/* SPDX-License-Identifier: MIT
 * The way in: packets of one TCP or UDP flow joined into super-packets, one writev to a TUN with
 * IFF_VNET_HDR for many. What belongs together is decided as the kernel's GRO does: splitting the
 * result again gives the very packets that came (only IPv4 ids may differ, under "don't fragment").
 * No packet overtakes another of its flow. A packet whose checksums are wrong, or that cannot be
 * joined, is written alone and unchanged, for the system to judge. */
#pragma once

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define JOIN_SLOTS 8
#define JOIN_PACKETS_MAX 64

/* Writes one plain or super-packet to the TUN: iov[0] is the virtio_net_hdr, each of the others
 * holds one of the packets given to join_add, or its payload. So a failure loses count - 1 packets.
 * Nothing is valid after the call. */
typedef void join_write(void *arg, const struct iovec *iov, unsigned count);

/* A packet and where its parts are. */
struct join_packet {
	uint8_t *bytes;
	size_t len, transport_at, payload_at, payload_len;
	int family;
	uint8_t protocol; /* 0: of no known flow */
	bool joinable;
};

/* A flow of which something is held back: packets in a row, all payloads of one length. */
struct join_slot {
	struct join_packet first;
	size_t len;     /* of all, joined */
	unsigned count; /* of the packets; 0: the slot is free */
	bool push;      /* the last one has PSH */
	struct virtio_net_hdr header;
	struct iovec iov[1 + JOIN_PACKETS_MAX];
};

struct joiner {
	join_write *write;
	void *arg; /* borrowed */
	bool tcp, udp;
	unsigned victim; /* the next slot to be emptied for another flow */
	struct join_slot slots[JOIN_SLOTS];
};

/* tcp, udp: what the kernel takes joined (TUN_F_TSO4 and 6, TUN_F_USO4 and 6). */
void join_init(struct joiner *joiner, bool tcp, bool udp, join_write *write, void *arg);
/* Takes an IP packet, trimmed to the length that it claims. Borrows the bytes until join_flush, and
 * may change headers. It, and what it displaces, may be written at once. */
void join_add(struct joiner *joiner, uint8_t *bytes, size_t len);
/* Writes all that is held back: at the end of every batch, before its buffers are used again. */
void join_flush(struct joiner *joiner);
