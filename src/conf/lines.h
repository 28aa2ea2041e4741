/* SPDX-License-Identifier: MIT
 * The lines of a configuration file: comments, white space, section headers, names and values, with
 * the place of each. What the values mean is the caller's. */
#pragma once

#include <stddef.h>
#include "conf/error.h"
#include "conf/keyword.h"

struct lines;

/* How an entry stands in the file. */
enum lines_form {
	LINES_PLAIN,     /* Name = value */
	LINES_EXTENSION, /* #wgctl: Name = value */
	LINES_REMARK,    /* # Name = value, or friendly_name, in [Peer]: perhaps a mere comment */
};

/* What the reading of a line failed at. */
enum lines_fault {
	LINES_FAULT_BYTES, /* it is no line of text */
	LINES_FAULT_SECTION,
	LINES_FAULT_KEY,
	LINES_FAULT_VALUE,
};

/* Each returns 0 or -errno with the error filled, which ends the reading. */
struct lines_events {
	int (*section)(void *user, struct lines *lines, enum keyword_section section);
	/* The value is not empty, ends in a NUL and holds none; it is wiped after the call. It has
	 * no white space, or in a list (Address, DNS) commas in its place; but commands, names and
	 * paths are as they were written, without what is around them. A command holds what
	 * follows a '#', too. */
	int (*value)(void *user, struct lines *lines, enum keyword key, const char *value,
		     size_t len);
	/* The line could not be read, for what error says: 0 goes on with the next line, and after
	 * a broken header with the next header. NULL: the first error ends the reading. */
	int (*fault)(void *user, struct lines *lines, enum lines_fault fault,
		     const struct conf_error *error);
};

/* Reads all lines. 0 or -errno with *error (may be NULL) filled. */
int lines_read(const char *text, size_t len, const struct lines_events *events, void *user,
	       struct conf_error *error);

/* For use in events: the line, from 1, and the column, from 1, of a byte of the value (offset 0 for
 * a header) as it was written. A byte order mark takes no column. */
enum lines_form lines_form(const struct lines *lines);
enum keyword lines_key(const struct lines *lines); /* for LINES_FAULT_VALUE too */
unsigned lines_number(const struct lines *lines);
unsigned lines_column(struct lines *lines, size_t offset);
