/* SPDX-License-Identifier: MIT
 * UDP endpoints: split, parse, format and compare. */
#include "conf/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ROUNDS 20000

static void splits(void **state)
{
	static const struct {
		const char *text, *host, *port;
	} cases[] = {
		{"192.0.2.1:51820", "192.0.2.1", "51820"},
		{"host.example:51820", "host.example", "51820"},
		{"host.example.:1", "host.example.", "1"},
		{"under_score:65535", "under_score", "65535"},
		{"[2001:db8::1]:51820", "2001:db8::1", "51820"},
		{"[::]:1", "::", "1"},
		{"[fe80::1%eth0]:51820", "fe80::1%eth0", "51820"},
		{"[fe80::1%eth0.7]:51820", "fe80::1%eth0.7", "51820"},
		{"[192.0.2.1]:51820", "192.0.2.1", "51820"},
		{"[host.example]:51820", "host.example", "51820"},
		{"2001:db8::1:51820", "2001:db8::1", "51820"},
		{"::1:51820", "::1", "51820"},
		{"fe80::1%eth0:51820", "fe80::1%eth0", "51820"},
		{"host:domain", "host", "domain"},
		{"host:3com-tsmux", "host", "3com-tsmux"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX];
		size_t column = 99;

		if (endpoint_split(host, port, cases[i].text, strlen(cases[i].text), &column) != 0)
			fail_msg("'%s' is refused", cases[i].text);
		assert_string_equal(host, cases[i].host);
		assert_string_equal(port, cases[i].port);
		assert_int_equal(
			endpoint_split(host, port, cases[i].text, strlen(cases[i].text), NULL), 0);
	}
}

static void split_refuses(void **state)
{
	static const struct {
		const char *text;
		size_t column; /* from 0 */
	} cases[] = {
		{"", 0},
		{":", 0},
		{":51820", 0},
		{"host", 4},
		{"192.0.2.1", 9},
		{"host:", 5},
		{"host:0", 5},
		{"host:65536", 5},
		{"host:000001", 5},
		{"host:+1", 5},
		{"host:-1", 5},
		{"host:1 ", 6},
		{"host:dom/ain", 8},
		{"ho st:1", 2},
		{"ho\tst:1", 2},
		{"ho/st:1", 2},
		{"host,other:1", 4},
		{"h\xc3\xb6st:1", 1},
		{"h\x7fst:1", 1},
		{"[", 0},
		{"[]", 2},
		{"[]:1", 1},
		{"[::1", 0},
		{"[::1]", 5},
		{"[::1]51820", 5},
		{"[::1]x:51820", 5},
		{"[::1]:", 6},
		{"[::1]:0", 6},
		{"[::g]:1", 1},
		{"[[::1]]:1", 6},
		{"[fe80::1%]:1", 5},
		{"[2001:db8::1:51820", 0},
		{"2001:db8::1]:51820", 11},
		{"http://host:80", 5},
		{"1.2.3.4:5:6", 7},
		{"a:b:c", 1},
		{"host:abcdefghijklmnopqrstuvwxyzabcdef", 5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX];
		size_t column = 99, len = strlen(cases[i].text);

		if (endpoint_split(host, port, cases[i].text, len, &column) != -EINVAL)
			fail_msg("'%s' is accepted", cases[i].text);
		if (column != cases[i].column)
			fail_msg("'%s': column %zu, not %zu", cases[i].text, column,
				 cases[i].column);
		assert_int_equal(endpoint_split(host, port, cases[i].text, len, NULL), -EINVAL);
	}
}

/* Hosts and ports of every length around the bounds, and a NUL byte in each place. */
static void bounds(void **state)
{
	char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX], text[600];

	(void)state;
	for (size_t len = 1; len < 300; len++) {
		memset(text, 'h', len);
		memcpy(text + len, ":1", 2);
		assert_int_equal(endpoint_split(host, port, text, len + 2, NULL),
				 len < ENDPOINT_HOST_MAX ? 0 : -EINVAL);
		memset(text, '[', 1);
		memset(text + 1, 'h', len);
		memcpy(text + 1 + len, "]:1", 3);
		assert_int_equal(endpoint_split(host, port, text, len + 4, NULL),
				 len < ENDPOINT_HOST_MAX ? 0 : -EINVAL);
		memcpy(text, "h:", 2);
		memset(text + 2, 'p', len);
		assert_int_equal(endpoint_split(host, port, text, len + 2, NULL),
				 len < ENDPOINT_PORT_MAX ? 0 : -EINVAL);
		memset(text + 2, '1', len);
		assert_int_equal(endpoint_split(host, port, text, len + 2, NULL),
				 len < 6 ? 0 : -EINVAL);
	}
	for (size_t at = 0; at < 8; at++) {
		memcpy(text, "host:123", 8);
		text[at] = '\0';
		assert_int_equal(endpoint_split(host, port, text, 8, NULL), -EINVAL);
	}
}

static int parse(union sockaddr_ip *addr, const char *text)
{
	return endpoint_parse_numeric(addr, text, strlen(text));
}

