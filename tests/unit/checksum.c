/* SPDX-License-Identifier: MIT
 * The Internet checksum against a sum of bytes, one after the other. */
#include "engine/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "transport_model.h"

#define LEN_MAX 2000
#define ALIGNMENTS 64

/* The fold of a sum, as a number. */
static unsigned folded(uint64_t sum)
{
	return ntohs(checksum_fold(sum));
}

/* One's complement has two zeros, but a sum of something that is not all zero is never 0. */
static void known_sums(void **state)
{
	static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	static const uint8_t zeros[100], odd[] = {0x12, 0x34, 0x56};
	uint8_t ones[100];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	assert_int_equal(folded(checksum_add(0, rfc, sizeof(rfc))), 0xddf2); /* RFC 1071, 3 */
	assert_int_equal(folded(checksum_add(0, odd, sizeof(odd))), 0x1234 + 0x5600);
	assert_int_equal(folded(checksum_add(0, zeros, sizeof(zeros))), 0);
	assert_int_equal(folded(checksum_add(0, ones, sizeof(ones))), 0xffff);
	assert_int_equal(folded(checksum_add(0, ones, 0)), 0);
}

/* In exact memory, so that a sanitizer sees every byte that is read beyond. */
static void every_length_and_alignment(void **state)
{
	(void)state;
	for (size_t len = 0; len <= LEN_MAX; len++) {
		size_t skip = draw(ALIGNMENTS);
		uint8_t *bytes = malloc(skip + len + !(skip + len));
		assert_non_null(bytes);
		draw_bytes(bytes, skip + len);
		if (draw(4) == 0)
			memset(bytes, 0xff, skip + len);
		assert_int_equal(folded(checksum_add(0, bytes + skip, len)),
				 model_sum(0, bytes + skip, len));
		free(bytes);
	}
}

static void every_alignment_of_some_lengths(void **state)
{
	uint8_t bytes[ALIGNMENTS + 200];

	(void)state;
	for (size_t skip = 0; skip < ALIGNMENTS; skip++) {
		for (size_t len = 0; len <= 200; len++) {
			draw_bytes(bytes, sizeof(bytes));
			assert_int_equal(folded(checksum_add(0, bytes + skip, len)),
					 model_sum(0, bytes + skip, len));
		}
	}
}

static void copies_and_sums(void **state)
{
	uint8_t src[ALIGNMENTS + LEN_MAX], dst[ALIGNMENTS + LEN_MAX + 1];

	(void)state;
	for (size_t len = 0; len <= LEN_MAX; len++) {
		size_t from = draw(ALIGNMENTS), to = 1 + draw(ALIGNMENTS - 1);
		draw_bytes(src, sizeof(src));
		memset(dst, 0x5a, sizeof(dst));
		uint64_t sum = checksum_copy(0, dst + to, src + from, len);
		assert_int_equal(folded(sum), model_sum(0, src + from, len));
		assert_memory_equal(dst + to, src + from, len);
		assert_int_equal(dst[to - 1], 0x5a);
		assert_int_equal(dst[to + len], 0x5a);
	}
}

/* Ranges of even length, in any order, are the sum of the whole. */
static void sums_add_up(void **state)
{
	uint8_t bytes[LEN_MAX];

	(void)state;
	for (unsigned trial = 0; trial < 1000; trial++) {
		size_t len = draw(LEN_MAX + 1), cut = draw(len / 2 + 1) * 2;
		draw_bytes(bytes, len);
		uint64_t first = checksum_add(0, bytes, cut);
		uint64_t second = checksum_add(0, bytes + cut, len - cut);
		assert_int_equal(folded(first + second), model_sum(0, bytes, len));
		assert_int_equal(folded(checksum_add(first, bytes + cut, len - cut)),
				 model_sum(0, bytes, len));
	}
}

/* The largest words that there are, as often as the header allows. */
static void never_overflows(void **state)
{
	uint8_t bytes[65536];
	uint64_t sum = 0;

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	sum = checksum_add(0, bytes, sizeof(bytes));
	assert_true(sum <= UINT64_MAX >> 17);
	assert_int_equal(folded(sum), 0xffff);
	assert_int_equal(folded(UINT64_MAX), 0xffff);
	assert_int_equal(checksum_fold(UINT64_C(0xfffffffeffffffff)), 0xfffe);
}

static void words_go_in_and_out(void **state)
{
	uint8_t bytes[64];

	(void)state;
	for (unsigned trial = 0; trial < 1000; trial++) {
		size_t at = draw(32) * 2;
		draw_bytes(bytes, sizeof(bytes));
		uint16_t old = (uint16_t)model_get(bytes + at), new = (uint16_t)draw(65536);
		uint64_t sum = checksum_add(0, bytes, sizeof(bytes));
		model_put(bytes + at, new);
		assert_int_equal(folded(sum + checksum_without(old) + checksum_word(new)),
				 model_sum(0, bytes, sizeof(bytes)));
	}
}

static void pseudo_headers(void **state)
{
	uint8_t packet[2048];

	(void)state;
	for (unsigned trial = 0; trial < 1000; trial++) {
		struct model_spec spec = {
			.family = draw(2) ? AF_INET : AF_INET6,
			.protocol = draw(2) ? IPPROTO_TCP : IPPROTO_UDP,
			.host = (uint8_t)draw(256),
		};
		size_t len = model_build(&spec, draw(1400), packet);
		size_t at = model_transport_at(packet);
		draw_bytes(packet + (spec.family == AF_INET ? 12 : 8),
			   spec.family == AF_INET ? 8 : 32);
		assert_int_equal(
			folded(checksum_pseudo(packet, spec.family, spec.protocol, len - at)),
			model_pseudo(packet, len));
	}
}

/* A jumbo's length has more than 16 bits; its upper half counts, too. */
static void pseudo_header_of_a_long_one(void **state)
{
	static const uint8_t packet[40] = {0x60};

	(void)state;
	assert_int_equal(folded(checksum_pseudo(packet, AF_INET6, 6, 0x20003)), 6 + 2 + 3);
}

static void puts_what_verifies(void **state)
{
	uint8_t bytes[101];

	(void)state;
	for (unsigned trial = 0; trial < 1000; trial++) {
		draw_bytes(bytes, sizeof(bytes));
		memset(bytes + 10, 0, 2);
		checksum_put(bytes + 10,
			     (uint16_t)~checksum_fold(checksum_add(0, bytes, sizeof(bytes))));
		assert_int_equal(model_sum(0, bytes, sizeof(bytes)), 0xffff);
		assert_int_equal(checksum_fold(checksum_add(0, bytes, sizeof(bytes))), 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sums),
		cmocka_unit_test(every_length_and_alignment),
		cmocka_unit_test(every_alignment_of_some_lengths),
		cmocka_unit_test(copies_and_sums),
		cmocka_unit_test(sums_add_up),
		cmocka_unit_test(never_overflows),
		cmocka_unit_test(words_go_in_and_out),
		cmocka_unit_test(pseudo_headers),
		cmocka_unit_test(pseudo_header_of_a_long_one),
		cmocka_unit_test(puts_what_verifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
