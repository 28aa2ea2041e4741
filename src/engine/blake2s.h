/* SPDX-License-Identifier: MIT
 * BLAKE2s, keyed and unkeyed (RFC 7693). libsodium has only BLAKE2b, hence our own. No name here is
 * one of libb2's, so that a test can link both. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BLAKE2S_HASH_LEN 32
#define BLAKE2S_BLOCK_LEN 64

struct blake2s {
	uint32_t h[8];
	uint64_t count;
	uint8_t block[BLAKE2S_BLOCK_LEN];
	size_t used;
	size_t out_len;
};

/* out_len 1 to 32; key_len 0 (no key; key may be NULL) to 32. */
void blake2s_start(struct blake2s *state, size_t out_len, const uint8_t *key, size_t key_len);
void blake2s_add(struct blake2s *state, const void *data, size_t len);
/* Writes the out_len bytes that start asked for and wipes *state. out may be where data lay. */
void blake2s_finish(struct blake2s *state, uint8_t *out);
/* All three at once. */
void blake2s_hash(uint8_t *out, size_t out_len, const void *data, size_t len, const uint8_t *key,
		  size_t key_len);
