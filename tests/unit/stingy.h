/* SPDX-License-Identifier: MIT
 * For tests that compile a unit into themselves: a calloc() that can run out of memory. It stands
 * in for the unit's own from here to an #undef calloc. */
#pragma once

#include <stdlib.h>

static int calloc_left = -1; /* calls that still succeed; -1: all */

static inline void *stingy_calloc(size_t count, size_t size)
{
	if (calloc_left == 0)
		return NULL;
	if (calloc_left > 0)
		--calloc_left;
	return calloc(count, size);
}

#define calloc stingy_calloc
