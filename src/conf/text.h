/* SPDX-License-Identifier: MIT
 * A growing buffer for text that may hold keys: it wipes what it leaves, also when it grows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *data; /* NUL-terminated once anything was appended; owned */
	size_t len; /* without the NUL */
	size_t size;
	bool failed; /* an append ran out of memory; later appends do nothing */
};

#define TEXT_EMPTY {0}

void text_append(struct text *text, const char *bytes, size_t len);
void text_puts(struct text *text, const char *string);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first len bytes (len <= text->len) and wipes the space that they leave. */
void text_consume(struct text *text, size_t len);
/* Wipes and frees; *text is empty again. */
void text_wipe(struct text *text);
