/* SPDX-License-Identifier: MIT
 * All that can be said of a configuration file: what up would refuse, and what it would take but
 * hardly was meant. Pure, but for the key files that the file names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "conf/error.h"

/* An error is what is refused, or cannot work as it is written. */
struct finding {
	struct conf_error at; /* the place, and what is wrong and what to do; err means nothing */
	bool is_error;
	const char *code; /* a word for scripts, which never changes; static */
};

struct findings {
	struct finding *items; /* owned, in the order of their places */
	size_t count, size;
	bool failed; /* an add ran out of memory */
};

#define FINDINGS_EMPTY                                                                             \
	{                                                                                          \
		0                                                                                  \
	}

/* A new finding, of which the caller fills the place and the words; NULL: out of memory. */
struct conf_error *findings_add(struct findings *findings, bool is_error, const char *code);
/* Macros, so that the compiler checks the format. */
#define FINDINGS_ERROR(findings, code, line, column, ...)                                          \
	conf_error_set(findings_add(findings, true, code), EINVAL, line, column, __VA_ARGS__)
#define FINDINGS_WARNING(findings, code, line, column, ...)                                        \
	conf_error_set(findings_add(findings, false, code), EINVAL, line, column, __VA_ARGS__)

/* Appends what is to be said of a text that was read from path. is_portable: also what wg-quick(8)
 * would refuse or read otherwise. 0 or -ENOMEM. */
int findings_collect(struct findings *findings, const char *path, const char *text, size_t len,
		     bool is_portable);
void findings_free(struct findings *findings);
