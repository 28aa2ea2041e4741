/* SPDX-License-Identifier: MIT
 * A growing buffer for text that may hold keys. It never uses realloc(), which leaves copies
 * behind. */
#include "conf/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include "conf/number.h"

#define TEXT_SIZE_FIRST 256
#define DRAIN_SIZE 32768 /* bytes that are drained at once, or some more */
#define PRINTF_GUESS 64  /* bytes that most formats fit into */

bool text_drain(struct text *text)
{
	if (!text->failed && text->len)
		text->failed = !text->drain(text->user, text->data, text->len);
	text->len = 0;
	return !text->failed;
}

bool text_reserve(struct text *text, size_t len)
{
	size_t size = text->size ? text->size : TEXT_SIZE_FIRST;
	char *data;

	if (text->failed)
		return false;
	if (len >= SIZE_MAX / 2 - text->len) {
		text->failed = true;
		return false;
	}
	if (text->drain && text->len >= DRAIN_SIZE && !text_drain(text))
		return false;
	while (size <= text->len + len)
		size *= 2;
	if (size == text->size)
		return true;
	data = malloc(size);
	if (!data) {
		text->failed = true;
		return false;
	}
	if (text->data) {
		memcpy(data, text->data, text->len);
		sodium_memzero(text->data, text->size);
		free(text->data);
	}
	data[text->len] = '\0';
	text->data = data;
	text->size = size;
	return true;
}

void text_append(struct text *text, const char *bytes, size_t len)
{
	if (!text_reserve(text, len))
		return;
	if (len)
		memcpy(text->data + text->len, bytes, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void text_puts(struct text *text, const char *string)
{
	text_append(text, string, strlen(string));
}

void text_number(struct text *text, uint64_t number)
{
	char digits[NUMBER_TEXT_MAX];

	text_append(text, digits, (size_t)(number_put(digits, number) - digits));
}

void text_printf(struct text *text, const char *format, ...)
{
	size_t room;
	va_list args;
	int len;

	if (!text_reserve(text, PRINTF_GUESS))
		return;
	room = text->size - text->len;
	va_start(args, format);
	len = vsnprintf(text->data + text->len, room, format, args);
	va_end(args);
	if (len >= 0 && (size_t)len >= room && text_reserve(text, (size_t)len)) {
		va_start(args, format);
		vsnprintf(text->data + text->len, (size_t)len + 1, format, args);
		va_end(args);
	}
	if (len < 0)
		text->failed = true;
	if (text->failed)
		text->data[text->len] = '\0';
	else
		text->len += (size_t)len;
}

void text_consume(struct text *text, size_t len)
{
	size_t rest = text->len - len;

	if (!len)
		return;
	memmove(text->data, text->data + len, rest);
	sodium_memzero(text->data + rest, len);
	text->len = rest;
}

void text_wipe(struct text *text)
{
	/* Behind the end is something only of what was drained, or of what did not fit. */
	if (text->data)
		sodium_memzero(text->data, text->drain || text->failed ? text->size : text->len);
	free(text->data);
	*text = (struct text)TEXT_EMPTY;
}
