/* SPDX-License-Identifier: MIT
 * What one thread needs to send: the sockets, a place to build a train of datagrams, and the time
 * of its present batch. Every worker has a lane, and the control thread has its own, over the first
 * worker's sockets. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "engine/aead.h"
#include "engine/tun.h"
#include "engine/udp.h"
#include "engine/wire.h"

struct device;

#define LANE_RUN_MAX 64 /* packets */
/* Room to read one more packet of any size behind a run that is being built. */
#define LANE_RUN_BYTES                                                                             \
	65507u /* of a train: what one UDP datagram could hold, the kernel's limit for UDP_SEGMENT \
		  too */
#define LANE_SLOT_MAX (sizeof(struct wire_data) + TUN_PACKET_MAX + WIRE_PADDING + WIRE_TAG_LEN)
#define LANE_BYTES (LANE_RUN_BYTES + 2 * LANE_SLOT_MAX)

struct lane {
	struct device *device; /* borrowed */
	const struct udp *udp; /* borrowed */
	uint64_t now;          /* CLOCK_BOOTTIME of the batch in hand */
	uint8_t *bytes;        /* LANE_BYTES; owned */
	struct aead_op ops[LANE_RUN_MAX];
};

/* 0 or -ENOMEM. */
int lane_init(struct lane *lane, struct device *device, const struct udp *udp);
void lane_free(struct lane *lane); /* wipes: plaintext was there */
