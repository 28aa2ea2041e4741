/* SPDX-License-Identifier: MIT
 * Lists of prefixes, whatever their order and however often each is in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct prefix;

/* Whether one holds a prefix that the other does not. Host bits count. 0 or -ENOMEM. */
int prefixset_differ(bool *result, const struct prefix *a, size_t a_count, const struct prefix *b,
		     size_t b_count);
