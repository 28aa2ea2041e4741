/* SPDX-License-Identifier: MIT
 * A whole file in memory: one with keys, so that every copy of it is wiped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct conf_error;
struct text;

/* Appends the file at path, at most max bytes of it, to an empty text. A regular file, a FIFO, a
 * pipe, a terminal or /dev/null is read; a directory, a disk or a socket is refused. 0 or -errno
 * with *error (may be NULL) filled and *text empty. */
int source_read(struct text *text, const char *path, size_t max, struct conf_error *error);
/* Whether users other than the owner and the group can reach the file, as wg-quick(8) asks it. */
bool source_is_exposed(const char *path);
