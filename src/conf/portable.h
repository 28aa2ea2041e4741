/* SPDX-License-Identifier: MIT
 * What in a configuration file wgctl alone reads, or reads otherwise than wg-quick(8). Pure. */
#pragma once

#include <stdbool.h>

struct findings;
struct outline;

/* Adds what it finds. has_mark: a byte order mark is in front of the text. */
void portable_check(struct findings *findings, const struct outline *outline, bool has_mark);
