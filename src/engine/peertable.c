/* SPDX-License-Identifier: MIT
 * A chained hash table over embedded entries. It owns its buckets, never the entries. When it
 * cannot grow for lack of memory it works on with longer chains, so adding never fails for that. */
#include "engine/peertable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#define SIZE_MIN 16

_Static_assert(crypto_shorthash_siphash24_KEYBYTES == 16, "hash_key is a SipHash key");

static struct peertable_entry **bucket_of(const struct peertable *table, const struct key *key)
{
	uint8_t digest[crypto_shorthash_siphash24_BYTES];
	uint64_t hash;

	crypto_shorthash_siphash24(digest, key->bytes, sizeof(key->bytes), table->hash_key);
	memcpy(&hash, digest, sizeof(hash));
	return &table->buckets[hash & (table->size - 1)];
}

static void put(struct peertable *table, struct peertable_entry *entry)
{
	struct peertable_entry **bucket = bucket_of(table, &entry->public_key);

	entry->bucket_next = *bucket;
	*bucket = entry;
}

static void grow(struct peertable *table)
{
	struct peertable_entry **larger = calloc(table->size * 2, sizeof(struct peertable_entry *));

	if (!larger)
		return;
	free(table->buckets);
	table->buckets = larger;
	table->size *= 2;
	for (struct peertable_entry *entry = table->first; entry; entry = entry->next)
		put(table, entry);
}

int peertable_init(struct peertable *table, const uint8_t hash_key[16])
{
	memset(table, 0, sizeof(*table));
	table->buckets = calloc(SIZE_MIN, sizeof(struct peertable_entry *));
	if (!table->buckets)
		return -ENOMEM;
	table->size = SIZE_MIN;
	memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
	return 0;
}

int peertable_add(struct peertable *table, struct peertable_entry *entry)
{
	if (peertable_find(table, &entry->public_key))
		return -EEXIST;
	if (table->count >= table->size)
		grow(table);
	put(table, entry);
	entry->prev = table->last;
	entry->next = NULL;
	*(table->last ? &table->last->next : &table->first) = entry;
	table->last = entry;
	table->count++;
	return 0;
}

void peertable_remove(struct peertable *table, struct peertable_entry *entry)
{
	struct peertable_entry **link = bucket_of(table, &entry->public_key);

	while (*link && *link != entry)
		link = &(*link)->bucket_next;
	if (!*link)
		return;
	*link = entry->bucket_next;
	*(entry->prev ? &entry->prev->next : &table->first) = entry->next;
	*(entry->next ? &entry->next->prev : &table->last) = entry->prev;
	entry->bucket_next = entry->prev = entry->next = NULL;
	table->count--;
}

struct peertable_entry *peertable_find(const struct peertable *table, const struct key *public_key)
{
	struct peertable_entry *entry = *bucket_of(table, public_key);

	while (entry && memcmp(&entry->public_key, public_key, sizeof(*public_key)) != 0)
		entry = entry->bucket_next;
	return entry;
}

void peertable_free(struct peertable *table)
{
	free(table->buckets);
	sodium_memzero(table, sizeof(*table));
}
