/* SPDX-License-Identifier: MIT
 * Peers by public key, hashed by SipHash under a random key, since public keys come from outside;
 * and in the order of their coming. The entries are embedded in the peers. It grows as needed, and
 * works on, slower, where memory for that is short. Not thread-safe: the device's table lock guards
 * them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "conf/key.h"

struct peertable_entry {
	struct key public_key;
	struct peertable_entry *bucket_next;
	struct peertable_entry *prev, *next; /* in the order of insertion */
};

struct peertable {
	uint8_t hash_key[16];
	struct peertable_entry **buckets;
	size_t size; /* a power of two */
	size_t count;
	struct peertable_entry *first, *last; /* all, in the order of insertion */
};

/* hash_key: random bytes. 0 or -ENOMEM. */
int peertable_init(struct peertable *table, const uint8_t hash_key[16]);
/* Borrows entry, whose public_key is set. 0 or -EEXIST (that key is in the table). */
int peertable_add(struct peertable *table, struct peertable_entry *entry);
/* Nothing when it is not in the table. */
void peertable_remove(struct peertable *table, struct peertable_entry *entry);
/* NULL: no such peer. */
struct peertable_entry *peertable_find(const struct peertable *table, const struct key *public_key);
void peertable_free(struct peertable *table); /* the entries are their owners' */
