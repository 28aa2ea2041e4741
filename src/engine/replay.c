/* SPDX-License-Identifier: MIT
 * The replay window: RFC 6479. The bitmap is a ring of words that is never shifted; moving ahead
 * clears the words it enters. It knows nothing of keys or packets. */
#include "engine/replay.h"

#include <string.h>
#include "engine/wire.h"

#define WORD_BITS 64
#define WORDS (REPLAY_BITS / WORD_BITS)

void replay_init(struct replay *replay)
{
	memset(replay, 0, sizeof(*replay));
}

/* Moves the window's head to next, which is ahead of it. */
static void advance(struct replay *replay, uint64_t next)
{
	uint64_t head = replay->next / WORD_BITS;
	uint64_t words = next / WORD_BITS - head;

	if (words > WORDS)
		words = WORDS;
	for (uint64_t i = 1; i <= words; i++)
		replay->seen[(head + i) % WORDS] = 0;
	replay->next = next;
}

bool replay_accept(struct replay *replay, uint64_t counter)
{
	uint64_t next, bit;
	uint64_t *word;

	if (counter >= REJECT_AFTER_MESSAGES)
		return false;
	/* Counted from one, so that zero in replay->next can mean "none yet". The limit above
	 * leaves room: no overflow here. */
	next = counter + 1;
	if (next + REPLAY_WINDOW < replay->next)
		return false;
	if (next > replay->next)
		advance(replay, next);
	word = &replay->seen[next / WORD_BITS % WORDS];
	bit = UINT64_C(1) << next % WORD_BITS;
	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}
