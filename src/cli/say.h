/* SPDX-License-Identifier: MIT
 * All that wgctl tells its user beside results: one line a message, on stderr. */
#pragma once

#include <stdbool.h>

struct conf_error;
struct file;

/* "wgctl: ..." */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "wgctl: warning: ..." */
void say_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Without a name in front: what wg(8) words like this, and scripts look for. */
void say_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "FILE:LINE:COLUMN: error: ...", with as much of the place as is known. */
void say_file_error(const char *file, const struct conf_error *error);
/* The same if a line is known, else "wgctl: ..."; file NULL: none. */
void say_conf_error(const char *file, const struct conf_error *error);
/* All that reading it found: "FILE:LINE:COLUMN: warning: ..." */
void say_file_warnings(const char *path, const struct file *file);
/* That others may read the file. */
void say_exposed(const char *file);
/* "[#] ...", as wg-quick(8) shows each command that it runs; nothing if quiet. */
void say_trace(bool quiet, const char *what);
