/* SPDX-License-Identifier: MIT
 * Handshakes and keypairs by our own random 32-bit index. The entries are embedded in them. It
 * grows as needed, and works on, slower, where memory for that is short. Not thread-safe: the
 * device's table lock guards it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct indextable_entry {
	uint32_t index;
	uint8_t kind; /* the owner's own word for what embeds this entry; 0: not in the table */
	struct indextable_entry *bucket_next;
};

struct indextable {
	struct indextable_entry **buckets;
	size_t size; /* a power of two */
	size_t count;
};

/* 0 or -ENOMEM. */
int indextable_init(struct indextable *table);
/* Borrows entry, whose index (random) and kind (not 0) are set. 0 or -EEXIST (index taken: draw
 * another; kind stays). */
int indextable_add(struct indextable *table, struct indextable_entry *entry);
/* Puts entry, whose kind is set, in the place of old, which is in the table, under the same index.
 * old->kind becomes 0. Nothing when old is not in the table. */
void indextable_replace(struct indextable *table, struct indextable_entry *old,
			struct indextable_entry *entry);
/* Nothing when entry->kind is 0; afterwards it is. */
void indextable_remove(struct indextable *table, struct indextable_entry *entry);
/* NULL: nobody has it. */
struct indextable_entry *indextable_find(const struct indextable *table, uint32_t index);
void indextable_free(struct indextable *table); /* the entries are their owners' */
