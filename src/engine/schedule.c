/* SPDX-License-Identifier: MIT
 * A binary min-heap whose entries know their places, so that any of them can be moved or
 * removed. */
#include "engine/schedule.h"

#include <errno.h>
#include <stdlib.h>

int schedule_reserve(struct schedule *schedule, size_t entries)
{
	if (entries < schedule->size)
		return 0;
	size_t size = schedule->size ? schedule->size : 16;
	while (size <= entries)
		size *= 2;
	struct schedule_entry **heap =
		reallocarray(schedule->heap, size, sizeof(struct schedule_entry *));
	if (!heap)
		return -ENOMEM;
	schedule->heap = heap;
	schedule->size = size;
	return 0;
}

static void put(struct schedule *schedule, struct schedule_entry *entry, size_t place)
{
	schedule->heap[place] = entry;
	entry->place = place;
}

/* Moves entry from its place, which may be taken, to where it belongs. */
static void settle(struct schedule *schedule, struct schedule_entry *entry, size_t place)
{
	while (place > 1 && schedule->heap[place / 2]->when > entry->when) {
		put(schedule, schedule->heap[place / 2], place);
		place /= 2;
	}
	for (size_t child = 2 * place; child <= schedule->count; child = 2 * place) {
		if (child < schedule->count &&
		    schedule->heap[child + 1]->when < schedule->heap[child]->when)
			++child;
		if (schedule->heap[child]->when >= entry->when)
			break;
		put(schedule, schedule->heap[child], place);
		place = child;
	}
	put(schedule, entry, place);
}

void schedule_set(struct schedule *schedule, struct schedule_entry *entry, uint64_t when)
{
	entry->when = when;
	settle(schedule, entry, entry->place ? entry->place : ++schedule->count);
}

void schedule_remove(struct schedule *schedule, struct schedule_entry *entry)
{
	if (!entry->place)
		return;
	struct schedule_entry *last = schedule->heap[schedule->count--];
	if (last != entry)
		settle(schedule, last, entry->place);
	entry->place = 0;
}

struct schedule_entry *schedule_first(const struct schedule *schedule)
{
	return schedule->count ? schedule->heap[1] : NULL;
}

void schedule_free(struct schedule *schedule)
{
	free(schedule->heap);
	*schedule = (struct schedule){0};
}
