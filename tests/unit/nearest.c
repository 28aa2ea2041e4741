/* SPDX-License-Identifier: MIT
 * Slips counted, and what was probably meant. */
#include "conf/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static unsigned slips(const char *a, const char *b)
{
	unsigned there = nearest_distance(a, strlen(a), b, strlen(b));

	assert_int_equal(nearest_distance(b, strlen(b), a, strlen(a)), there);
	return there;
}

static void test_distance(void **state)
{
	(void)state;
	assert_int_equal(slips("", ""), 0);
	assert_int_equal(slips("", "abc"), 3);
	assert_int_equal(slips("Endpoint", "eNDPOINT"), 0);
	assert_int_equal(slips("Endpoint", "Endpont"), 1);
	assert_int_equal(slips("Endpoint", "Endpooint"), 1);
	assert_int_equal(slips("Endpoint", "Endpaint"), 1);
	assert_int_equal(slips("Endpoint", "Endpiont"), 1);
	assert_int_equal(slips("kitten", "sitting"), 3);
	assert_int_equal(
		slips("abcdefghijklmnopqrstuvwxyzabcdef", "zyxwvutsrqponmlkjihgfedcbazyxwvu"), 30);
}

static void test_word(void **state)
{
	static const char *const words[] = {"up", "down", "show", "genkey", "genpsk", "pubkey"};
	const size_t count = sizeof(words) / sizeof(*words);

	(void)state;
	assert_string_equal(nearest_word("shwo", words, count), "show");
	assert_string_equal(nearest_word("pubkye", words, count), "pubkey");
	assert_string_equal(nearest_word("UP", words, count), "up");
	assert_null(nearest_word("frobnicate", words, count));
	assert_null(nearest_word("x", words, count));
	assert_null(nearest_word("", words, count));
	assert_null(nearest_word("a word that is longer than any that we know", words, count));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
