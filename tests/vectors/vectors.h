/* SPDX-License-Identifier: MIT
 * Reads the *.txt files beside it: one case a line, fields separated by a space, bytes in
 * hexadecimal, '-' for none, '#' for a comment. For tests: whatever is wrong fails the test. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sodium.h>

#define VECTORS_FIELDS_MAX 8

struct vectors {
	FILE *file;
	char *line;
	size_t size;
	unsigned count;
	char *fields[VECTORS_FIELDS_MAX];
};

static inline void vectors_open(struct vectors *vectors, const char *name)
{
	char path[4096];

	memset(vectors, 0, sizeof(*vectors));
	assert_true(snprintf(path, sizeof(path), "%s/%s", VECTORS_DIR, name) < (int)sizeof(path));
	vectors->file = fopen(path, "re");
	if (!vectors->file)
		fail_msg("%s is missing", path);
}

static inline void vectors_close(struct vectors *vectors)
{
	fclose(vectors->file);
	free(vectors->line);
}

/* The next case, or false at the end. */
static inline bool vectors_next(struct vectors *vectors)
{
	char *rest, *field;

	do {
		if (getline(&vectors->line, &vectors->size, vectors->file) < 0)
			return false;
	} while (vectors->line[0] == '#');
	vectors->count = 0;
	rest = vectors->line;
	while ((field = strsep(&rest, " \n")) && *field) {
		assert_true(vectors->count < VECTORS_FIELDS_MAX);
		vectors->fields[vectors->count++] = field;
	}
	return true;
}

/* The bytes of a field in memory of just that size, to be freed. */
static inline uint8_t *vectors_bytes(const struct vectors *vectors, unsigned field, size_t *len)
{
	const char *text, *end;
	uint8_t *bytes;

	assert_true(field < vectors->count);
	text = vectors->fields[field];
	*len = strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
	bytes = malloc(*len);
	assert_true(bytes || *len == 0);
	if (*len > 0) {
		assert_int_equal(sodium_hex2bin(bytes, *len, text, strlen(text), NULL, NULL, &end),
				 0);
		assert_int_equal(*end, '\0');
	}
	return bytes;
}

/* A field of a known length. */
static inline void vectors_copy(const struct vectors *vectors, unsigned field, void *bytes,
				size_t len)
{
	size_t found;
	uint8_t *copy = vectors_bytes(vectors, field, &found);

	assert_int_equal(found, len);
	memcpy(bytes, copy, len);
	free(copy);
}

/* The next line must be "NAME VALUE", the value of len bytes. */
static inline void vectors_expect(struct vectors *vectors, const char *name, void *bytes,
				  size_t len)
{
	assert_true(vectors_next(vectors));
	assert_int_equal(vectors->count, 2);
	assert_string_equal(vectors->fields[0], name);
	vectors_copy(vectors, 1, bytes, len);
}
