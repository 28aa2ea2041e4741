/* SPDX-License-Identifier: MIT
 * Results, on standard output, past stdio's buffers: these cannot be wiped. */
#pragma once

struct text;

/* Writes all, or says why not. 0 or -errno. */
int output_write(const struct text *text);
/* Warns, as wg(8) does, when standard output is a file that everybody may read. */
void output_warn_exposed(void);
