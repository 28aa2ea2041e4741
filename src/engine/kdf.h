/* SPDX-License-Identifier: MIT
 * HMAC-BLAKE2s (RFC 2104), and the KDF of the whitepaper (section 5.4): HKDF (RFC 5869) with it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "engine/blake2s.h"

void kdf_hmac(uint8_t out[BLAKE2S_HASH_LEN], const uint8_t *key, size_t key_len, const void *data,
	      size_t len);
/* KDF_1 to KDF_3: second or third may be NULL (third is, if second is). An output may lie where
 * chaining or data does. */
void kdf(uint8_t first[BLAKE2S_HASH_LEN], uint8_t second[BLAKE2S_HASH_LEN],
	 uint8_t third[BLAKE2S_HASH_LEN], const uint8_t chaining[BLAKE2S_HASH_LEN],
	 const void *data, size_t len);
