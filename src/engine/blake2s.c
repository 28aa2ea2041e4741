/* SPDX-License-Identifier: MIT
 * BLAKE2s (RFC 7693). No look-up and no branch depends on data. Any byte order and alignment. */
#include "engine/blake2s.h"

#include <stdbool.h>
#include <string.h>
#include <sodium.h>
#include "engine/wire.h"

#define ROUNDS 10

/* Section 2.6 */
static const uint32_t IV[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* Section 2.7 */
static const uint8_t SIGMA[ROUNDS][16] = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
	{11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
	{7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
	{9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
	{2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
	{12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
	{13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
	{6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
	{10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint32_t rotate_right(uint32_t word, unsigned bits)
{
	return word >> bits | word << (32 - bits);
}

/* G of section 3.1 */
static inline void mix(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d, uint32_t x, uint32_t y)
{
	*a += *b + x;
	*d = rotate_right(*d ^ *a, 16);
	*c += *d;
	*b = rotate_right(*b ^ *c, 12);
	*a += *b + y;
	*d = rotate_right(*d ^ *a, 8);
	*c += *d;
	*b = rotate_right(*b ^ *c, 7);
}

/* F of section 3.2; state->count includes this block already. */
static void compress(struct blake2s *state, const uint8_t block[BLAKE2S_BLOCK_LEN], bool last)
{
	uint32_t m[16], v[16];

	for (unsigned i = 0; i < 16; i++)
		m[i] = wire_get32(block + 4 * i);
	for (unsigned i = 0; i < 8; i++) {
		v[i] = state->h[i];
		v[i + 8] = IV[i];
	}
	v[12] ^= (uint32_t)state->count;
	v[13] ^= (uint32_t)(state->count >> 32);
	if (last)
		v[14] = ~v[14];

#pragma GCC unroll 10
	for (unsigned round = 0; round < ROUNDS; round++) {
		const uint8_t *s = SIGMA[round];

#pragma GCC unroll 4
		for (unsigned i = 0; i < 4; i++) /* columns */
			mix(&v[i], &v[4 + i], &v[8 + i], &v[12 + i], m[s[2 * i]], m[s[2 * i + 1]]);
#pragma GCC unroll 4
		for (unsigned i = 0; i < 4; i++) /* diagonals */
			mix(&v[i], &v[4 + (i + 1) % 4], &v[8 + (i + 2) % 4], &v[12 + (i + 3) % 4],
			    m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
	}
	for (unsigned i = 0; i < 8; i++)
		state->h[i] ^= v[i] ^ v[i + 8];
	sodium_memzero(m, sizeof(m));
	sodium_memzero(v, sizeof(v));
}

void blake2s_start(struct blake2s *state, size_t out_len, const uint8_t *key, size_t key_len)
{
	memset(state, 0, sizeof(*state));
	memcpy(state->h, IV, sizeof(IV));
	state->h[0] ^= 0x01010000 ^ (uint32_t)key_len << 8 ^ (uint32_t)out_len;
	state->out_len = out_len;
	if (key_len > 0) { /* the key is the first block, filled up with zeros */
		memcpy(state->block, key, key_len);
		state->used = BLAKE2S_BLOCK_LEN;
	}
}

void blake2s_add(struct blake2s *state, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len > 0) {
		size_t part;

		/* Only now is it sure that the full block is not the last one. */
		if (state->used == BLAKE2S_BLOCK_LEN) {
			state->count += BLAKE2S_BLOCK_LEN;
			compress(state, state->block, false);
			state->used = 0;
		}
		part = BLAKE2S_BLOCK_LEN - state->used;
		if (part > len)
			part = len;
		memcpy(state->block + state->used, bytes, part);
		state->used += part;
		bytes += part;
		len -= part;
	}
}

void blake2s_finish(struct blake2s *state, uint8_t *out)
{
	uint8_t hash[BLAKE2S_HASH_LEN];

	memset(state->block + state->used, 0, BLAKE2S_BLOCK_LEN - state->used);
	state->count += state->used;
	compress(state, state->block, true);
	for (unsigned i = 0; i < 8; i++)
		wire_put32(hash + 4 * i, state->h[i]);
	memcpy(out, hash, state->out_len);
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(state, sizeof(*state));
}

void blake2s_hash(uint8_t *out, size_t out_len, const void *data, size_t len, const uint8_t *key,
		  size_t key_len)
{
	struct blake2s state; /* finish wipes it */

	blake2s_start(&state, out_len, key, key_len);
	blake2s_add(&state, data, len);
	blake2s_finish(&state, out);
}
