/* SPDX-License-Identifier: MIT
 * Names of interfaces, with a socket for each question and with one that is kept. */
#include "conf/scope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void check_names(void)
{
	char name[IFNAMSIZ] = "before";

	assert_int_equal(scope_index("lo"), if_nametoindex("lo"));
	assert_true(scope_name(name, if_nametoindex("lo")));
	assert_string_equal(name, "lo");
	assert_int_equal(scope_index("nowhere0"), 0);
	assert_int_equal(scope_index(""), 0);
	assert_int_equal(scope_index("a name of sixteen"), 0);
	assert_false(scope_name(name, 0));
	assert_false(scope_name(name, INT32_MAX));
	assert_string_equal(name, "lo");
}

static void names(void **state)
{
	(void)state;
	check_names();
	scope_keep();
	check_names();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
