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
	uint64_t source; /* keyed hash of the address; 0: free */
	uint64_t updated;
	uint64_t tokens; /* nanoseconds' worth */
};

struct limiter {
	uint8_t hash_key[16]; /* random: nobody outside can choose collisions */
	struct limiter_slot slots[LIMITER_SLOTS];
};

/* hash_key: random bytes. */
void limiter_init(struct limiter *limiter, const uint8_t hash_key[16]);
/* May this source have one more handshake now? When all places for it are taken by others that were
 * seen within the last second: no. So with a source that is neither IPv4 nor IPv6. */
bool limiter_allow(struct limiter *limiter, const union sockaddr_ip *source, uint64_t now);
