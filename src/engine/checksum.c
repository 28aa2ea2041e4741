/* SPDX-License-Identifier: MIT
 * The Internet checksum (RFC 1071), with the compiler's portable vectors. */
#include "engine/checksum.h"

/* Two 64-bit words: what the least of our machines has. The compilers split wider ones badly. */
typedef uint64_t lanes __attribute__((vector_size(16)));

#define LANES_LEN sizeof(lanes)
#define BLOCK_LEN (2 * LANES_LEN)

/* A word of 64 bits is worth its two halves, as 2^16 is 1 modulo 0xffff. The sum of the low halves
 * need not be kept: it is what remains of the sum of all, modulo 2^64, without the high halves. */
struct halves {
	lanes all, high;
};

static inline void halves_add(struct halves *halves, const uint8_t *bytes, uint8_t *copy)
{
	lanes words;

	memcpy(&words, bytes, sizeof(words));
	if (copy)
		memcpy(copy, &words, sizeof(words));
	halves->all += words;
	halves->high += words >> 32;
}

static inline uint64_t halves_sum(const struct halves *halves)
{
	lanes both = halves->all - (halves->high << 32) + halves->high;

	return both[0] + both[1];
}

/* Fewer than 8 bytes. Read apart, not gathered in a word: that would wait for the stores. */
static inline uint64_t tail(uint8_t *restrict dst, const uint8_t *restrict src, size_t len)
{
	uint32_t four = 0;
	uint16_t two = 0, one = 0;
	size_t at = 0;

	if (len & 4) {
		memcpy(&four, src, 4);
		if (dst)
			memcpy(dst, src, 4);
		at = 4;
	}
	if (len & 2) {
		memcpy(&two, src + at, 2);
		if (dst)
			memcpy(dst + at, src + at, 2);
		at += 2;
	}
	if (len & 1) {
		memcpy(&one, src + at, 1);
		if (dst)
			dst[at] = src[at];
	}
	return (uint64_t)four + two + one;
}

/* Inlined twice, with and without a dst, so that copying is decided before it begins. */
static inline __attribute__((always_inline)) uint64_t walk(uint64_t sum, uint8_t *restrict dst,
							   const uint8_t *restrict src, size_t len)
{
	struct halves even = {0}, odd = {0};
	uint64_t word;
	size_t at = 0;

	for (; len - at >= BLOCK_LEN; at += BLOCK_LEN) {
		halves_add(&even, src + at, dst ? dst + at : NULL);
		halves_add(&odd, src + at + LANES_LEN, dst ? dst + at + LANES_LEN : NULL);
	}
	if (at)
		sum += halves_sum(&even) + halves_sum(&odd);
	for (; len - at >= sizeof(word); at += sizeof(word)) {
		memcpy(&word, src + at, sizeof(word));
		if (dst)
			memcpy(dst + at, &word, sizeof(word));
		sum += (word >> 32) + (uint32_t)word;
	}
	return sum + tail(dst ? dst + at : NULL, src + at, len - at);
}

uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t len)
{
	return walk(sum, NULL, bytes, len);
}

uint64_t checksum_copy(uint64_t sum, uint8_t *restrict dst, const uint8_t *restrict src, size_t len)
{
	return walk(sum, dst, src, len);
}
