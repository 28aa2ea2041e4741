/* SPDX-License-Identifier: MIT
 * Samples: rates, of peers that stay, move, come, go and start again. */
#include "cli/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static void add(struct model *model, uint8_t key, uint64_t rx, uint64_t tx)
{
	struct model_peer *peer = model_add_peer(model);

	assert_non_null(peer);
	peer->public_key.bytes[31] = key;
	peer->rx_bytes = rx;
	peer->tx_bytes = tx;
}

static void rates(void **state)
{
	struct model old = MODEL_EMPTY, new = MODEL_EMPTY;
	struct sample_rate *is;

	(void)state;
	add(&old, 1, 1000, UINT64_MAX - 10);
	add(&old, 2, 5000, 7000);
	add(&old, 3, 0, 0);
	add(&new, 1, 3000, UINT64_MAX);
	add(&new, 4, 100, 100);   /* a new one in the place of the second, */
	add(&new, 2, 5000, 6999); /* which moved, and whose one counter began again */
	is = sample_rates(&old, &new, 500);
	assert_non_null(is);
	assert_true(is[0].rx == 4000 && is[0].tx == 20);
	assert_true(is[1].rx == SAMPLE_UNKNOWN && is[1].tx == SAMPLE_UNKNOWN);
	assert_true(is[2].rx == 0 && is[2].tx == SAMPLE_UNKNOWN);
	free(is);
	is = sample_rates(&old, &new, 0);
	assert_non_null(is);
	assert_true(is[0].rx == SAMPLE_UNKNOWN);
	free(is);
	model_wipe(&old);
	is = sample_rates(&old, &new, 500);
	assert_non_null(is);
	assert_true(is[0].rx == SAMPLE_UNKNOWN && is[2].tx == SAMPLE_UNKNOWN);
	free(is);
	model_wipe(&new);
}

static void problems(void **state)
{
	struct sample sample = {.name = "no such one/"};

	(void)state;
	assert_int_equal(sample_take(&sample), 0);
	assert_string_equal(sample.problem, "gone");
	assert_int_equal(sample.model.peer_count, 0);
	sample_wipe(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rates), cmocka_unit_test(problems)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
