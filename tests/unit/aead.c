/* SPDX-License-Identifier: MIT
 * The AEADs: known answers of OpenSSL for our own functions, and Wycheproof for those of libsodium
 * under them. (No case of Wycheproof has both four zero bytes before its nonce and no additional
 * data, as our packets have.) */
#include "engine/aead.h"

#include "../vectors/vectors.h"

#define KNOWN_CASES 9
#define CHACHA_VALID 256
#define XCHACHA_VALID 246
#define INVALID 60 /* of either */

static const uint8_t KEY[AEAD_KEY_LEN] = {1, 2, 3};

static void known_answers(void **state)
{
	struct vectors vectors;
	unsigned cases = 0;

	(void)state;
	vectors_open(&vectors, "aead.txt");
	while (vectors_next(&vectors)) {
		uint8_t key[AEAD_KEY_LEN], counter[8];
		size_t len, sealed_len;
		uint8_t *plain, *expected, *buffer;
		struct aead_op op;

		vectors_copy(&vectors, 1, key, sizeof(key));
		vectors_copy(&vectors, 2, counter, sizeof(counter));
		plain = vectors_bytes(&vectors, 3, &len);
		expected = vectors_bytes(&vectors, 4, &sealed_len);
		assert_int_equal(sealed_len, len + AEAD_TAG_LEN);
		buffer = malloc(sealed_len);
		assert_non_null(buffer);

		op = (struct aead_op){buffer, plain, len, wire_get64(counter), false};
		aead_seal_many(key, &op, 1);
		assert_memory_equal(buffer, expected, sealed_len);
		op = (struct aead_op){buffer, buffer, sealed_len, op.counter, false};
		aead_open_many(key, &op, 1); /* in place */
		assert_true(op.ok);
		assert_memory_equal(buffer, plain, len);
		op = (struct aead_op){buffer, buffer, len, op.counter, false};
		aead_seal_many(key, &op, 1); /* in place */
		assert_memory_equal(buffer, expected, sealed_len);
		op = (struct aead_op){buffer, expected, sealed_len, op.counter, false};
		aead_open_many(key, &op, 1);
		assert_true(op.ok);
		assert_memory_equal(buffer, plain, len);

		free(plain);
		free(expected);
		free(buffer);
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, KNOWN_CASES);
}

/* One sealed packet of len bytes in the clear, with counter 7 */
static void seal_one(uint8_t *sealed, size_t len)
{
	struct aead_op op = {sealed, sealed, len, 7, false};

	for (size_t i = 0; i < len; i++)
		sealed[i] = (uint8_t)i;
	aead_seal_many(KEY, &op, 1);
}

static bool opens(const uint8_t key[AEAD_KEY_LEN], const uint8_t *sealed, size_t len,
		  uint64_t counter)
{
	uint8_t *plain = malloc(len);
	struct aead_op op = {plain, sealed, len, counter, true};

	assert_non_null(plain);
	aead_open_many(key, &op, 1);
	free(plain);
	return op.ok;
}

static void tampered(void **state)
{
	uint8_t sealed[100 + AEAD_TAG_LEN], other[AEAD_KEY_LEN];

	(void)state;
	seal_one(sealed, 100);
	assert_true(opens(KEY, sealed, sizeof(sealed), 7));
	for (unsigned bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= 1 << bit % 8;
		assert_false(opens(KEY, sealed, sizeof(sealed), 7));
		sealed[bit / 8] ^= 1 << bit % 8;
	}
	for (unsigned bit = 0; bit < 64; bit++)
		assert_false(opens(KEY, sealed, sizeof(sealed), 7 ^ UINT64_C(1) << bit));
	for (unsigned bit = 0; bit < 8 * sizeof(other); bit++) {
		memcpy(other, KEY, sizeof(other));
		other[bit / 8] ^= 1 << bit % 8;
		assert_false(opens(other, sealed, sizeof(sealed), 7));
	}
	for (size_t len = 1; len < sizeof(sealed); len++) /* also shorter than a tag */
		assert_false(opens(KEY, sealed, len, 7));
	assert_true(opens(KEY, sealed, sizeof(sealed), 7));
}

static void empty_packet(void **state)
{
	uint8_t sealed[AEAD_TAG_LEN];

	(void)state;
	seal_one(sealed, 0);
	assert_true(opens(KEY, sealed, sizeof(sealed), 7));
	sealed[0] ^= 1;
	assert_false(opens(KEY, sealed, sizeof(sealed), 7));
}

/* Many at once are each as alone; a bad one harms none of the others. */
static void many(void **state)
{
	enum { COUNT = 130, STRIDE = 200 };
	static uint8_t together[COUNT][STRIDE], plain[COUNT][STRIDE], alone[STRIDE];
	struct aead_op ops[COUNT];

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		for (unsigned j = 0; j < STRIDE; j++)
			plain[i][j] = (uint8_t)(i + j);
		ops[i] = (struct aead_op){together[i] + i % 4, plain[i], i, 1000 + i, false};
	}
	aead_seal_many(KEY, ops, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		struct aead_op op = {alone, plain[i], i, 1000 + i, false};

		aead_seal_many(KEY, &op, 1);
		assert_memory_equal(together[i] + i % 4, alone, i + AEAD_TAG_LEN);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		uint8_t *sealed = together[i] + i % 4;

		ops[i] = (struct aead_op){sealed, sealed, i + AEAD_TAG_LEN, 1000 + i, i % 3 == 0};
		if (i % 3 == 0)
			sealed[i / 2] ^= 0x10;
	}
	aead_open_many(KEY, ops, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(ops[i].ok, i % 3 != 0);
		if (ops[i].ok)
			assert_memory_equal(ops[i].dst, plain[i], i);
	}
	aead_seal_many(KEY, NULL, 0);
	aead_open_many(KEY, NULL, 0);
}

