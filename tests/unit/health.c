/* SPDX-License-Identifier: MIT
 * Health: the rule at its bounds. */
#include "cli/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/model.h"

#define NOW 1700000000

static void rule(void **state)
{
	static const struct {
		int64_t age; /* seconds; -1: no handshake */
		uint16_t keepalive;
		uint64_t tx_bytes;
		int64_t max_age;
		const char *is;
	} cases[] = {
		{0, 0, 0, HEALTH_BY_KEEPALIVE, "up"},
		{195, 0, 0, HEALTH_BY_KEEPALIVE, "up"},
		{196, 0, 5, HEALTH_BY_KEEPALIVE, "idle"},
		{-1, 0, 0, HEALTH_BY_KEEPALIVE, "idle"},
		{-1, 0, 1, HEALTH_BY_KEEPALIVE, "down"},
		{195, 25, 0, HEALTH_BY_KEEPALIVE, "up"},
		{196, 25, 0, HEALTH_BY_KEEPALIVE, "down"},
		{-1, 25, 0, HEALTH_BY_KEEPALIVE, "down"},
		/* A keepalive longer than a minute: 120 s, that, and the retries. */
		{195, 60, 0, HEALTH_BY_KEEPALIVE, "up"},
		{196, 60, 0, HEALTH_BY_KEEPALIVE, "down"},
		{196, 61, 0, HEALTH_BY_KEEPALIVE, "up"},
		{435, 300, 0, HEALTH_BY_KEEPALIVE, "up"},
		{436, 300, 0, HEALTH_BY_KEEPALIVE, "down"},
		{65670, 65535, 0, HEALTH_BY_KEEPALIVE, "up"},
		/* An age that is asked for holds for all. */
		{30, 0, 0, 30, "up"},
		{31, 0, 0, 30, "down"},
		{31, 25, 0, 30, "down"},
		{3600, 25, 0, 3600, "up"},
		{-1, 0, 0, 3600, "down"},
		/* The clock was set back. */
		{-500, 25, 0, HEALTH_BY_KEEPALIVE, "up"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct model_peer peer = {
			.handshake_sec = cases[i].age == -1 ? 0 : NOW - cases[i].age,
			.keepalive = cases[i].keepalive,
			.tx_bytes = cases[i].tx_bytes,
		};
		enum health_state is = health_of_peer(&peer, NOW, cases[i].max_age);

		if (strcmp(health_word(is), cases[i].is) != 0)
			fail_msg("case %zu: %s and not %s", i, health_word(is), cases[i].is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rule)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
