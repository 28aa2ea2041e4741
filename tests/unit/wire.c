/* SPDX-License-Identifier: MIT
 * Datagrams told apart by type, reserved bytes and length, and little-endian integers at any
 * address. */
#include "engine/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define LEN_MAX 300

/* Written out, not taken from the header: the table of section 5.4. */
static enum wire_type expected(const uint8_t start[4], size_t len)
{
	if (len < 4 || start[1] || start[2] || start[3])
		return WIRE_INVALID;
	if (start[0] == 1 && len == 148)
		return WIRE_INITIATION;
	if (start[0] == 2 && len == 92)
		return WIRE_RESPONSE;
	if (start[0] == 3 && len == 64)
		return WIRE_COOKIE_REPLY;
	if (start[0] == 4 && len >= 32)
		return WIRE_DATA;
	return WIRE_INVALID;
}

/* In a block of just that length, so that a sanitizer sees any look beyond it. */
static void classify(const uint8_t start[4], size_t len)
{
	uint8_t *datagram = calloc(1, len + 1), *end = datagram + 1;

	assert_non_null(datagram);
	memcpy(end, start, len < 4 ? len : 4);
	assert_int_equal(wire_classify(end, len), expected(start, len));
	free(datagram);
}

static void test_types_and_lengths(void **state)
{
	(void)state;
	for (unsigned type = 0; type < 256; type++) {
		const uint8_t start[4] = {(uint8_t)type};

		for (size_t len = 0; len <= LEN_MAX; len++)
			classify(start, len);
		classify(start, 1500);
		classify(start, 65507);
		classify(start, 65535);
	}
}

static void test_reserved(void **state)
{
	static const size_t lens[] = {0, 1, 2, 3, 4, 31, 32, 33, 64, 92, 148, 1452};

	(void)state;
	for (unsigned type = 0; type < 6; type++) {
		for (unsigned bit = 0; bit < 24; bit++) {
			uint8_t start[4] = {(uint8_t)type};

			start[1 + bit / 8] = (uint8_t)(1u << bit % 8);
			for (size_t i = 0; i < sizeof(lens) / sizeof(*lens); i++)
				classify(start, lens[i]);
		}
	}
}

static void test_integers(void **state)
{
	uint8_t bytes[16] = {0};

	(void)state;
	for (size_t at = 0; at < 8; at++) {
		wire_put32(bytes + at, 0x01020304);
		assert_memory_equal(bytes + at, "\x04\x03\x02\x01", 4);
		assert_int_equal(wire_get32(bytes + at), 0x01020304);
		wire_put64(bytes + at, UINT64_C(0xfffefdfc01020304));
		assert_memory_equal(bytes + at, "\x04\x03\x02\x01\xfc\xfd\xfe\xff", 8);
		assert_int_equal(wire_get64(bytes + at), UINT64_C(0xfffefdfc01020304));
	}
}

static void test_layout(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct wire_initiation, ephemeral), 8);
	assert_int_equal(offsetof(struct wire_initiation, fixed), 40);
	assert_int_equal(offsetof(struct wire_initiation, timestamp), 88);
	assert_int_equal(offsetof(struct wire_initiation, mac1), 116);
	assert_int_equal(offsetof(struct wire_response, receiver), 8);
	assert_int_equal(offsetof(struct wire_response, mac1), 60);
	assert_int_equal(offsetof(struct wire_cookie_reply, nonce), 8);
	assert_int_equal(offsetof(struct wire_data, counter), 8);
	assert_int_equal(WIRE_OVERHEAD, 32);
	assert_int_equal(WIRE_HANDSHAKE_MAX, 148);
	assert_int_equal(REJECT_AFTER_MESSAGES, UINT64_C(0xffffffffffffffff) - 8129);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_and_lengths),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
