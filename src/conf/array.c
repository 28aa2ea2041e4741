/* SPDX-License-Identifier: MIT
 * Arrays that grow. */
#include "conf/array.h"

#include <stdlib.h>

#define FIRST 2 /* items: most lists of a peer are short, and peers may be many */

void *array_room(void *items, size_t count, size_t *size, size_t len)
{
	const size_t more = *size ? *size * 2 : FIRST;

	if (count < *size)
		return items;
	items = reallocarray(items, more, len);
	if (items)
		*size = more;
	return items;
}