static void parses(void **state)
{
	static const struct {
		const char *text, *formatted;
		sa_family_t family;
	} cases[] = {
		{"192.0.2.1:51820", "192.0.2.1:51820", AF_INET},
		{"[192.0.2.1]:51820", "192.0.2.1:51820", AF_INET},
		{"0.0.0.0:1", "0.0.0.0:1", AF_INET},
		{"255.255.255.255:65535", "255.255.255.255:65535", AF_INET},
		{"[2001:DB8::1]:51820", "[2001:db8::1]:51820", AF_INET6},
		{"2001:db8::1:51820", "[2001:db8::1]:51820", AF_INET6},
		{"[::]:1", "[::]:1", AF_INET6},
		{"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.1]:1", AF_INET6},
		{"[fe80::1%lo]:1", "[fe80::1%lo]:1", AF_INET6},
		{"[fe80::1%4294967295]:1", "[fe80::1%4294967295]:1", AF_INET6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[ENDPOINT_TEXT_MAX];
		union sockaddr_ip addr;

		if (parse(&addr, cases[i].text) != 0)
			fail_msg("'%s' is refused", cases[i].text);
		assert_int_equal(addr.sa.sa_family, cases[i].family);
		assert_int_equal(endpoint_len(&addr), cases[i].family == AF_INET
							      ? sizeof(struct sockaddr_in)
							      : sizeof(struct sockaddr_in6));
		assert_ptr_equal(endpoint_format(text, &addr), text);
		assert_string_equal(text, cases[i].formatted);
	}
}

static void parse_refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"192.0.2.1",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:domain",
		"192.0.2.1:0x50",
		"192.0.2:1",
		"192.0.2.256:1",
		"192.0.2.01:1",
		"1:1",
		"0x7f000001:1",
		"host.example:51820",
		"localhost:1",
		"[localhost]:1",
		"[2001:db8::1]",
		"2001:db8::1",
		"[fe80::1%]:1",
		"[fe80::1%no-such-if]:1",
		"[fe80::1%0]:1",
		"[fe80::1%4294967296]:1",
		"[192.0.2.1%lo]:1",
		"192.0.2.1%lo:1",
		"[::1%lo%lo]:1",
		" 192.0.2.1:1",
		"192.0.2.1:1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		union sockaddr_ip addr, before;

		memset(&addr, 0x5a, sizeof(addr));
		before = addr;
		if (parse(&addr, cases[i]) != -EINVAL)
			fail_msg("'%s' is accepted", cases[i]);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
}

static void none(void **state)
{
	union sockaddr_ip addr = {.sa.sa_family = AF_UNSPEC}, other = {.sa.sa_family = AF_UNSPEC};
	char text[ENDPOINT_TEXT_MAX] = "x";

	(void)state;
	assert_string_equal(endpoint_format(text, &addr), "");
	assert_int_equal(endpoint_len(&addr), 0);
	assert_true(endpoint_equal(&addr, &other));
	assert_int_equal(parse(&other, "192.0.2.1:1"), 0);
	assert_false(endpoint_equal(&addr, &other));
}

static void compares(void **state)
{
	static const char *const all[] = {
		"192.0.2.1:1",     "192.0.2.1:2",     "192.0.2.2:1",        "[2001:db8::1]:1",
		"[2001:db8::1]:2", "[2001:db8::2]:1", "[2001:db8::1%lo]:1", "[::ffff:192.0.2.1]:1",
	};
	size_t count = sizeof(all) / sizeof(all[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			union sockaddr_ip a, b;

			/* What surrounds the address must not matter. */
			memset(&a, 0x11, sizeof(a));
			memset(&b, 0x22, sizeof(b));
			assert_int_equal(parse(&a, all[i]), 0);
			assert_int_equal(parse(&b, all[j]), 0);
			if (a.sa.sa_family == AF_INET)
				a.in4.sin_zero[0] = 1;
			assert_int_equal(endpoint_equal(&a, &b), i == j);
		}
	}
}

static void round_trips(void **state)
{
	uint32_t seed = 3;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		union sockaddr_ip addr = {.sa.sa_family = AF_UNSPEC}, again;
		char text[ENDPOINT_TEXT_MAX];
		uint8_t bytes[16];

		for (unsigned j = 0; j < 16; j++) {
			seed = seed * 1664525 + 1013904223;
			bytes[j] = seed >> 31 ? (uint8_t)(seed >> 16) : 0;
		}
		if (i & 1) {
			addr.in6.sin6_family = AF_INET6;
			addr.in6.sin6_port = htons((uint16_t)(seed % 65535 + 1));
			memcpy(&addr.in6.sin6_addr, bytes, 16);
			addr.in6.sin6_scope_id = i & 2 ? seed | 0x80000000 : 0;
		} else {
			addr.in4.sin_family = AF_INET;
			addr.in4.sin_port = htons((uint16_t)(seed % 65535 + 1));
			memcpy(&addr.in4.sin_addr, bytes, 4);
		}
		endpoint_format(text, &addr);
		assert_true(strlen(text) < ENDPOINT_TEXT_MAX);
		assert_int_equal(parse(&again, text), 0);
		assert_true(endpoint_equal(&addr, &again));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits),        cmocka_unit_test(split_refuses),
		cmocka_unit_test(bounds),        cmocka_unit_test(parses),
		cmocka_unit_test(parse_refuses), cmocka_unit_test(none),
		cmocka_unit_test(compares),      cmocka_unit_test(round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
