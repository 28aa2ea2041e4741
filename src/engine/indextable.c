/* SPDX-License-Identifier: MIT
 * A chained hash table over embedded entries. It owns its buckets, never the entries. When it
 * cannot grow for lack of memory it works on with longer chains, so adding never fails for that. */
#include "engine/indextable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MIN 16

/* The link that leads to index's entry, or to where it would be (then it is NULL). An index is
 * random, so its low bits are as good as a hash. */
static struct indextable_entry **link_to(const struct indextable *table, uint32_t index)
{
	struct indextable_entry **link = &table->buckets[index & (table->size - 1)];

	while (*link && (*link)->index != index)
		link = &(*link)->bucket_next;
	return link;
}

static void grow(struct indextable *table)
{
	struct indextable_entry **larger, **smaller = table->buckets, *entry, *next;
	size_t size = table->size;

	larger = calloc(size * 2, sizeof(struct indextable_entry *));
	if (!larger)
		return;
	for (size_t i = 0; i < size; i++) {
		for (entry = smaller[i]; entry; entry = next) {
			struct indextable_entry **bucket = &larger[entry->index & (size * 2 - 1)];

			next = entry->bucket_next;
			entry->bucket_next = *bucket;
			*bucket = entry;
		}
	}
	free(smaller);
	table->buckets = larger;
	table->size = size * 2;
}

int indextable_init(struct indextable *table)
{
	memset(table, 0, sizeof(*table));
	table->buckets = calloc(SIZE_MIN, sizeof(struct indextable_entry *));
	if (!table->buckets)
		return -ENOMEM;
	table->size = SIZE_MIN;
	return 0;
}

int indextable_add(struct indextable *table, struct indextable_entry *entry)
{
	struct indextable_entry **link;

	if (*link_to(table, entry->index))
		return -EEXIST;
	if (table->count >= table->size)
		grow(table);
	link = &table->buckets[entry->index & (table->size - 1)];
	entry->bucket_next = *link;
	*link = entry;
	table->count++;
	return 0;
}

void indextable_replace(struct indextable *table, struct indextable_entry *old,
			struct indextable_entry *entry)
{
	struct indextable_entry **link = link_to(table, old->index);

	if (*link != old)
		return;
	entry->index = old->index;
	entry->bucket_next = old->bucket_next;
	*link = entry;
	old->bucket_next = NULL;
	old->kind = 0;
}

void indextable_remove(struct indextable *table, struct indextable_entry *entry)
{
	struct indextable_entry **link;

	if (entry->kind == 0)
		return;
	entry->kind = 0;
	link = link_to(table, entry->index);
	if (*link != entry)
		return;
	*link = entry->bucket_next;
	entry->bucket_next = NULL;
	table->count--;
}

struct indextable_entry *indextable_find(const struct indextable *table, uint32_t index)
{
	return *link_to(table, index);
}

void indextable_free(struct indextable *table)
{
	free(table->buckets);
	memset(table, 0, sizeof(*table));
}
