/* SPDX-License-Identifier: MIT
 * /etc/resolv.conf itself, for machines without anything that looks after it. What it was before
 * stays in it, in comments (dnstext.h), so that nothing else has to survive. */
#pragma once

#include <stdbool.h>

struct conf_error;

/* Puts a tunnel's lines there, in the place of those it has. What tunnels of another boot have left
 * there goes. 0 or -errno with *why filled, and then the file is as before. */
int dnsfile_put(const char *name, const char *lines, struct conf_error *why);
/* Takes the tunnel's lines away: with the last one the file, or the link, is what it was before.
 * What others have written there meanwhile stays; lines (NULL: not known) are those that were put.
 * *found: there were some. The same otherwise. */
int dnsfile_drop(const char *name, const char *lines, bool *found, struct conf_error *why);
