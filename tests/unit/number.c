/* SPDX-License-Identifier: MIT
 * Numbers in configuration text. */
#include "conf/number.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int parse(uint64_t *value, const char *text, uint64_t max)
{
	return number_parse(value, text, strlen(text), max);
}

static void accepts(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
	} cases[] = {
		{"0", 0, 0},
		{"7", 9, 7},
		{"07", 32, 7},
		{"00000", UINT16_MAX, 0},
		{"65535", UINT16_MAX, UINT16_MAX},
		{"4294967295", UINT32_MAX, UINT32_MAX},
		{"18446744073709551615", UINT64_MAX, UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 1;

		assert_int_equal(parse(&value, cases[i].text, cases[i].max), 0);
		assert_true(value == cases[i].value);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
	} cases[] = {
		{"", 9},
		{"10", 9},
		{"33", 32},
		{"032", 32}, /* a digit more than the largest has */
		{"65536", UINT16_MAX},
		{"000001", UINT16_MAX},
		{"+1", UINT16_MAX},
		{"-1", UINT16_MAX},
		{" 1", UINT16_MAX},
		{"1 ", UINT16_MAX},
		{"1.", UINT16_MAX},
		{"0x1", UINT16_MAX},
		{"1e3", UINT16_MAX},
		{"off", UINT16_MAX},
		{"\xd9\xa1", UINT16_MAX}, /* an Arabic digit */
		{"4294967296", UINT32_MAX},
		{"18446744073709551616", UINT64_MAX},
		{"99999999999999999999", UINT64_MAX},
		{"100000000000000000000", UINT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 12345;

		assert_int_equal(parse(&value, cases[i].text, cases[i].max), -EINVAL);
		assert_true(value == 12345);
	}
}

/* Every number of 16 bits, and as many beyond. */
static void all_ports(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 131072; i++) {
		uint64_t value = 0;
		char text[24];

		snprintf(text, sizeof(text), "%" PRIu64, i);
		assert_int_equal(parse(&value, text, UINT16_MAX), i <= UINT16_MAX ? 0 : -EINVAL);
		assert_true(value == (i <= UINT16_MAX ? i : 0));
	}
}

static void the_length_counts(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(number_parse(&value, "1234", 2, UINT16_MAX), 0);
	assert_true(value == 12);
	assert_int_equal(number_parse(&value, "12\0", 3, UINT16_MAX), -EINVAL);
}

static void marks(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint32_t value;
	} cases[] = {
		{"0", 0, 0},
		{"51820", 0, 51820},
		{"010", 0, 10},
		{"4294967295", 0, UINT32_MAX},
		{"0x0", 0, 0},
		{"0xca6c", 0, 0xca6c},
		{"0xCA6C", 0, 0xca6c},
		{"0x0000ca6c", 0, 0xca6c},
		{"0xffffffff", 0, UINT32_MAX},
		{"", -EINVAL, 9},
		{"0x", -EINVAL, 9},
		{"0X10", -EINVAL, 9},
		{"0x100000000", -EINVAL, 9},
		{"0x00000000f", -EINVAL, 9},
		{"0xg", -EINVAL, 9},
		{"0x-1", -EINVAL, 9},
		{"4294967296", -EINVAL, 9},
		{"-1", -EINVAL, 9},
		{"ca6c", -EINVAL, 9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t value = 9;

		assert_int_equal(number_parse_mark(&value, cases[i].text, strlen(cases[i].text)),
				 cases[i].rc);
		assert_int_equal(value, cases[i].value);
	}
}

static void puts_what_printf_does(void **state)
{
	uint64_t number = 1;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		char found[NUMBER_TEXT_MAX + 1], expected[NUMBER_TEXT_MAX + 1];
		uint64_t shown = i < 200 ? i : i == 999 ? UINT64_MAX : number >> i % 64;

		number = number * 6364136223846793005 + 1442695040888963407;
		*number_put(found, shown) = '\0';
		snprintf(expected, sizeof(expected), "%" PRIu64, shown);
		assert_string_equal(found, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),   cmocka_unit_test(refuses),
		cmocka_unit_test(all_ports), cmocka_unit_test(the_length_counts),
		cmocka_unit_test(marks),     cmocka_unit_test(puts_what_printf_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
