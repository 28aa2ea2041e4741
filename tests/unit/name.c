/* SPDX-License-Identifier: MIT
 * Names of peers: what may be one. That each is one peer's, tests/unit/file.c sees. */
#include "conf/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define KEY "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
#define TEN "0123456789"

static void takes(void **state)
{
	static const char *const names[] = {
		"a",
		"alice's phone",
		"b\xc3\xb6rje",
		"\xe2\x82\xac",
		"\xf0\x9f\x90\x89",
		"\xc2\xa0",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xf4\x8f\xbf\xbf",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo",
		"dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=",
		TEN TEN TEN TEN TEN TEN "0123",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!name_is_valid(names[i], strlen(names[i])))
			fail_msg("'%s' is refused", names[i]);
}

static void refuses(void **state)
{
	static const char *const names[] = {
		"",
		KEY,
		"a\tb",
		"a\nb",
		"\x1b[31m",
		"a\x7f",
		"\x80",
		"\xc2\x80",
		"\xc2\x9f",
		"\xc3",
		"\xc3(",
		"\xc1\x81",
		"\xe0\x81\x81",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xf0\x81\x81\x81",
		"\xf4\x90\x80\x80",
		"\xf8\x88\x80\x80\x80",
		"\xff",
		TEN TEN TEN TEN TEN TEN "01234",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (name_is_valid(names[i], strlen(names[i])))
			fail_msg("'%s' is taken", names[i]);
	assert_false(name_is_valid("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
