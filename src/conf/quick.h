/* SPDX-License-Identifier: MIT
 * What the values of wg-quick(8)'s keys mean. Nothing is resolved, expanded or run. */
#pragma once

#include "conf/keyword.h"

struct file;
struct value_part;
struct value_report;

/* Puts the value of a key of wg-quick(8)'s into the file. 0 or -errno with the error filled. */
int quick_read(struct file *file, enum keyword key, const struct value_part *value,
	       const struct value_report *report);
