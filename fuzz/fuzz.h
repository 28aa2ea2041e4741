/* SPDX-License-Identifier: MIT
 * What every fuzz target is made of: its entry point, an input that is read like a script, and
 * checks. A target checks properties, not only that nothing crashes. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/endpoint.h"

/* Called once by libFuzzer, or by replay.c, for each input, which is exactly size bytes of memory.
 * The same input always does the same: no clock, no random bytes, nothing of this machine. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property. It holds, or the input is a find. */
#define CHECK(property)                                                                            \
	do {                                                                                       \
		if (!(property)) {                                                                 \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#property);                                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* What is left of the input. Behind its end there are zeros. */
struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t input_byte(struct input *input)
{
	if (!input->left)
		return 0;
	--input->left;
	return *input->at++;
}

static inline uint16_t input_16(struct input *input)
{
	uint16_t high = input_byte(input);

	return (uint16_t)(high << 8 | input_byte(input));
}

static inline uint32_t input_32(struct input *input)
{
	uint32_t high = input_16(input);

	return high << 16 | input_16(input);
}

/* Up to len bytes, and zeros for the rest. */
static inline void input_bytes(struct input *input, void *bytes, size_t len)
{
	size_t some = len < input->left ? len : input->left;

	if (some)
		memcpy(bytes, input->at, some);
	if (len > some)
		memset((uint8_t *)bytes + some, 0, len - some);
	input->at += some;
	input->left -= some;
}

/* Memory of exactly this size, so that a sanitizer sees what is beyond. */
static inline void *exact(const void *bytes, size_t len)
{
	void *copy = calloc(1, len ? len : 1);

	CHECK(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}
