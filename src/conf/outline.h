/* SPDX-License-Identifier: MIT
 * What stands on which line of a configuration file, for who changes a file and leaves the rest of
 * it as it was written. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "conf/keyword.h"
#include "conf/lines.h"

#define OUTLINE_NO_PEER ((size_t)-1)

enum outline_kind {
	OUTLINE_OTHER, /* a comment, or nothing */
	OUTLINE_HEADER,
	OUTLINE_ENTRY,
};

struct outline_line {
	const char *text; /* borrowed from the whole, without the newline; not NUL-terminated */
	size_t len;
	enum outline_kind kind;
	enum keyword_section section; /* in which the line is */
	size_t peer;                  /* whose section it is, from 0; else OUTLINE_NO_PEER */
	enum keyword key;             /* of an entry, and how it stands there */
	enum lines_form form;
	size_t value, value_len; /* of an entry, in the line, without what is around it */
};

struct outline {
	struct outline_line *lines; /* owned */
	size_t count;
	bool is_open; /* the last line has no newline */
};

#define OUTLINE_ELEMENT_MAX 64 /* bytes, with the NUL: more than a prefix has */

/* An element of a list. */
struct outline_element {
	unsigned column;                /* from 1 */
	char text[OUTLINE_ELEMENT_MAX]; /* without white space; cut where it is longer */
	size_t len;
};

#define OUTLINE_EMPTY                                                                              \
	{                                                                                          \
		0                                                                                  \
	}

/* Borrows the text. What cannot be read is as if it were a comment. A byte order mark is in no
 * line. 0 or -errno; then *outline is empty. */
int outline_read(struct outline *outline, const char *text, size_t len);
void outline_free(struct outline *outline);
/* The next element of the line's value, which is a list (AllowedIPs, Address, DNS), from *at in the
 * line on, where it starts as line->value; empty elements are passed over. false: there is none. */
bool outline_next(const struct outline_line *line, size_t *at, struct outline_element *element);
