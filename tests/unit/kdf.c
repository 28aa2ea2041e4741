/* SPDX-License-Identifier: MIT
 * HMAC and KDF against Python's hashlib and hmac (tests/vectors/derive). */
#include "engine/kdf.h"

#include "../vectors/vectors.h"

#define HMAC_CASES 42
#define KDF_CASES 5

static void hmac_vectors(void **state)
{
	struct vectors vectors;
	unsigned cases = 0;

	(void)state;
	vectors_open(&vectors, "kdf.txt");
	while (vectors_next(&vectors)) {
		uint8_t expected[BLAKE2S_HASH_LEN], out[BLAKE2S_HASH_LEN];
		size_t key_len, len;
		uint8_t *key, *data;

		if (strcmp(vectors.fields[0], "hmac") != 0)
			continue;
		key = vectors_bytes(&vectors, 1, &key_len);
		data = vectors_bytes(&vectors, 2, &len);
		vectors_copy(&vectors, 3, expected, sizeof(expected));
		kdf_hmac(out, key, key_len, data, len);
		assert_memory_equal(out, expected, sizeof(out));
		free(key);
		free(data);
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, HMAC_CASES);
}

static void kdf_vectors(void **state)
{
	struct vectors vectors;
	unsigned cases = 0;

	(void)state;
	vectors_open(&vectors, "kdf.txt");
	while (vectors_next(&vectors)) {
		uint8_t chaining[32], expected[3][32], out[3][32];
		size_t len;
		uint8_t *data;

		if (strcmp(vectors.fields[0], "kdf") != 0)
			continue;
		vectors_copy(&vectors, 1, chaining, sizeof(chaining));
		data = vectors_bytes(&vectors, 2, &len);
		for (unsigned i = 0; i < 3; i++)
			vectors_copy(&vectors, 3 + i, expected[i], sizeof(expected[i]));
		for (unsigned count = 1; count <= 3; count++) {
			memset(out, 0, sizeof(out));
			kdf(out[0], count > 1 ? out[1] : NULL, count > 2 ? out[2] : NULL, chaining,
			    data, len);
			for (unsigned i = 0; i < 3; i++) {
				if (i < count)
					assert_memory_equal(out[i], expected[i], sizeof(out[i]));
				else
					assert_true(sodium_is_zero(out[i], sizeof(out[i])));
			}
		}
		/* over the chaining key */
		kdf(chaining, out[1], out[2], chaining, data, len);
		assert_memory_equal(chaining, expected[0], sizeof(chaining));
		assert_memory_equal(out[1], expected[1], sizeof(out[1]));
		assert_memory_equal(out[2], expected[2], sizeof(out[2]));
		free(data);
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, KDF_CASES);
}

static void over_data(void **state)
{
	uint8_t chaining[32] = {1}, data[32] = {2}, expected[2][32], second[32];

	(void)state;
	kdf(expected[0], expected[1], NULL, chaining, data, sizeof(data));
	kdf(data, second, NULL, chaining, data, sizeof(data));
	assert_memory_equal(data, expected[0], 32);
	assert_memory_equal(second, expected[1], 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(kdf_vectors),
		cmocka_unit_test(over_data),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
