/* SPDX-License-Identifier: MIT
 * HMAC (RFC 2104) and HKDF (RFC 5869) with BLAKE2s; whitepaper section 5.4. */
#include "engine/kdf.h"

#include <string.h>
#include <sodium.h>

static void hmac_start(struct blake2s *inner, struct blake2s *outer, const uint8_t *key,
		       size_t key_len)
{
	uint8_t block[BLAKE2S_BLOCK_LEN] = {0};

	if (key_len > sizeof(block))
		blake2s_hash(block, BLAKE2S_HASH_LEN, key, key_len, NULL, 0);
	else if (key_len > 0)
		memcpy(block, key, key_len);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	blake2s_start(inner, BLAKE2S_HASH_LEN, NULL, 0);
	blake2s_add(inner, block, sizeof(block));
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	blake2s_start(outer, BLAKE2S_HASH_LEN, NULL, 0);
	blake2s_add(outer, block, sizeof(block));
	sodium_memzero(block, sizeof(block));
}

void kdf_hmac(uint8_t out[BLAKE2S_HASH_LEN], const uint8_t *key, size_t key_len, const void *data,
	      size_t len)
{
	struct blake2s inner, outer; /* finish wipes them */
	uint8_t hash[BLAKE2S_HASH_LEN];

	hmac_start(&inner, &outer, key, key_len);
	blake2s_add(&inner, data, len);
	blake2s_finish(&inner, hash);
	blake2s_add(&outer, hash, sizeof(hash));
	blake2s_finish(&outer, out);
	sodium_memzero(hash, sizeof(hash));
}

void kdf(uint8_t first[BLAKE2S_HASH_LEN], uint8_t second[BLAKE2S_HASH_LEN],
	 uint8_t third[BLAKE2S_HASH_LEN], const uint8_t chaining[BLAKE2S_HASH_LEN],
	 const void *data, size_t len)
{
	uint8_t *outputs[] = {first, second, third};
	uint8_t secret[BLAKE2S_HASH_LEN];
	uint8_t text[BLAKE2S_HASH_LEN + 1]; /* the last output, and the next one's number */

	kdf_hmac(secret, chaining, BLAKE2S_HASH_LEN, data, len);
	for (uint8_t i = 0; i < 3 && outputs[i]; i++) {
		text[BLAKE2S_HASH_LEN] = i + 1;
		if (i == 0)
			kdf_hmac(text, secret, sizeof(secret), text + BLAKE2S_HASH_LEN, 1);
		else
			kdf_hmac(text, secret, sizeof(secret), text, sizeof(text));
		memcpy(outputs[i], text, BLAKE2S_HASH_LEN);
	}
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(text, sizeof(text));
}
