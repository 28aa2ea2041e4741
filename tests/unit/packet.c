/* SPDX-License-Identifier: MIT
 * What the engine reads of inner packets, at every length. */
#include "engine/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_family(void **state)
{
	uint8_t packet[64] = {0};

	(void)state;
	for (unsigned version = 0; version < 16; ++version) {
		packet[0] = (uint8_t)(version << 4 | 5);
		for (size_t len = 0; len <= sizeof(packet); ++len) {
			int wanted = version == 4 && len >= 20   ? AF_INET
				     : version == 6 && len >= 40 ? AF_INET6
								 : 0;
			assert_int_equal(packet_family(packet, len), wanted);
		}
	}
}

static void test_fields(void **state)
{
	uint8_t packet[40];

	(void)state;
	for (unsigned i = 0; i < sizeof(packet); ++i)
		packet[i] = (uint8_t)i;
	assert_int_equal(packet_source(packet, AF_INET)[0], 12);
	assert_int_equal(packet_destination(packet, AF_INET)[0], 16);
	assert_int_equal(packet_source(packet, AF_INET6)[0], 8);
	assert_int_equal(packet_destination(packet, AF_INET6)[0], 24);
	assert_int_equal(packet_claimed_len(packet, AF_INET), 0x0203);
	assert_int_equal(packet_claimed_len(packet, AF_INET6), 40 + 0x0405);
	memset(packet, 0xff, sizeof(packet));
	assert_int_equal(packet_claimed_len(packet, AF_INET), 65535);
	assert_int_equal(packet_claimed_len(packet, AF_INET6), 40 + 65535);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
