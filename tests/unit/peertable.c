/* SPDX-License-Identifier: MIT
 * The table against an array that is searched from end to end. The unit is compiled into this
 * test, so that memory can be made to run out. */
#include "stingy.h"

#include "engine/peertable.c"
#undef calloc

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>
#include "draw.h"

#define ENTRIES 700u

struct peers {
	struct peertable table;
	struct peertable_entry entries[ENTRIES];
	bool present[ENTRIES];
	struct peertable_entry *order[ENTRIES]; /* those present */
	size_t count;
};

/* The keys are as alike as an attacker could make them. */
static void number_key(struct key *key, unsigned number)
{
	memset(key, 0, sizeof(*key));
	key->bytes[number % 4 * 8] = (uint8_t)(1 + number / 256);
	key->bytes[31] = (uint8_t)number;
}

static void check_peers(struct peers *peers)
{
	struct peertable_entry *prev = NULL, *entry = peers->table.first;

	for (size_t i = 0; i < peers->count; i++) {
		assert_ptr_equal(entry, peers->order[i]);
		assert_ptr_equal(entry->prev, prev);
		prev = entry;
		entry = entry->next;
	}
	assert_null(entry);
	assert_ptr_equal(peers->table.last, prev);
	assert_int_equal(peers->table.count, peers->count);
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct key key;

		number_key(&key, i);
		assert_ptr_equal(peertable_find(&peers->table, &key),
				 peers->present[i] ? &peers->entries[i] : NULL);
	}
}

static void add_peer(struct peers *peers, unsigned i)
{
	struct peertable_entry twin = {.public_key = peers->entries[i].public_key};

	assert_int_equal(peertable_add(&peers->table, &peers->entries[i]), 0);
	peers->order[peers->count++] = &peers->entries[i];
	peers->present[i] = true;
	assert_int_equal(peertable_add(&peers->table, &twin), -EEXIST);
	peertable_remove(&peers->table, &twin);
}

static void remove_peer(struct peers *peers, unsigned i)
{
	size_t at = 0;

	peertable_remove(&peers->table, &peers->entries[i]);
	while (peers->order[at] != &peers->entries[i])
		at++;
	peers->count--;
	for (; at < peers->count; at++)
		peers->order[at] = peers->order[at + 1];
	peers->present[i] = false;
}

static void random_peers(struct peers *peers, unsigned rounds)
{
	for (unsigned round = 0; round < rounds; round++) {
		unsigned i = (unsigned)draw(ENTRIES);

		if (!peers->present[i])
			add_peer(peers, i);
		else if (draw(4) != 0)
			remove_peer(peers, i);
		if (round % 100 == 0)
			check_peers(peers);
	}
	check_peers(peers);
}

static struct peers *new_peers(uint64_t fixed_seed)
{
	struct peers *peers = calloc(1, sizeof(*peers));
	uint8_t hash_key[16];

	assert_non_null(peers);
	seed = fixed_seed;
	for (unsigned i = 0; i < sizeof(hash_key); i++)
		hash_key[i] = (uint8_t)draw(256);
	assert_int_equal(peertable_init(&peers->table, hash_key), 0);
	for (unsigned i = 0; i < ENTRIES; i++)
		number_key(&peers->entries[i].public_key, i);
	return peers;
}

static void free_peers(struct peers *peers)
{
	peertable_free(&peers->table);
	assert_null(peers->table.buckets);
	free(peers);
}

static void test_peers(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct peers *peers = new_peers(i);

		check_peers(peers);
		random_peers(peers, 5000);
		assert_true(peers->table.size >= peers->count);
		assert_int_equal(peers->table.size & (peers->table.size - 1), 0);
		free_peers(peers);
	}
}

static void test_peers_without_memory(void **state)
{
	struct peers *peers = new_peers(77);
	struct peertable none;
	size_t size = peers->table.size;

	(void)state;
	calloc_left = 0;
	assert_int_equal(peertable_init(&none, peers->table.hash_key), -ENOMEM);
	random_peers(peers, 3000);
	assert_int_equal(peers->table.size, size);
	calloc_left = -1;
	random_peers(peers, 3000);
	assert_true(peers->table.size > size);
	free_peers(peers);
}

/* Under another hash key the same public keys fall into other buckets. */
static void test_hash_key(void **state)
{
	struct peers *a = new_peers(1), *b = new_peers(2);
	unsigned differing = 0;

	(void)state;
	for (unsigned i = 0; i < ENTRIES; i++) {
		add_peer(a, i);
		add_peer(b, i);
	}
	for (unsigned i = 0; i < ENTRIES; i++) {
		size_t in_a = (size_t)(bucket_of(&a->table, &a->entries[i].public_key) -
				       a->table.buckets);
		size_t in_b = (size_t)(bucket_of(&b->table, &b->entries[i].public_key) -
				       b->table.buckets);

		differing += in_a != in_b;
	}
	assert_true(differing > ENTRIES * 9 / 10);
	free_peers(a);
	free_peers(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peers),
		cmocka_unit_test(test_peers_without_memory),
		cmocka_unit_test(test_hash_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
