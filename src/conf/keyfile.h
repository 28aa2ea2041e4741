/* SPDX-License-Identifier: MIT
 * Files with one key in base64, as `wg set' takes them. */
#pragma once

struct conf_error;
struct key;

/* Reads a key in base64, white space behind it allowed. An empty file or /dev/null is the zero key:
 * none; but an empty pipe, which is what a command that failed leaves, is an error. 0 or -errno
 * with *error filled; the caller wipes the key. */
int keyfile_read(struct key *key, const char *path, struct conf_error *error);
