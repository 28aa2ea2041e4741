/* SPDX-License-Identifier: MIT
 * What the state of a peer is worth. Pure.
 *
 * A session ends 180 s after its handshake. While packets or keepalives go, there is a new
 * handshake every two minutes: a keepalive interval after that at the latest, and some retries
 * later if packets get lost. So the last one is at most 195 s ago, or 135 s and the keepalive
 * interval if that is more. Who has nothing to say shakes no hands: silence alone is no fault. */
#pragma once

#include <stdint.h>

#define HEALTH_BY_KEEPALIVE (-1)

struct model_peer;

enum health_state {
	HEALTH_UP,   /* the last handshake is recent enough */
	HEALTH_IDLE, /* it is not, but nobody asked for one */
	HEALTH_DOWN, /* it is not: in spite of keepalives, or of packets that never had an answer */
};

/* now: seconds since the epoch. max_age: seconds, how old a last handshake may be, and then no peer
 * is idle; or HEALTH_BY_KEEPALIVE: as above. */
enum health_state health_of_peer(const struct model_peer *peer, int64_t now, int64_t max_age);
/* "up", "idle", "down" */
const char *health_word(enum health_state state);
