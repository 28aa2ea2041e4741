/* SPDX-License-Identifier: MIT
 * What an error holds: one printable line. */
#include "conf/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void fills(void **state)
{
	struct conf_error error;

	(void)state;
	memset(&error, 0x5a, sizeof(error));
	assert_int_equal(conf_error_set(&error, EINVAL, 3, 7, "%s is no %s", "'x'", "port"),
			 -EINVAL);
	assert_int_equal(error.err, EINVAL);
	assert_int_equal(error.line, 3);
	assert_int_equal(error.column, 7);
	assert_string_equal(error.what, "'x' is no port");
	assert_int_equal(error.what[CONF_ERROR_WHAT_MAX - 1], 0);
}

static void needs_no_error(void **state)
{
	(void)state;
	assert_int_equal(conf_error_set(NULL, ENOMEM, 0, 0, "out of memory"), -ENOMEM);
}

static void cuts(void **state)
{
	char text[2 * CONF_ERROR_WHAT_MAX];
	struct conf_error error;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	conf_error_set(&error, EINVAL, 0, 0, "%s", text);
	assert_int_equal(strlen(error.what), CONF_ERROR_WHAT_MAX - 1);
}

static void stays_one_line(void **state)
{
	struct conf_error error;

	(void)state;
	conf_error_set(&error, EINVAL, 0, 0, "%s", "a\nb\x1b[31mc\x7f\xc3\xb6");
	assert_string_equal(error.what, "a?b?[31mc?\xc3\xb6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills),
		cmocka_unit_test(needs_no_error),
		cmocka_unit_test(cuts),
		cmocka_unit_test(stays_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
