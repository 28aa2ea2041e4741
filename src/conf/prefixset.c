/* SPDX-License-Identifier: MIT
 * Sorts copies, as lists may be long. */
#include "conf/prefixset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf/prefix.h"

/* Sorted, each once; owned by the caller. */
static struct prefix *settle(const struct prefix *prefixes, size_t *count)
{
	struct prefix *settled = calloc(*count + 1, sizeof(*settled));
	size_t kept = 0;

	if (!settled || !*count)
		return settled;
	memcpy(settled, prefixes, *count * sizeof(*settled));
	qsort(settled, *count, sizeof(*settled), prefix_compare);
	for (size_t i = 0; i < *count; i++)
		if (!kept || !prefix_equal(&settled[kept - 1], &settled[i]))
			settled[kept++] = settled[i];
	*count = kept;
	return settled;
}

int prefixset_differ(bool *result, const struct prefix *a, size_t a_count, const struct prefix *b,
		     size_t b_count)
{
	struct prefix *first = settle(a, &a_count), *second = settle(b, &b_count);
	int rc = first && second ? 0 : -ENOMEM;

	*result = rc == 0 && a_count != b_count;
	for (size_t i = 0; i < a_count && rc == 0 && !*result; i++)
		*result = !prefix_equal(&first[i], &second[i]);
	free(first);
	free(second);
	return rc;
}
