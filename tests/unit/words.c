/* SPDX-License-Identifier: MIT
 * A list of strings: what is added is there, in its order, and its own. */
#include "conf/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define MANY 100

static void keeps_all(void **state)
{
	struct words words = {0};
	char text[12];

	(void)state;
	for (int i = 0; i < MANY; i++) {
		int len = snprintf(text, sizeof(text), "%d and", i);

		assert_int_equal(words_add(&words, text, (size_t)len - 4), 0);
	}
	assert_int_equal(words.count, MANY);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "%d", i);
		assert_string_equal(words.items[i], text);
	}
	words_free(&words);
	assert_null(words.items);
	assert_int_equal(words.count, 0);
	assert_int_equal(words_add(&words, "", 0), 0);
	assert_string_equal(words.items[0], "");
	words_free(&words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
