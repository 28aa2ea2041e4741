/* SPDX-License-Identifier: MIT
 * BLAKE2s: the examples of RFC 7693, and random cases against libb2. */
#include "engine/blake2s.h"

#include <blake2.h>
#include "../vectors/vectors.h"

#define MAX_LEN 400

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint32_t next_random(uint32_t bound)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % bound;
}

static void fill_random(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)next_random(256);
}

/* RFC 7693 appendix B */
static void abc(void **state)
{
	static const uint8_t expected[] = {
		0x50, 0x8c, 0x5e, 0x8c, 0x32, 0x7c, 0x14, 0xe2, 0xe1, 0xa7, 0x2b,
		0xa3, 0x4e, 0xeb, 0x45, 0x2f, 0x37, 0x45, 0x8b, 0x20, 0x9e, 0xd6,
		0x3a, 0x29, 0x4d, 0x99, 0x9b, 0x4c, 0x86, 0x67, 0x59, 0x82,
	};
	uint8_t hash[BLAKE2S_HASH_LEN];

	(void)state;
	blake2s_hash(hash, sizeof(hash), "abc", 3, NULL, 0);
	assert_memory_equal(hash, expected, sizeof(hash));
}

static void fill_sequence(uint8_t *bytes, size_t len, uint32_t number)
{
	uint32_t a = 0xdead4bad * number, b = 1;

	for (size_t i = 0; i < len; i++) {
		uint32_t sum = a + b;

		a = b;
		b = sum;
		bytes[i] = (uint8_t)(sum >> 24);
	}
}

/* RFC 7693 appendix E: the hash of 48 hashes, keyed and not */
static void self_test(void **state)
{
	static const uint8_t expected[] = {
		0x6a, 0x41, 0x1f, 0x08, 0xce, 0x25, 0xad, 0xcd, 0xfb, 0x02, 0xab,
		0xa6, 0x41, 0x45, 0x1c, 0xec, 0x53, 0xc5, 0x98, 0xb2, 0x4f, 0x4f,
		0xc7, 0x87, 0xfb, 0xdc, 0x88, 0x79, 0x7f, 0x4c, 0x1d, 0xfe,
	};
	static const size_t out_lens[] = {16, 20, 28, 32};
	static const size_t lens[] = {0, 3, 64, 65, 255, 1024};
	uint8_t data[1024], key[32], hash[32];
	struct blake2s all;

	(void)state;
	blake2s_start(&all, 32, NULL, 0);
	for (size_t i = 0; i < sizeof(out_lens) / sizeof(out_lens[0]); i++) {
		for (size_t j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
			size_t out_len = out_lens[i], len = lens[j];

			fill_sequence(data, len, (uint32_t)len);
			blake2s_hash(hash, out_len, data, len, NULL, 0);
			blake2s_add(&all, hash, out_len);
			fill_sequence(key, out_len, (uint32_t)out_len);
			blake2s_hash(hash, out_len, data, len, key, out_len);
			blake2s_add(&all, hash, out_len);
		}
	}
	blake2s_finish(&all, hash);
	assert_memory_equal(hash, expected, sizeof(expected));
}

static void compare(size_t out_len, const uint8_t *data, size_t len, const uint8_t *key,
		    size_t key_len)
{
	uint8_t ours[32], theirs[32];

	memset(ours, 0xaa, sizeof(ours));
	memset(theirs, 0xaa, sizeof(theirs));
	blake2s_hash(ours, out_len, data, len, key, key_len);
	assert_int_equal(blake2s(theirs, data, key, out_len, len, key_len), 0);
	assert_memory_equal(ours, theirs, sizeof(ours));
}

static void every_length(void **state)
{
	uint8_t data[MAX_LEN], key[32];

	(void)state;
	fill_random(data, sizeof(data));
	fill_random(key, sizeof(key));
	for (size_t len = 0; len < sizeof(data); len++) {
		compare(32, data, len, NULL, 0);
		compare(16, data, len, key, 32);
	}
	for (size_t out_len = 1; out_len <= 32; out_len++)
		for (size_t key_len = 0; key_len <= 32; key_len++)
			compare(out_len, data, 148, key, key_len);
}

static void random_cases(void **state)
{
	uint8_t data[8 + MAX_LEN], key[8 + 32];

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t key_len = next_random(33), len = next_random(MAX_LEN + 1);
		const uint8_t *at = data + next_random(8), *key_at = key + next_random(8);

		fill_random(data, sizeof(data));
		fill_random(key, sizeof(key));
		compare(1 + next_random(32), at, len, key_len ? key_at : NULL, key_len);
	}
}

static void split_anywhere(void **state)
{
	uint8_t data[MAX_LEN], key[32], whole[32], parts[32];

	(void)state;
	fill_random(data, sizeof(data));
	fill_random(key, sizeof(key));
	for (unsigned i = 0; i < 5000; i++) {
		size_t key_len = next_random(33), done = 0;
		struct blake2s hash;

		blake2s_hash(whole, sizeof(whole), data, sizeof(data), key, key_len);
		blake2s_start(&hash, sizeof(parts), key, key_len);
		while (done < sizeof(data)) {
			size_t part = next_random(140);

			if (part > sizeof(data) - done)
				part = sizeof(data) - done;
			blake2s_add(&hash, data + done, part);
			done += part;
		}
		blake2s_finish(&hash, parts);
		assert_memory_equal(whole, parts, sizeof(whole));
	}
}

static void output_over_input(void **state)
{
	uint8_t data[64], expected[32];

	(void)state;
	fill_random(data, sizeof(data));
	blake2s_hash(expected, 32, data, sizeof(data), NULL, 0);
	blake2s_hash(data, 32, data, sizeof(data), NULL, 0);
	assert_memory_equal(data, expected, 32);
}

static void finish_wipes(void **state)
{
	struct blake2s hash;
	uint8_t out[32];

	(void)state;
	blake2s_start(&hash, 32, (const uint8_t *)"secret", 6);
	blake2s_add(&hash, "data", 4);
	blake2s_finish(&hash, out);
	assert_true(sodium_is_zero((const uint8_t *)&hash, sizeof(hash)));
}

/* More than 2^32 bytes: the high word of the count. The start is shifted, as hashing so much takes
 * too long. */
static void long_input(void **state)
{
	struct blake2s hash;
	blake2s_state other;
	uint8_t data[200], ours[32], theirs[32];

	(void)state;
	fill_random(data, sizeof(data));
	blake2s_start(&hash, 32, NULL, 0);
	hash.count = UINT64_C(0xffffffc0);
	blake2s_add(&hash, data, sizeof(data));
	blake2s_finish(&hash, ours);
	assert_int_equal(blake2s_init(&other, 32), 0);
	other.t[0] = 0xffffffc0;
	assert_int_equal(blake2s_update(&other, data, sizeof(data)), 0);
	assert_int_equal(blake2s_final(&other, theirs, 32), 0);
	assert_memory_equal(ours, theirs, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(abc),
		cmocka_unit_test(self_test),
		cmocka_unit_test(every_length),
		cmocka_unit_test(random_cases),
		cmocka_unit_test(split_anywhere),
		cmocka_unit_test(output_over_input),
		cmocka_unit_test(finish_wipes),
		cmocka_unit_test(long_input),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
