/* SPDX-License-Identifier: MIT
 * What the values of wg(8)'s keys mean: the same in a file and among the words of a command. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "conf/keyword.h"

struct conf_error;
struct model;

/* A value, or an element of a list. offset: where in its value. A whole value ends in a NUL. */
struct value_part {
	const char *text;
	size_t len, offset;
};

/* Where findings go. The column of each is that within the value, from 1; its line is 0. */
struct value_report {
	struct conf_error *error; /* borrowed; may be NULL */
	/* 0 or -errno, which ends the reading. */
	int (*warn)(void *user, const struct conf_error *warning);
	void *user;
};

/* "'VALUE'", or "this" where the value is long or may be part of a key. */
struct value_quote {
	char text[43];
};

struct value_quote value_quote(const struct value_part *part);
/* At the first byte of the part. A macro, so that the compiler checks the format. */
#define VALUE_FAIL_AS(report, code, part, ...)                                                     \
	conf_error_set((report)->error, code, 0, (unsigned)(part)->offset + 1, __VA_ARGS__)
#define VALUE_FAIL(report, part, ...) VALUE_FAIL_AS(report, EINVAL, part, __VA_ARGS__)

/* Puts the value of a key of wg(8)'s into the device, that of a peer's key into its last peer. 0 or
 * -errno with the error filled. No message repeats a key. */
int value_read(struct model *device, enum keyword key, const struct value_part *value,
	       const struct value_report *report);
/* Calls read for each element of a list between commas. 0 or what read returned. */
int value_read_list(const struct value_part *list,
		    int (*read)(void *user, const struct value_part *element), void *user);
