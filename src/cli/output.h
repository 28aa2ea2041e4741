/* SPDX-License-Identifier: MIT
 * Results, on standard output, past stdio's buffers: these cannot be wiped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text;

/* An empty text that writes itself, a piece at a time; err: an int, 0 at first. */
#define OUTPUT_TEXT(err)                                                                           \
	{                                                                                          \
		.drain = output_drain, .user = (err)                                               \
	}
bool output_drain(void *err, const char *data, size_t len);

/* Writes what is not written yet. 0 or -errno, which is said. */
int output_finish(struct text *text);

/* The same of a text that does not. */
int output_write(const struct text *text);
/* Warns, as wg(8) does, when standard output is a file that everybody may read. */
void output_warn_exposed(void);
