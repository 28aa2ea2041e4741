/* SPDX-License-Identifier: MIT
 * A list of interface names, each of them once. */
#include "cli/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int names_add(char (**names)[IFNAMSIZ], size_t *count, const char *name)
{
	char(*more)[IFNAMSIZ];

	for (size_t i = 0; i < *count; i++)
		if (!strcmp((*names)[i], name))
			return 0;
	more = reallocarray(*names, *count + 1, sizeof(**names));
	if (!more)
		return -ENOMEM;
	*names = more;
	strcpy(more[(*count)++], name);
	return 0;
}
