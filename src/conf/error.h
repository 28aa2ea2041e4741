/* SPDX-License-Identifier: MIT
 * What went wrong in a text, and where: conf never prints, it fills one of these and the command
 * prints it once. No message holds a key, valid or not. */
#pragma once

#include <stddef.h>

#define CONF_ERROR_WHAT_MAX 192

struct conf_error {
	int err;         /* a positive errno value; 0: no error */
	unsigned line;   /* from 1; 0: not about a line */
	unsigned column; /* from 1, in bytes; 0: not about a column */
	/* One line: what was found, what was expected, what to do. */
	char what[CONF_ERROR_WHAT_MAX];
};

/* Fills *error (which may be NULL) and returns -err: for `return conf_error_set(...)`. Control
 * characters become '?'. */
int conf_error_set(struct conf_error *error, int err, unsigned line, unsigned column,
		   const char *format, ...) __attribute__((format(printf, 5, 6)));
