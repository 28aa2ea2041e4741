/* SPDX-License-Identifier: MIT
 * What one thread needs to send: the sockets, a place to build a train of datagrams, and the time
 * of its present batch. Every worker has a lane, and the control thread has its own, over the first
 * worker's sockets. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "engine/aead.h"
#include "engine/join.h"
#include "engine/tun.h"
#include "engine/udp.h"
#include "engine/wire.h"

struct device;
struct nl_sock;

#define LANE_RUN_MAX 64 /* packets */
/* Of several in a train: what one UDP datagram could hold, the kernel's limit for UDP_SEGMENT
 * too. */
#define LANE_TRAIN_BYTES 65507u
#define LANE_SLOT_MAX (sizeof(struct wire_data) + TUN_PACKET_MAX + WIRE_PADDING + WIRE_TAG_LEN)
/* Room to read one more packet of any size behind a run that is being built. */
#define LANE_BYTES (LANE_TRAIN_BYTES + 2 * LANE_SLOT_MAX)

struct lane {
	struct device *device; /* borrowed */
	struct udp *udp;       /* borrowed */
	const struct tun *tun; /* borrowed; NULL: the control thread's lane has none */
	struct nl_sock *route; /* for questions about routes; owned */
	uint64_t now;          /* CLOCK_BOOTTIME of the batch in hand */
	uint64_t answered;     /* limits the ICMP errors that we send */
	uint8_t *bytes;        /* LANE_BYTES: packets as they are read, and runs of them; owned */
	uint8_t *train;        /* LANE_SLOT_MAX: super-packets, split; owned */
	struct aead aead;
	struct aead_op ops[LANE_RUN_MAX];
	struct joiner joiner;
};

/* tun: NULL for a lane that never reads or writes it. 0 or -errno; lane_free() is due in any case.
 */
int lane_init(struct lane *lane, struct device *device, struct udp *udp, const struct tun *tun,
	      enum aead_choice cipher);
void lane_free(struct lane *lane); /* wipes: plaintext was there */
/* One packet to the system. 0 or -errno. */
int lane_write(struct lane *lane, uint8_t *packet, size_t len);
