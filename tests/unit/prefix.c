/* SPDX-License-Identifier: MIT
 * IP prefixes: parse, format, mask, compare. */
#include "conf/prefix.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#define ROUNDS 20000

static int parse(struct prefix *prefix, const char *text)
{
	return prefix_parse(prefix, text, strlen(text));
}

static void accepts(void **state)
{
	static const struct {
		const char *text, *formatted;
		int family;
	} cases[] = {
		{"0.0.0.0/0", "0.0.0.0/0", AF_INET},
		{"10.0.0.1", "10.0.0.1/32", AF_INET},
		{"10.0.0.1/24", "10.0.0.1/24", AF_INET},
		{"10.0.0.1/08", "10.0.0.1/8", AF_INET},
		{"255.255.255.255/32", "255.255.255.255/32", AF_INET},
		{"::/0", "::/0", AF_INET6},
		{"::", "::/128", AF_INET6},
		{"::1", "::1/128", AF_INET6},
		{"FD00::1/64", "fd00::1/64", AF_INET6},
		{"2001:db8:0:0:0:0:0:1/007", "2001:db8::1/7", AF_INET6},
		{"::ffff:192.0.2.1/128", "::ffff:192.0.2.1/128", AF_INET6},
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", AF_INET6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[PREFIX_TEXT_MAX];
		struct prefix prefix;

		assert_int_equal(parse(&prefix, cases[i].text), 0);
		assert_int_equal(prefix.family, cases[i].family);
		assert_ptr_equal(prefix_format(text, &prefix), text);
		assert_string_equal(text, cases[i].formatted);
	}
}

static void refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"/24",
		"10.0.0.1/",
		"10.0.0.1/33",
		"10.0.0.1/-1",
		"10.0.0.1/+8",
		"10.0.0.1/ 8",
		"10.0.0.1/8 ",
		"10.0.0.1/0x8",
		"10.0.0.1/032",
		"10.0.0.1/8/8",
		"10.0.0.1/4294967304",
		"10.0.0.1//8",
		" 10.0.0.1",
		"10.0.0.1 ",
		"10.0.0",
		"10.0.0.1.1",
		"10.0.0.256",
		"010.0.0.1",
		"10.0.0.1a",
		"10.0.0.1/a",
		"+10.0.0.1",
		"-10.0.0.1",
		"10",
		"0x0a000001",
		"10.0.0.1:80",
		"::/129",
		"::/0128",
		"::/",
		":",
		":::",
		"fd00::1::1",
		"fd00::1/6 4",
		"fe80::1%lo",
		"fe80::1%1/64",
		"[::1]",
		"[::1]/128",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"g::",
		"12345::",
		"localhost",
		"example.org/24",
		"10.0.0.0/255.255.255.0",
		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
		"\u00a010.0.0.1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct prefix prefix, before;

		memset(&prefix, 0x5a, sizeof(prefix));
		before = prefix;
		if (parse(&prefix, cases[i]) != -EINVAL)
			fail_msg("'%s' is accepted", cases[i]);
		assert_memory_equal(&prefix, &before, sizeof(prefix));
	}
}

static void the_length_counts(void **state)
{
	struct prefix prefix;
	char *exact;

	(void)state;
	assert_int_equal(prefix_parse(&prefix, "10.0.0.1/24", 7), -EINVAL);
	assert_int_equal(prefix_parse(&prefix, "10.0.0.1/24", 8), 0);
	assert_int_equal(prefix.cidr, 32);
	assert_int_equal(prefix_parse(&prefix, "10.0.0.1/24", 9), -EINVAL);
	assert_int_equal(prefix_parse(&prefix, "10.0.0.1/24", 10), 0);
	assert_int_equal(prefix.cidr, 2);
	assert_int_equal(prefix_parse(&prefix, "10.0.0.1\0/24", 12), -EINVAL);
	assert_int_equal(prefix_parse(&prefix, "10.0.0.1/24\0", 12), -EINVAL);
	assert_int_equal(prefix_parse(&prefix, "10.0.0.1\0", 9), -EINVAL);
	assert_int_equal(prefix_parse(&prefix, NULL, 0), -EINVAL);
	/* No byte behind the end is read: a sanitizer would see it. */
	exact = malloc(11);
	assert_non_null(exact);
	memcpy(exact, "10.0.0.1/24", 11);
	assert_int_equal(prefix_parse(&prefix, exact, 11), 0);
	assert_int_equal(prefix.cidr, 24);
	free(exact);
}

