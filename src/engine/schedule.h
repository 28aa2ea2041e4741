/* SPDX-License-Identifier: MIT
 * Who is to be looked at next, and when: a binary heap of entries that their owners embed. An entry
 * that is not in it costs nothing. Control thread only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct schedule_entry {
	uint64_t when;
	size_t place; /* in the heap, from 1; 0: not in it */
};

struct schedule {
	struct schedule_entry **heap; /* from 1 */
	size_t count, size;
};

/* Makes room for so many entries in all, so that schedule_set() cannot fail. 0 or -ENOMEM. */
int schedule_reserve(struct schedule *schedule, size_t entries);
/* Borrows entry; moves it if it is there already. */
void schedule_set(struct schedule *schedule, struct schedule_entry *entry, uint64_t when);
void schedule_remove(struct schedule *schedule,
		     struct schedule_entry *entry); /* nothing if not there */
/* The earliest, or NULL. */
struct schedule_entry *schedule_first(const struct schedule *schedule);
void schedule_free(struct schedule *schedule);
