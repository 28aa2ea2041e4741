/* SPDX-License-Identifier: MIT
 * What the handshake expects of libsodium's X25519: all of Wycheproof, and that a secret of zeros
 * is refused. */
#include "conf/key.h"

#include "../vectors/vectors.h"

#define CASES 518
#define ZERO_CASES 31

static void wycheproof(void **state)
{
	struct vectors vectors;
	unsigned cases = 0, zeros = 0;

	(void)state;
	vectors_open(&vectors, "x25519.txt");
	while (vectors_next(&vectors)) {
		struct key private, public, expected, shared;
		int ret;

		vectors_copy(&vectors, 1, private.bytes, KEY_LEN);
		vectors_copy(&vectors, 2, public.bytes, KEY_LEN);
		vectors_copy(&vectors, 3, expected.bytes, KEY_LEN);
		ret = crypto_scalarmult(shared.bytes, private.bytes, public.bytes);
		if (key_is_zero(&expected)) {
			assert_int_equal(ret, -1);
			zeros++;
		} else {
			assert_int_equal(ret, 0);
			assert_memory_equal(shared.bytes, expected.bytes, KEY_LEN);
		}
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, CASES);
	assert_int_equal(zeros, ZERO_CASES);
}

/* Clamping changes nothing: the multiplication does it anyway. */
static void clamped(void **state)
{
	struct vectors vectors;
	unsigned cases = 0;

	(void)state;
	vectors_open(&vectors, "x25519.txt");
	while (vectors_next(&vectors)) {
		struct key private, one, two;

		vectors_copy(&vectors, 1, private.bytes, KEY_LEN);
		key_derive_public(&one, &private);
		key_clamp(&private);
		assert_int_equal(private.bytes[0] & 7, 0);
		assert_int_equal(private.bytes[31] & 0xc0, 0x40);
		key_derive_public(&two, &private);
		assert_memory_equal(one.bytes, two.bytes, KEY_LEN);
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, CASES);
}

/* RFC 7748 section 6.1: private and public keys */
static void base_point(void **state)
{
	static const char *const pairs[][2] = {
		{"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
		 "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"},
		{"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
		 "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"},
	};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct key private, expected, public;

		assert_int_equal(key_from_hex(&private, pairs[i][0], KEY_HEX_LEN), 0);
		assert_int_equal(key_from_hex(&expected, pairs[i][1], KEY_HEX_LEN), 0);
		key_derive_public(&public, &private);
		assert_memory_equal(public.bytes, expected.bytes, KEY_LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wycheproof),
		cmocka_unit_test(clamped),
		cmocka_unit_test(base_point),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
