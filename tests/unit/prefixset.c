/* SPDX-License-Identifier: MIT
 * Lists as sets. */
#include "conf/prefixset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/prefix.h"

/* A list is a letter each. */
static size_t fill(struct prefix *prefixes, const char *list)
{
	const size_t count = strlen(list);

	memset(prefixes, 0, count * sizeof(*prefixes));
	for (size_t i = 0; i < count; i++) {
		prefixes[i].family = list[i] < 'a' ? 10 : 2;
		prefixes[i].cidr = (uint8_t)list[i];
		prefixes[i].addr[3] = (uint8_t)list[i];
	}
	return count;
}

static void differs(void **state)
{
	static const struct {
		const char *a, *b;
		bool result;
	} cases[] = {
		{"", "", false},       {"a", "", true},      {"a", "a", false},
		{"abA", "Aba", false}, {"aab", "ab", false}, {"ab", "abb", false},
		{"ab", "ac", true},    {"a", "A", true},     {"aa", "ab", true},
	};
	struct prefix a[8], b[8];
	bool result;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t a_count = fill(a, cases[i].a), b_count = fill(b, cases[i].b);

		assert_int_equal(prefixset_differ(&result, a, a_count, b, b_count), 0);
		assert_int_equal(result, cases[i].result);
		assert_int_equal(prefixset_differ(&result, b, b_count, a, a_count), 0);
		assert_int_equal(result, cases[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
