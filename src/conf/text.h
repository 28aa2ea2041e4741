/* SPDX-License-Identifier: MIT
 * A growing buffer for text that may hold keys: it wipes what it leaves, also when it grows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data; /* NUL-terminated once anything was appended; owned */
	size_t len; /* without the NUL */
	size_t size;
	bool failed; /* an append ran out of memory; later appends do nothing */
	/* Where the text goes, in pieces of 32 KiB and more, so that little of it is in memory.
	 * False: it cannot, and the text has failed. NULL: all stays here. */
	bool (*drain)(void *user, const char *data, size_t len);
	void *user; /* drain's; borrowed */
};

#define TEXT_EMPTY                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

/* Makes room for len bytes more. False, and the text has failed: there is no memory. */
bool text_reserve(struct text *text, size_t len);
void text_append(struct text *text, const char *bytes, size_t len);
void text_puts(struct text *text, const char *string);
void text_number(struct text *text, uint64_t number); /* decimal */
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first len bytes (len <= text->len) and wipes the space that they leave. */
void text_consume(struct text *text, size_t len);
/* Gives to text->drain, which there must be, what it has not got yet. False: the text has failed.
 */
bool text_drain(struct text *text);
/* Wipes and frees; *text is empty again. */
void text_wipe(struct text *text);
