/* SPDX-License-Identifier: MIT
 * Random numbers for tests: the same ones at every run (SplitMix64). */
#pragma once

#include <stddef.h>
#include <stdint.h>

static uint64_t seed;

/* From 0 to bound - 1. */
static inline uint64_t draw(uint64_t bound)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % bound;
}

/* Any byte, or as likely one of the len bytes that are worth a try. */
static inline char some_byte(const char *spice, size_t len)
{
	return (char)(draw(2) ? draw(256) : (unsigned char)spice[draw(len)]);
}
