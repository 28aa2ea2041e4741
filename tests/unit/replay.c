/* SPDX-License-Identifier: MIT
 * The replay window against a model that remembers every counter ever accepted. */
#include "engine/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "draw.h"
#include "engine/wire.h"

#define SPAN (1u << 20)

/* Every counter from base to base + SPAN. */
struct model {
	uint64_t base;
	bool any;
	uint64_t highest;
	bool *accepted;
};

static bool model_accept(struct model *model, uint64_t counter)
{
	if (counter >= REJECT_AFTER_MESSAGES)
		return false;
	if (model->any && counter < model->highest && model->highest - counter > REPLAY_WINDOW)
		return false;
	if (model->accepted[counter - model->base])
		return false;
	model->accepted[counter - model->base] = true;
	if (!model->any || counter > model->highest)
		model->highest = counter;
	model->any = true;
	return true;
}

/* A counter that an attacker, or a bad network, would choose next. */
static uint64_t next_counter(const struct model *model)
{
	static const uint64_t edges[] = {0,
					 1,
					 63,
					 64,
					 65,
					 REPLAY_WINDOW - 1,
					 REPLAY_WINDOW,
					 REPLAY_WINDOW + 1,
					 REPLAY_BITS - 1,
					 REPLAY_BITS,
					 REPLAY_BITS + 1};
	uint64_t edge = edges[draw(sizeof(edges) / sizeof(*edges))];

	switch (draw(16)) {
	case 0:
		return model->highest - edge;
	case 1:
		return model->highest + (draw(128) ? 1 : edge);
	case 2:
		return model->highest + draw(3 * REPLAY_BITS) * (draw(512) == 0);
	case 3:
		return model->highest - draw(2 * REPLAY_WINDOW);
	case 4:
	case 5:
	case 6:
	case 7:
		return model->highest + 20 - draw(120);
	default:
		return model->highest + 1 + draw(3);
	}
}

static void against_model(uint64_t base, uint64_t start, unsigned rounds)
{
	struct model model = {.base = base, .highest = start, .accepted = calloc(SPAN, 1)};
	struct replay replay;
	unsigned taken = 0;

	assert_non_null(model.accepted);
	replay_init(&replay);
	for (unsigned i = 0; i < rounds; i++) {
		uint64_t counter = next_counter(&model);
		bool accepted;

		if (counter - base >= SPAN)
			continue;
		accepted = replay_accept(&replay, counter);
		taken += accepted;
		assert_int_equal(accepted, model_accept(&model, counter));
	}
	assert_true(taken > 300);
	free(model.accepted);
}

static void test_model(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		seed = 100 + i;
		against_model(0, 0, 50000);
		against_model((UINT64_C(1) << 32) - SPAN / 2, UINT64_C(1) << 32, 50000);
		against_model(REJECT_AFTER_MESSAGES - SPAN / 2, REJECT_AFTER_MESSAGES - SPAN / 8,
			      50000);
		against_model(REJECT_AFTER_MESSAGES - SPAN + 2 * REPLAY_BITS,
			      REJECT_AFTER_MESSAGES - 3, 20000);
	}
}

static void test_first(void **state)
{
	struct replay replay;

	(void)state;
	replay_init(&replay);
	assert_true(replay_accept(&replay, 0));
	assert_false(replay_accept(&replay, 0));
	assert_int_equal(replay.next, 1);
	assert_true(replay_accept(&replay, 1));
	assert_false(replay_accept(&replay, 1));
	assert_false(replay_accept(&replay, 0));

	replay_init(&replay);
	assert_true(replay_accept(&replay, 12345));
	assert_int_equal(replay.next, 12346);
}

/* Both edges, for every place of the highest counter within its word. */
static void test_edges(void **state)
{
	struct replay replay;

	(void)state;
	for (uint64_t highest = 9000; highest < 9000 + 130; highest++) {
		replay_init(&replay);
		assert_true(replay_accept(&replay, highest));
		assert_false(replay_accept(&replay, highest - REPLAY_WINDOW - 1));
		assert_true(replay_accept(&replay, highest - REPLAY_WINDOW));
		assert_false(replay_accept(&replay, highest - REPLAY_WINDOW));
		assert_true(replay_accept(&replay, highest - REPLAY_WINDOW + 1));
		assert_true(replay_accept(&replay, highest + 1));
		assert_false(replay_accept(&replay, highest - REPLAY_WINDOW));
		assert_false(replay_accept(&replay, highest));
	}
}

static void test_limit(void **state)
{
	struct replay replay;

	(void)state;
	replay_init(&replay);
	assert_false(replay_accept(&replay, REJECT_AFTER_MESSAGES));
	assert_false(replay_accept(&replay, REJECT_AFTER_MESSAGES + 1));
	assert_false(replay_accept(&replay, UINT64_MAX));
	assert_int_equal(replay.next, 0);
	assert_true(replay_accept(&replay, REJECT_AFTER_MESSAGES - 1));
	assert_false(replay_accept(&replay, REJECT_AFTER_MESSAGES - 1));
	assert_false(replay_accept(&replay, REJECT_AFTER_MESSAGES));
	assert_true(replay_accept(&replay, REJECT_AFTER_MESSAGES - 1 - REPLAY_WINDOW));
	assert_false(replay_accept(&replay, REJECT_AFTER_MESSAGES - 2 - REPLAY_WINDOW));
	assert_false(replay_accept(&replay, 0));
}

/* Whatever the jump, nothing old shines through: the whole window is new, once. */
static void test_jumps(void **state)
{
	static const uint64_t jumps[] = {64,
					 65,
					 4096,
					 REPLAY_WINDOW,
					 REPLAY_WINDOW + 1,
					 REPLAY_BITS - 1,
					 REPLAY_BITS,
					 REPLAY_BITS + 1,
					 10 * REPLAY_BITS,
					 UINT64_C(1) << 40,
					 (UINT64_C(1) << 63) + 77};
	struct replay replay;

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++) {
		uint64_t highest = 2 * REPLAY_BITS, now = highest + jumps[i];

		replay_init(&replay);
		for (uint64_t counter = 0; counter <= highest; counter++)
			assert_true(replay_accept(&replay, counter));
		assert_true(replay_accept(&replay, now));
		for (uint64_t counter = now - 1; counter >= now - REPLAY_WINDOW; counter--)
			assert_int_equal(replay_accept(&replay, counter), counter > highest);
		for (uint64_t counter = now; counter >= now - REPLAY_WINDOW - 70; counter--)
			assert_false(replay_accept(&replay, counter));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first), cmocka_unit_test(test_edges),
		cmocka_unit_test(test_limit), cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
