/* SPDX-License-Identifier: MIT
 * Every pair of inner and outer bits against the table of RFC 6040 (figure 4), in both families. */
#include "engine/ecn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <netinet/in.h>
#include <cmocka.h>

#define DROPPED 0xff

/* [inner][outer]: Not-ECT, ECT(1), ECT(0), CE */
static const uint8_t table[4][4] = {
	{0, 0, 0, DROPPED},
	{1, 1, 1, 3},
	{2, 1, 2, 3},
	{3, 3, 3, 3},
};

static uint16_t header_sum(const uint8_t *packet)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < 20; i += 2)
		sum += (uint32_t)(packet[i] << 8 | packet[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static void fill4(uint8_t packet[20], unsigned round, uint8_t ecn)
{
	uint16_t sum;

	for (unsigned i = 0; i < 20; ++i)
		packet[i] = (uint8_t)(i * 37 + round * 101);
	packet[0] = 0x45;
	packet[1] = (uint8_t)((packet[1] & ~3) | ecn);
	packet[10] = packet[11] = 0;
	sum = (uint16_t)~header_sum(packet);
	packet[10] = (uint8_t)(sum >> 8);
	packet[11] = (uint8_t)sum;
}

static void test_ipv4(void **state)
{
	uint8_t packet[20], before[20];

	(void)state;
	for (unsigned round = 0; round < 2000; ++round) {
		uint8_t inner = round & 3, outer = round >> 2 & 3;
		fill4(packet, round, inner);
		memcpy(before, packet, sizeof(packet));
		assert_int_equal(ecn_get(packet, AF_INET), inner);
		bool kept = ecn_decapsulate(packet, AF_INET, (uint8_t)(0xb8 | outer));
		assert_int_equal(kept, table[inner][outer] != DROPPED);
		if (!kept)
			continue;
		assert_int_equal(packet[1], (before[1] & ~3) | table[inner][outer]);
		assert_int_equal(header_sum(packet), 0xffff);
		before[1] = packet[1];
		memcpy(before + 10, packet + 10, 2);
		assert_memory_equal(packet, before, sizeof(packet));
	}
}

static void test_ipv6(void **state)
{
	uint8_t packet[40], before[40];

	(void)state;
	for (unsigned round = 0; round < 256; ++round) {
		uint8_t inner = round & 3, outer = round >> 2 & 3;
		memset(packet, (int)round, sizeof(packet));
		packet[0] = 0x6f;
		packet[1] = (uint8_t)((round & 0xcf) | inner << 4);
		memcpy(before, packet, sizeof(packet));
		assert_int_equal(ecn_get(packet, AF_INET6), inner);
		bool kept = ecn_decapsulate(packet, AF_INET6, outer);
		assert_int_equal(kept, table[inner][outer] != DROPPED);
		if (!kept)
			continue;
		before[1] = (uint8_t)((before[1] & 0xcf) | table[inner][outer] << 4);
		assert_memory_equal(packet, before, sizeof(packet));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipv4),
		cmocka_unit_test(test_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
