/* SPDX-License-Identifier: MIT
 * The lines of a configuration file: comments, white space, section headers, names and values, with
 * the place of each. What the values mean is the caller's. */
#pragma once

#include <stddef.h>
#include "conf/error.h"
#include "conf/keyword.h"

struct lines;

/* Each returns 0 or -errno with the error filled, which ends the reading. */
struct lines_events {
	int (*section)(void *user, struct lines *lines, enum keyword_section section);
	/* The value is not empty, without white space (in Address, commas in its place), ends in
	 * a NUL and holds none; it is wiped after the call. */
	int (*value)(void *user, struct lines *lines, enum keyword key, const char *value,
		     size_t len);
};

/* Reads all lines. 0 or -errno with *error (may be NULL) filled. */
int lines_read(const char *text, size_t len, const struct lines_events *events, void *user,
	       struct conf_error *error);

/* For use in events: the line, from 1, and the column, from 1, of a byte of the value (offset 0 for
 * a header) as it was written. A byte order mark takes no column. */
unsigned lines_number(const struct lines *lines);
unsigned lines_column(struct lines *lines, size_t offset);
