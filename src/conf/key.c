/* SPDX-License-Identifier: MIT
 * Keys and their text forms. The codecs are libsodium's: their time does not depend on the key. */
#include "conf/key.h"

#include <errno.h>
#include <sodium.h>

_Static_assert(KEY_LEN == crypto_scalarmult_curve25519_BYTES, "key");
_Static_assert(KEY_LEN == crypto_scalarmult_curve25519_SCALARBYTES, "key");
_Static_assert(KEY_BASE64_LEN + 1 ==
		       sodium_base64_ENCODED_LEN(KEY_LEN, sodium_base64_VARIANT_ORIGINAL),
	       "base64");

/* libsodium 1.0.18 takes bytes from 0x80 for digits of base64. */
static bool is_ascii(const char *text, size_t len)
{
	unsigned char all = 0;

	for (size_t i = 0; i < len; i++)
		all |= (unsigned char)text[i];
	return all < 0x80;
}

int key_from_base64(struct key *key, const char *text, size_t len)
{
	const char *end = NULL;
	size_t size = 0;

	if (len == KEY_BASE64_LEN && is_ascii(text, len) &&
	    sodium_base642bin(key->bytes, KEY_LEN, text, len, NULL, &size, &end,
			      sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    size == KEY_LEN && end == text + len)
		return 0;
	key_wipe(key);
	return -EINVAL;
}

void key_to_base64(char text[KEY_BASE64_LEN + 1], const struct key *key)
{
	sodium_bin2base64(text, KEY_BASE64_LEN + 1, key->bytes, KEY_LEN,
			  sodium_base64_VARIANT_ORIGINAL);
}

int key_from_hex(struct key *key, const char *text, size_t len)
{
	const char *end = NULL;
	size_t size = 0;

	if (len == KEY_HEX_LEN &&
	    sodium_hex2bin(key->bytes, KEY_LEN, text, len, NULL, &size, &end) == 0 &&
	    size == KEY_LEN && end == text + len)
		return 0;
	key_wipe(key);
	return -EINVAL;
}

void key_to_hex(char text[KEY_HEX_LEN + 1], const struct key *key)
{
	sodium_bin2hex(text, KEY_HEX_LEN + 1, key->bytes, KEY_LEN);
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
