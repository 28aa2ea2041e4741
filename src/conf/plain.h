/* SPDX-License-Identifier: MIT
 * A configuration file as wg(8) reads it: what only wg-quick(8) and wgctl know is left out, or
 * replaced by what it comes to. Pure. */
#pragma once

#include <stddef.h>

struct file;
struct text;

/* Appends the text, of which file is what it says, but for lines that hold keys of wg-quick(8)'s
 * or our own. Each line without the white space around it, and an empty one at the end, as
 * wg-quick(8) does. A key from a file of its own is put where that is named, and a list with
 * exclusions becomes the list of what is left. Works on the file's exclusions: they are applied
 * then. 0 or -errno: -E2BIG, as exclude_apply(). */
int plain_put(struct text *out, struct file *file, const char *text, size_t len);
