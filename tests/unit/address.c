/* SPDX-License-Identifier: MIT
 * Addresses as text: what inet_ntop() writes. */
#include "conf/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 200000

static void check(int family, const uint8_t bytes[16])
{
	char expected[INET6_ADDRSTRLEN], found[INET6_ADDRSTRLEN];

	memset(found, 'x', sizeof(found));
	assert_non_null(inet_ntop(family, bytes, expected, sizeof(expected)));
	assert_ptr_equal(address_put(found, family, bytes), found + strlen(expected));
	assert_string_equal(found, expected);
}

static void known(void **state)
{
	static const char *const texts[] = {
		"::",
		"::1",
		"1::",
		"fe80::1",
		"1:0:2:0:3:0:4:0",
		"0:1::",
		"1:0:0:2::3",
		"1::2:0:0:3",
		"2001:db8::",
		"::ffff:192.0.2.1",
		"::192.0.2.1",
		"::ffff:0:0:1",
		"::1:2:3:4:5",
		"::0.0.255.0",
		"0:0:1::ffff:1",
		"1:2:3:4:5:6:7:8",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	};
	uint8_t bytes[16];
	char found[INET6_ADDRSTRLEN] = "x";

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		assert_int_equal(inet_pton(AF_INET6, texts[i], bytes), 1);
		check(AF_INET6, bytes);
	}
	assert_int_equal(inet_pton(AF_INET, "255.0.10.1", bytes), 1);
	check(AF_INET, bytes);
	assert_ptr_equal(address_put(found, AF_UNSPEC, bytes), found);
	assert_string_equal(found, "");
}

/* Every set of zero groups, and groups of all lengths. */
static void all_runs(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint8_t bytes[16] = {0};

		for (size_t i = 0; i < 8; i++) {
			seed = seed * 1664525 + 1013904223;
			if (round >> i & 1)
				continue;
			bytes[2 * i] = (uint8_t)(seed >> 28 & 1 ? seed >> 16 : 0);
			bytes[2 * i + 1] = (uint8_t)(seed >> 8 >> (seed >> 29));
		}
		if (round % 7 == 0)
			memset(bytes + 10, 0xff, 2);
		check(AF_INET6, bytes);
		check(AF_INET, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(all_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
