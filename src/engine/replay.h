/* SPDX-License-Identifier: MIT
 * The sliding window over received counters (RFC 6479): 8192 bits, of which one word is always in
 * transition, so a counter may be up to 8128 behind the highest. Not thread-safe: the peer's lock
 * guards it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_BITS 8192
#define REPLAY_WINDOW (REPLAY_BITS - 64)

struct replay {
	uint64_t next; /* one more than the highest counter accepted */
	uint64_t seen[REPLAY_BITS / 64];
};

void replay_init(struct replay *replay);
/* True, and remembered, when the counter is new, within the window and below REJECT_AFTER_MESSAGES.
 * Call it only for packets whose tag was right. */
bool replay_accept(struct replay *replay, uint64_t counter);