static void masks(void **state)
{
	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		int family = v6 ? AF_INET6 : AF_INET;
		unsigned bits = prefix_max(family);

		assert_int_equal(bits, v6 ? 128 : 32);
		for (unsigned cidr = 0; cidr <= bits; cidr++) {
			struct prefix prefix = {.family = family, .cidr = (uint8_t)cidr}, masked;

			memset(prefix.addr, 0xff, bits / 8);
			masked = prefix;
			assert_int_equal(prefix_has_host_bits(&prefix), cidr < bits);
			prefix_mask(&masked);
			assert_false(prefix_has_host_bits(&masked));
			assert_int_equal(prefix_equal(&masked, &prefix), cidr == bits);
			for (unsigned bit = 0; bit < 128; bit++)
				assert_int_equal(masked.addr[bit / 8] >> (7 - bit % 8) & 1,
						 bit < cidr);
			/* One host bit alone is seen, wherever it is. */
			for (unsigned bit = cidr; bit < bits; bit++) {
				struct prefix one = masked;

				one.addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
				assert_true(prefix_has_host_bits(&one));
			}
		}
	}
}

static void compares(void **state)
{
	struct prefix a, b;

	(void)state;
	parse(&a, "10.0.0.0/8");
	parse(&b, "10.0.0.0/8");
	assert_true(prefix_equal(&a, &b));
	parse(&b, "10.0.0.0/9");
	assert_false(prefix_equal(&a, &b));
	parse(&b, "10.0.0.1/8");
	assert_false(prefix_equal(&a, &b));
	parse(&a, "0.0.0.0/0");
	parse(&b, "::/0");
	assert_false(prefix_equal(&a, &b));
}

static void contains(void **state)
{
	static const struct {
		const char *outer, *inner;
		bool does;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8", true},  {"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0/9", false}, {"10.0.0.0/9", "10.0.0.0/8", false},
		{"10.1.2.3/8", "10.3.2.1/16", true}, {"10.0.0.0/9", "10.128.0.0/16", false},
		{"0.0.0.0/0", "255.0.0.0/8", true},  {"0.0.0.0/0", "::/0", false},
		{"::/0", "0.0.0.0/0", false},        {"::/0", "fd00::1", true},
		{"fd00::1/127", "fd00::", true},     {"fd00::1", "fd00::", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct prefix outer, inner;

		parse(&outer, cases[i].outer);
		parse(&inner, cases[i].inner);
		assert_int_equal(prefix_contains(&outer, &inner), cases[i].does);
	}
}

static void sorts(void **state)
{
	static const char *const texts[] = {"0.0.0.0/0",   "9.0.0.0/8",   "10.0.0.0/8",
					    "10.0.0.1/8",  "10.0.0.0/24", "::/0",
					    "fd00::1/127", "::/128",      "fd00::1/128"};
	struct prefix prefixes[sizeof(texts) / sizeof(*texts)];
	const size_t count = sizeof(texts) / sizeof(*texts);

	(void)state;
	for (size_t i = 0; i < count; i++)
		parse(&prefixes[i], texts[i]);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			int order = prefix_compare(&prefixes[i], &prefixes[j]);

			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	}
}

static void round_trips(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct prefix prefix = {.family = i & 1 ? AF_INET6 : AF_INET}, again;
		char text[PREFIX_TEXT_MAX];

		for (unsigned j = 0; j < prefix_max(prefix.family) / 8u; j++) {
			seed = seed * 1664525 + 1013904223;
			/* Many zeros, so that addresses are shortened in many ways. */
			prefix.addr[j] = seed >> 31 ? (uint8_t)(seed >> 16) : 0;
		}
		prefix.cidr = (uint8_t)(seed % (prefix_max(prefix.family) + 1u));
		prefix_format(text, &prefix);
		assert_int_equal(parse(&again, text), 0);
		assert_true(prefix_equal(&prefix, &again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),           cmocka_unit_test(refuses),
		cmocka_unit_test(the_length_counts), cmocka_unit_test(masks),
		cmocka_unit_test(compares),          cmocka_unit_test(sorts),
		cmocka_unit_test(contains),          cmocka_unit_test(round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
