/* SPDX-License-Identifier: MIT
 * How many handshakes a source may ask for while we are under load: a token bucket for each IPv4
 * address and each IPv6 /64, in a table of fixed size (whitepaper section 5.3). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "conf/endpoint.h"
#include "engine/wire.h"

#define LIMITER_PER_SECOND 20
#define LIMITER_BURST 5
#define LIMITER_SLOTS 8192 /* a power of two */

struct limiter_slot {
	uint64_t source;  /* keyed hash of the address */
	uint64_t full_at; /* see limiter_take() */
};

struct limiter {
	uint8_t hash_key[16]; /* random: nobody outside can choose collisions */
	struct limiter_slot slots[LIMITER_SLOTS];
};

/* A token bucket is the time at which it is, or was, full again: 0 is a full one. Takes a token
 * that needs `cost` nanoseconds to come back; room: the cost of all that a full bucket holds.
 * False: too few are left, nothing is taken. */
bool limiter_take(uint64_t *full_at, uint64_t cost, uint64_t room, uint64_t now);

/* hash_key: random bytes. */
void limiter_init(struct limiter *limiter, const uint8_t hash_key[16]);
/* May this source have one more handshake now? When all places for it are taken by others whose
 * buckets are not full yet: no. So with a source that is neither IPv4 nor IPv6. */
bool limiter_allow(struct limiter *limiter, const union sockaddr_ip *source, uint64_t now);