struct one {
	uint8_t key[32], nonce[24], tag[16];
	uint8_t *additional, *message, *ciphertext;
	size_t additional_len, len;
	bool valid;
};

static void read_one(struct one *one, const struct vectors *vectors, size_t nonce_len)
{
	size_t len;

	assert_int_equal(vectors->count, 8);
	vectors_copy(vectors, 1, one->key, sizeof(one->key));
	vectors_copy(vectors, 2, one->nonce, nonce_len);
	one->additional = vectors_bytes(vectors, 3, &one->additional_len);
	one->message = vectors_bytes(vectors, 4, &one->len);
	one->ciphertext = vectors_bytes(vectors, 5, &len);
	assert_int_equal(len, one->len);
	vectors_copy(vectors, 6, one->tag, sizeof(one->tag));
	one->valid = strcmp(vectors->fields[7], "valid") == 0;
	assert_true(one->valid || strcmp(vectors->fields[7], "invalid") == 0);
}

static void free_one(struct one *one)
{
	free(one->additional);
	free(one->message);
	free(one->ciphertext);
}

typedef int encrypt_function(unsigned char *, unsigned char *, unsigned long long *,
			     const unsigned char *, unsigned long long, const unsigned char *,
			     unsigned long long, const unsigned char *, const unsigned char *,
			     const unsigned char *);
typedef int decrypt_function(unsigned char *, unsigned char *, const unsigned char *,
			     unsigned long long, const unsigned char *, const unsigned char *,
			     unsigned long long, const unsigned char *, const unsigned char *);

static void wycheproof(const char *file, size_t nonce_len, encrypt_function *encrypt,
		       decrypt_function *decrypt, unsigned expected_valid)
{
	struct vectors vectors;
	unsigned valid = 0, invalid = 0;

	vectors_open(&vectors, file);
	while (vectors_next(&vectors)) {
		struct one one;
		uint8_t *out, tag[16];
		int ret;

		read_one(&one, &vectors, nonce_len);
		out = malloc(one.len + 1);
		assert_non_null(out);
		ret = decrypt(out, NULL, one.ciphertext, one.len, one.tag, one.additional,
			      one.additional_len, one.nonce, one.key);
		assert_int_equal(ret, one.valid ? 0 : -1);
		if (one.valid) {
			assert_memory_equal(out, one.message, one.len);
			encrypt(out, tag, NULL, one.message, one.len, one.additional,
				one.additional_len, NULL, one.nonce, one.key);
			assert_memory_equal(out, one.ciphertext, one.len);
			assert_memory_equal(tag, one.tag, sizeof(tag));
			valid++;
		} else {
			invalid++;
		}
		free(out);
		free_one(&one);
	}
	vectors_close(&vectors);
	assert_int_equal(valid, expected_valid);
	assert_int_equal(invalid, INVALID);
}

static void wycheproof_chacha20(void **state)
{
	(void)state;
	wycheproof("chacha20poly1305.txt", 12, crypto_aead_chacha20poly1305_ietf_encrypt_detached,
		   crypto_aead_chacha20poly1305_ietf_decrypt_detached, CHACHA_VALID);
}

static void wycheproof_xchacha20(void **state)
{
	(void)state;
	wycheproof("xchacha20poly1305.txt", 24, crypto_aead_xchacha20poly1305_ietf_encrypt_detached,
		   crypto_aead_xchacha20poly1305_ietf_decrypt_detached, XCHACHA_VALID);
}

/* Wycheproof's packets are none of ours, for their nonces or additional data; but with its keys,
 * counters and messages, we must do what libsodium does. */
static void wycheproof_as_ours(void **state)
{
	struct vectors vectors;
	unsigned cases = 0;

	(void)state;
	vectors_open(&vectors, "chacha20poly1305.txt");
	while (vectors_next(&vectors)) {
		struct one one;
		uint8_t *ours, *theirs;
		size_t sealed_len;
		struct aead_op op;

		read_one(&one, &vectors, 12);
		sealed_len = one.len + AEAD_TAG_LEN;
		ours = malloc(sealed_len);
		theirs = malloc(sealed_len);
		assert_true(ours && theirs);
		if (one.len > 0)
			memcpy(ours, one.ciphertext, one.len);
		memcpy(ours + one.len, one.tag, sizeof(one.tag));
		assert_false(opens(one.key, ours, sealed_len, wire_get64(one.nonce + 4)));

		op = (struct aead_op){ours, one.message, one.len, wire_get64(one.nonce + 4), false};
		aead_seal_many(one.key, &op, 1);
		memset(one.nonce, 0, 4);
		crypto_aead_chacha20poly1305_ietf_encrypt(theirs, NULL, one.message, one.len, NULL,
							  0, NULL, one.nonce, one.key);
		assert_memory_equal(ours, theirs, sealed_len);
		assert_true(opens(one.key, ours, sealed_len, op.counter));
		free(ours);
		free(theirs);
		free_one(&one);
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, CHACHA_VALID + INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),       cmocka_unit_test(tampered),
		cmocka_unit_test(empty_packet),        cmocka_unit_test(many),
		cmocka_unit_test(wycheproof_chacha20), cmocka_unit_test(wycheproof_xchacha20),
		cmocka_unit_test(wycheproof_as_ours),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
