/* SPDX-License-Identifier: MIT
 * A list of interface names: an array, NULL and 0 at first, which its owner free()s. */
#pragma once

#include <net/if.h>
#include <stddef.h>

/* Adds a name of at most IFNAMSIZ - 1 bytes at the end, unless it is there. 0 or -ENOMEM. */
int names_add(char (**names)[IFNAMSIZ], size_t *count, const char *name);
