/* SPDX-License-Identifier: MIT
 * Keys: their text forms, the vectors of RFC 7748 section 6.1, and what is refused. */
#include "conf/key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sodium.h>
#include <cmocka.h>

#define ROUNDS 2000

static const char ALICE_PRIVATE[] =
	"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
static const char ALICE_PUBLIC[] =
	"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
static const char BOB_PRIVATE[] =
	"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
static const char BOB_PUBLIC[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";

static struct key random_key(unsigned number)
{
	unsigned char seed[randombytes_SEEDBYTES] = {(unsigned char)number, number >> 8};
	struct key key;

	randombytes_buf_deterministic(key.bytes, KEY_LEN, seed);
	return key;
}

static void derives(void **state)
{
	static const char *const pairs[][2] = {
		{ALICE_PRIVATE, ALICE_PUBLIC},
		{BOB_PRIVATE, BOB_PUBLIC},
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct key private, public;
		char text[KEY_HEX_LEN + 1];

		assert_int_equal(key_from_hex(&private, pairs[i][0], KEY_HEX_LEN), 0);
		key_derive_public(&public, &private);
		key_to_hex(text, &public);
		assert_string_equal(text, pairs[i][1]);
		key_clamp(&private);
		key_derive_public(&public, &private);
		key_to_hex(text, &public);
		assert_string_equal(text, pairs[i][1]);
		/* In place. */
		key_derive_public(&private, &private);
		assert_true(key_equal(&private, &public));
	}
}

static void round_trips(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct key key = random_key(i), again;
		char base64[KEY_BASE64_LEN + 1], hex[KEY_HEX_LEN + 1];

		key_to_base64(base64, &key);
		assert_int_equal(strlen(base64), KEY_BASE64_LEN);
		assert_int_equal(key_from_base64(&again, base64, KEY_BASE64_LEN), 0);
		assert_true(key_equal(&key, &again));
		key_to_hex(hex, &key);
		assert_int_equal(strlen(hex), KEY_HEX_LEN);
		assert_int_equal(key_from_hex(&again, hex, KEY_HEX_LEN), 0);
		assert_true(key_equal(&key, &again));
	}
}

static void known_text(void **state)
{
	struct key key;

	(void)state;
	assert_int_equal(key_from_base64(&key, "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=", 44),
			 0);
	for (size_t i = 0; i < KEY_LEN; i++) {
		char digits[3];

		sodium_bin2hex(digits, sizeof(digits), key.bytes + i, 1);
		assert_memory_equal(digits, ALICE_PRIVATE + 2 * i, 2);
	}
	assert_int_equal(key_from_hex(&key,
				      "ABCDEF00000000000000000000000000"
				      "000000000000000000000000000000ff",
				      64),
			 0);
	assert_int_equal(key.bytes[0], 0xab);
	assert_int_equal(key.bytes[31], 0xff);
}

static void refuse_base64(const char *text, size_t len)
{
	struct key key;

	memset(key.bytes, 0xaa, KEY_LEN);
	assert_int_equal(key_from_base64(&key, text, len), -EINVAL);
	assert_true(key_is_zero(&key));
}

static void refuse_hex(const char *text, size_t len)
{
	struct key key;

	memset(key.bytes, 0xaa, KEY_LEN);
	assert_int_equal(key_from_hex(&key, text, len), -EINVAL);
	assert_true(key_is_zero(&key));
}

/* Each byte in each place: what is taken is what the alphabet allows there. */
static void every_byte_base64(void **state)
{
	static const char good[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char last[] = "AEIMQUYcgkosw048"; /* the two unused bits are zero */

	(void)state;
	for (size_t at = 0; at < KEY_BASE64_LEN; at++) {
		for (int byte = 0; byte < 256; byte++) {
			const char *allowed = at == 43 ? "=" : at == 42 ? last : alphabet;
			char text[sizeof(good)];
			struct key key;

			memcpy(text, good, sizeof(good));
			text[at] = (char)byte;
			if (byte && strchr(allowed, byte))
				assert_int_equal(key_from_base64(&key, text, KEY_BASE64_LEN), 0);
			else
				refuse_base64(text, KEY_BASE64_LEN);
		}
	}
}

static void every_byte_hex(void **state)
{
	(void)state;
	for (size_t at = 0; at < KEY_HEX_LEN; at++) {
		for (int byte = 0; byte < 256; byte++) {
			char text[sizeof(ALICE_PRIVATE)];
			struct key key;

			memcpy(text, ALICE_PRIVATE, sizeof(text));
			text[at] = (char)byte;
			if (byte && strchr("0123456789abcdefABCDEF", byte))
				assert_int_equal(key_from_hex(&key, text, KEY_HEX_LEN), 0);
			else
				refuse_hex(text, KEY_HEX_LEN);
		}
	}
}

static void every_length(void **state)
{
	char text[200];

	(void)state;
	memset(text, 'A', sizeof(text));
	for (size_t len = 0; len < sizeof(text); len++)
		refuse_base64(text, len);
	memset(text, '0', sizeof(text));
	for (size_t len = 0; len < sizeof(text); len++)
		if (len != KEY_HEX_LEN)
			refuse_hex(text, len);
	refuse_base64("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo", 43);
	refuse_base64("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo==", 45);
	refuse_base64("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LC==", 44);
	refuse_base64("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", 45);
	refuse_base64("dwdtCnMYpX08FsFyUbJmRd9ML4frwJkq-Xf7pR25LC_=", 44);
	refuse_base64(NULL, 0);
	refuse_hex(NULL, 0);
}

static void zero_and_equal(void **state)
{
	struct key zero = {{0}};

	(void)state;
	assert_true(key_is_zero(&zero));
	assert_true(key_equal(&zero, &zero));
	for (unsigned bit = 0; bit < 8 * KEY_LEN; bit++) {
		struct key key = {{0}};

		key.bytes[bit / 8] = (uint8_t)(1 << bit % 8);
		assert_false(key_is_zero(&key));
		assert_false(key_equal(&key, &zero));
		key_wipe(&key);
		assert_true(key_is_zero(&key));
	}
}

static void clamps(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct key key = random_key(i), before = key;

		key_clamp(&key);
		assert_int_equal(key.bytes[0], before.bytes[0] & 0xf8);
		assert_memory_equal(key.bytes + 1, before.bytes + 1, KEY_LEN - 2);
		assert_int_equal(key.bytes[31], (before.bytes[31] & 0x7f) | 0x40);
	}
}

static void generates(void **state)
{
	struct key one, two;

	(void)state;
	key_generate(&one);
	key_generate(&two);
	assert_false(key_is_zero(&one));
	assert_false(key_equal(&one, &two));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derives),        cmocka_unit_test(round_trips),
		cmocka_unit_test(known_text),     cmocka_unit_test(every_byte_base64),
		cmocka_unit_test(every_byte_hex), cmocka_unit_test(every_length),
		cmocka_unit_test(zero_and_equal), cmocka_unit_test(clamps),
		cmocka_unit_test(generates),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
