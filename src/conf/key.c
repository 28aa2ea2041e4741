/* SPDX-License-Identifier: MIT
 * Keys and their text forms. What reads them and what writes hexadecimal is our own, for there may
 * be tens of thousands of keys: it computes with all characters alike, without branches and tables,
 * so that its time does not depend on the key. */
#include "conf/key.h"

#include <errno.h>
#include <string.h>
#include <sodium.h>

_Static_assert(KEY_LEN == crypto_scalarmult_curve25519_BYTES, "key");
_Static_assert(KEY_LEN == crypto_scalarmult_curve25519_SCALARBYTES, "key");
_Static_assert(KEY_BASE64_LEN + 1 ==
		       sodium_base64_ENCODED_LEN(KEY_LEN, sodium_base64_VARIANT_ORIGINAL),
	       "base64");

#define DIGITS_MAX 64 /* the compiler takes 16 at once where their number is a multiple of that */

/* 0xff if low <= c <= high, else 0; all less than 0x80. */
static uint8_t is_within(uint8_t c, uint8_t low, uint8_t high)
{
	uint8_t in = (uint8_t)((uint8_t)(c - low) ^ (uint8_t)(c - high - 1)) >> 7;

	return (uint8_t)-in;
}

/* Characters of base64 become their values. Not 0: one was none. */
static uint8_t read_base64(uint8_t digits[DIGITS_MAX])
{
	uint8_t wrong = 0;

	for (size_t i = 0; i < DIGITS_MAX; i++) {
		uint8_t c = digits[i];
		uint8_t upper = is_within(c, 'A', 'Z'), lower = is_within(c, 'a', 'z');
		uint8_t digit = is_within(c, '0', '9');
		uint8_t plus = is_within(c, '+', '+'), slash = is_within(c, '/', '/');

		wrong |= (c & 0x80) | (uint8_t) ~(upper | lower | digit | plus | slash);
		digits[i] = (uint8_t)((upper & (c - 'A')) | (lower & (c - 'a' + 26)) |
				      (digit & (c - '0' + 52)) | (plus & 62) | (slash & 63));
	}
	return wrong;
}

int key_from_base64(struct key *key, const char *text, size_t len)
{
	uint8_t digits[DIGITS_MAX], *byte = key->bytes;
	uint32_t bits = 0;
	uint8_t wrong;

	if (len != KEY_BASE64_LEN || text[KEY_BASE64_LEN - 1] != '=') {
		key_wipe(key);
		return -EINVAL;
	}
	memset(digits, 'A', sizeof(digits));
	memcpy(digits, text, KEY_BASE64_LEN - 1);
	wrong = read_base64(digits);
	for (size_t i = 0; i < KEY_BASE64_LEN; i += 4) {
		bits = (uint32_t)(digits[i] << 18 | digits[i + 1] << 12 | digits[i + 2] << 6 |
				  digits[i + 3]);
		*byte++ = (uint8_t)(bits >> 16);
		*byte++ = (uint8_t)(bits >> 8);
		if (byte < key->bytes + KEY_LEN)
			*byte++ = (uint8_t)bits;
	}
	sodium_memzero(digits, sizeof(digits));
	/* What the last digits have too much belongs to no byte. */
	wrong |= (uint8_t)bits;
	if (wrong)
		key_wipe(key);
	return wrong ? -EINVAL : 0;
}

void key_to_base64(char text[KEY_BASE64_LEN + 1], const struct key *key)
{
	sodium_bin2base64(text, KEY_BASE64_LEN + 1, key->bytes, KEY_LEN,
			  sodium_base64_VARIANT_ORIGINAL);
}

/* As read_base64(). */
static uint8_t read_hex(uint8_t digits[DIGITS_MAX])
{
	uint8_t wrong = 0;

	for (size_t i = 0; i < DIGITS_MAX; i++) {
		uint8_t c = digits[i], small = c | 0x20;
		uint8_t digit = is_within(c, '0', '9'), letter = is_within(small, 'a', 'f');

		wrong |= (c & 0x80) | (uint8_t) ~(digit | letter);
		digits[i] = (uint8_t)((digit & (c - '0')) | (letter & (small - 'a' + 10)));
	}
	return wrong;
}

int key_from_hex(struct key *key, const char *text, size_t len)
{
	uint8_t digits[DIGITS_MAX], wrong = 1;

	_Static_assert(KEY_HEX_LEN == DIGITS_MAX, "hexadecimal");
	if (len == KEY_HEX_LEN) {
		memcpy(digits, text, KEY_HEX_LEN);
		wrong = read_hex(digits);
		for (size_t i = 0; i < KEY_LEN; i++)
			key->bytes[i] = (uint8_t)(digits[2 * i] << 4 | digits[2 * i + 1]);
		sodium_memzero(digits, sizeof(digits));
	}
	if (wrong)
		key_wipe(key);
	return wrong ? -EINVAL : 0;
}

void key_to_hex(char text[KEY_HEX_LEN + 1], const struct key *key)
{
	for (size_t i = 0; i < KEY_LEN; i++) {
		text[2 * i] = (char)(key->bytes[i] >> 4);
		text[2 * i + 1] = (char)(key->bytes[i] & 15);
	}
	for (size_t i = 0; i < DIGITS_MAX; i++) {
		uint8_t digit = (uint8_t)text[i];

		text[i] = (char)('0' + digit + (is_within(digit, 10, 15) & ('a' - '0' - 10)));
	}
	text[KEY_HEX_LEN] = '\0';
}

bool key_is_zero(const struct key *key)
{
	return sodium_is_zero(key->bytes, KEY_LEN);
}

bool key_equal(const struct key *a, const struct key *b)
{
	return sodium_memcmp(a->bytes, b->bytes, KEY_LEN) == 0;
}

void key_clamp(struct key *key)
{
	key->bytes[0] &= 248;
	key->bytes[31] = (key->bytes[31] & 127) | 64;
}

void key_generate(struct key *key)
{
	randombytes_buf(key->bytes, KEY_LEN);
}

void key_derive_public(struct key *public, const struct key *private)
{
	if (crypto_scalarmult_curve25519_base(public->bytes, private->bytes) != 0)
		key_wipe(public);
}

void key_wipe(struct key *key)
{
	sodium_memzero(key->bytes, KEY_LEN);
}
