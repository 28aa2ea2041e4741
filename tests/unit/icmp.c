/* SPDX-License-Identifier: MIT
 * What is answered, what is not, and the answer's form. */
#include "engine/icmp.h"

#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <string.h>
#include <netinet/in.h>
#include <cmocka.h>
#include "engine/packet.h"

static uint32_t add(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; ++i)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* UDP from 10.0.0.1 to 10.0.0.2, or fd00::1 to fd00::2; the rest is noise. */
static void fill(uint8_t *packet, size_t len, int family)
{
	for (size_t i = 0; i < len; ++i)
		packet[i] = (uint8_t)(i * 7);
	if (family == AF_INET) {
		packet[0] = 0x45;
		packet[6] = packet[7] = 0;
		packet[9] = IPPROTO_UDP;
		memcpy(packet + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
	} else {
		packet[0] = 0x60;
		packet[6] = IPPROTO_UDP;
		memset(packet + 8, 0, 32);
		packet[8] = packet[24] = 0xfd;
		packet[23] = 1;
		packet[39] = 2;
	}
}

static void check_answer(const uint8_t *answer, size_t len, const uint8_t *packet,
			 size_t packet_len, int family)
{
	size_t header = family == AF_INET ? 20 : 40, address = family == AF_INET ? 4 : 16;
	uint32_t sum = 0;

	assert_int_equal(packet_family(answer, len), family);
	assert_int_equal(packet_claimed_len(answer, family), len);
	assert_memory_equal(packet_source(answer, family), packet_destination(packet, family),
			    address);
	assert_memory_equal(packet_destination(answer, family), packet_source(packet, family),
			    address);
	if (family == AF_INET) {
		assert_int_equal(answer[9], IPPROTO_ICMP);
		assert_int_equal(fold(add(0, answer, 20)), 0xffff);
		assert_memory_equal(answer + 20, "\3\1", 2);
	} else {
		assert_int_equal(answer[6], IPPROTO_ICMPV6);
		assert_memory_equal(answer + 40, "\1\3", 2);
		sum = add(0, answer + 8, 32) + (uint32_t)(len - 40) + IPPROTO_ICMPV6;
	}
	assert_int_equal(fold(add(sum, answer + header, len - header)), 0xffff);
	assert_true(len <= (family == AF_INET ? 576 : 1280));
	size_t quoted = len - header - 8;
	assert_true(quoted == packet_len || len == (family == AF_INET ? 576 : 1280));
	assert_memory_equal(answer + header + 8, packet, quoted);
}

static void test_answers(void **state)
{
	uint8_t packet[2000], answer[ICMP_ANSWER_MAX];

	(void)state;
	for (size_t len = 20; len <= sizeof(packet); len += 1 + len / 50) {
		fill(packet, len, AF_INET);
		check_answer(answer, icmp_unreachable(answer, packet, len, AF_INET), packet, len,
			     AF_INET);
		if (len < 40)
			continue;
		fill(packet, len, AF_INET6);
		check_answer(answer, icmp_unreachable(answer, packet, len, AF_INET6), packet, len,
			     AF_INET6);
	}
}

/* One byte of a packet changed, and whether that is answered. */
static void expect(int family, size_t at, uint8_t value, bool answered)
{
	uint8_t packet[64], answer[ICMP_ANSWER_MAX];

	fill(packet, sizeof(packet), family);
	packet[at] = value;
	assert_int_equal(icmp_unreachable(answer, packet, sizeof(packet), family) != 0, answered);
}

static void test_manners(void **state)
{
	uint8_t packet[64], answer[ICMP_ANSWER_MAX];

	(void)state;
	expect(AF_INET, 6, 0x40, true);  /* don't fragment */
	expect(AF_INET, 6, 0x20, true);  /* a first fragment */
	expect(AF_INET, 6, 0x01, false); /* a later one */
	expect(AF_INET, 7, 1, false);
	expect(AF_INET, 12, 0, false); /* sources */
	expect(AF_INET, 12, 127, false);
	expect(AF_INET, 12, 224, false);
	expect(AF_INET, 16, 224, false); /* destinations */
	expect(AF_INET, 16, 255, false);
	expect(AF_INET6, 8, 0xff, false);
	expect(AF_INET6, 24, 0xff, false);
	expect(AF_INET6, 6, IPPROTO_FRAGMENT, false);
	fill(packet, sizeof(packet), AF_INET6);
	memset(packet + 8, 0, 16);
	assert_int_equal(icmp_unreachable(answer, packet, sizeof(packet), AF_INET6), 0);
	for (unsigned type = 0; type < 256; ++type) {
		fill(packet, sizeof(packet), AF_INET);
		packet[9] = IPPROTO_ICMP;
		packet[20] = (uint8_t)type;
		assert_int_equal(icmp_unreachable(answer, packet, sizeof(packet), AF_INET) != 0,
				 type == 8 || type == 13 || type == 15 || type == 17);
		assert_int_equal(icmp_unreachable(answer, packet, 20, AF_INET), 0);
		fill(packet, sizeof(packet), AF_INET6);
		packet[6] = IPPROTO_ICMPV6;
		packet[40] = (uint8_t)type;
		assert_int_equal(icmp_unreachable(answer, packet, sizeof(packet), AF_INET6) != 0,
				 type >= 128);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_manners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
