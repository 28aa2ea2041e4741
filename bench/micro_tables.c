/* SPDX-License-Identifier: MIT
 * The three look-ups: a prefix that holds an address, a peer by its key, a session by its index.
 * The plainest table of the latter two is a sorted array. */
#include "micro.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "engine/allowedips.h"
#include "engine/indextable.h"
#include "engine/peertable.h"

#define PREFIXES 1000000u
#define REPEATED 4 /* addresses, of as many busy flows */
#define PEERS 100000u

struct routes {
	struct allowedips table;
	struct allowedips_owner owner;
	uint8_t (*addresses)[16]; /* one within each prefix, in random order */
	unsigned next;
};

static void find_random4(void *arg, unsigned times)
{
	struct routes *routes = arg;

	for (; times; times--, routes->next++)
		micro_keep((uintptr_t)allowedips_lookup4(
			&routes->table, routes->addresses[routes->next % PREFIXES]));
}

static void find_repeated4(void *arg, unsigned times)
{
	struct routes *routes = arg;

	for (; times; times--)
		micro_keep((uintptr_t)allowedips_lookup4(&routes->table,
							 routes->addresses[times % REPEATED]));
}

static void find_random6(void *arg, unsigned times)
{
	struct routes *routes = arg;

	for (; times; times--, routes->next++)
		micro_keep((uintptr_t)allowedips_lookup6(
			&routes->table, routes->addresses[routes->next % PREFIXES]));
}

static void find_repeated6(void *arg, unsigned times)
{
	struct routes *routes = arg;

	for (; times; times--)
		micro_keep((uintptr_t)allowedips_lookup6(&routes->table,
							 routes->addresses[times % REPEATED]));
}

/* 20 to 32 bits, or 32 to 64. The address that goes with it is the prefix before its host bits are
 * cleared. */
static void draw_prefix(uint64_t *seed, int family, struct prefix *prefix)
{
	uint64_t number = micro_draw(seed);

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = family;
	prefix->cidr = (uint8_t)(family == AF_INET ? 20 + number % 13 : 32 + number % 33);
	micro_fill(seed, prefix->addr, family == AF_INET ? 4 : 16);
	if (family == AF_INET6)
		prefix->addr[0] = 0x20 | (prefix->addr[0] & 0x1f);
}

static void measure_routes(struct micro *micro, int family)
{
	bool four = family == AF_INET;
	struct routes routes = {.addresses = micro_alloc(PREFIXES, sizeof(*routes.addresses))};
	uint64_t seed = 3;

	while (routes.owner.count < PREFIXES) {
		struct prefix prefix;
		size_t place = routes.owner.count;

		draw_prefix(&seed, family, &prefix);
		micro_check(allowedips_insert(&routes.table, &prefix, &routes.owner) == 0,
			    "insertion of a prefix");
		memcpy(routes.addresses[place], prefix.addr, sizeof(prefix.addr));
	}
	for (size_t i = 0; i < PREFIXES; i++) {
		const uint8_t *address = routes.addresses[i];
		const struct allowedips_owner *owner =
			four ? allowedips_lookup4(&routes.table, address)
			     : allowedips_lookup6(&routes.table, address);

		micro_check(owner == &routes.owner, "look-up of an address");
	}
	micro_add(micro, "allowedips, random addresses", 1, four ? find_random4 : find_random6,
		  &routes);
	micro_add(micro, "allowedips, the same 4 addresses", 1,
		  four ? find_repeated4 : find_repeated6, &routes);
	micro_run(micro, "look-up among %u IPv%c prefixes", PREFIXES, four ? '4' : '6');
	allowedips_free(&routes.table);
	free(routes.addresses);
}

struct people {
	struct peertable table;
	struct peertable_entry *entries;
	struct key *sorted, *wanted;
	unsigned next;
};

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, KEY_LEN);
}

static void find_key_sorted(void *arg, unsigned times)
{
	struct people *people = arg;

	for (; times; times--, people->next++)
		micro_keep((uintptr_t)bsearch(&people->wanted[people->next % PEERS], people->sorted,
					      PEERS, sizeof(*people->sorted), compare_keys));
}

static void find_key(void *arg, unsigned times)
{
	struct people *people = arg;

	for (; times; times--, people->next++)
		micro_keep((uintptr_t)peertable_find(&people->table,
						     &people->wanted[people->next % PEERS]));
}

static void measure_peers(struct micro *micro)
{
	struct people people = {
		.entries = micro_alloc(PEERS, sizeof(*people.entries)),
		.sorted = micro_alloc(PEERS, sizeof(*people.sorted)),
		.wanted = micro_alloc(PEERS, sizeof(*people.wanted)),
	};
	uint8_t hash_key[16];
	uint64_t seed = 4;

	micro_fill(&seed, hash_key, sizeof(hash_key));
	micro_check(peertable_init(&people.table, hash_key) == 0, "peer table");
	for (unsigned i = 0; i < PEERS; i++) {
		micro_fill(&seed, &people.entries[i].public_key, KEY_LEN);
		people.sorted[i] = people.entries[i].public_key;
		micro_check(peertable_add(&people.table, &people.entries[i]) == 0, "a peer");
	}
	for (unsigned i = 0; i < PEERS; i++)
		people.wanted[i] = people.entries[micro_draw(&seed) % PEERS].public_key;
	qsort(people.sorted, PEERS, sizeof(*people.sorted), compare_keys);
	micro_check(peertable_find(&people.table, &people.wanted[0]), "look-up of a peer");
	micro_add(micro, "a sorted array", 1, find_key_sorted, &people);
	micro_add(micro, "peertable", 1, find_key, &people);
	micro_run(micro, "look-up among %u peers", PEERS);
	peertable_free(&people.table);
	free(people.wanted);
	free(people.sorted);
	free(people.entries);
}

struct indices {
	struct indextable table;
	struct indextable_entry *entries;
	uint32_t *sorted, *wanted;
	unsigned next;
};

static int compare_indices(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void find_index_sorted(void *arg, unsigned times)
{
	struct indices *indices = arg;

	for (; times; times--, indices->next++)
		micro_keep((uintptr_t)bsearch(&indices->wanted[indices->next % PEERS],
					      indices->sorted, PEERS, sizeof(*indices->sorted),
					      compare_indices));
}

static void find_index(void *arg, unsigned times)
{
	struct indices *indices = arg;

	for (; times; times--, indices->next++)
		micro_keep((uintptr_t)indextable_find(&indices->table,
						      indices->wanted[indices->next % PEERS]));
}

static void measure_indices(struct micro *micro)
{
	struct indices indices = {
		.entries = micro_alloc(PEERS, sizeof(*indices.entries)),
		.sorted = micro_alloc(PEERS, sizeof(*indices.sorted)),
		.wanted = micro_alloc(PEERS, sizeof(*indices.wanted)),
	};
	uint64_t seed = 5;

	micro_check(indextable_init(&indices.table) == 0, "index table");
	for (unsigned i = 0; i < PEERS; i++) {
		struct indextable_entry *entry = &indices.entries[i];

		entry->kind = 1;
		do
			entry->index = (uint32_t)micro_draw(&seed);
		while (indextable_add(&indices.table, entry) != 0);
		indices.sorted[i] = entry->index;
	}
	for (unsigned i = 0; i < PEERS; i++)
		indices.wanted[i] = indices.entries[micro_draw(&seed) % PEERS].index;
	qsort(indices.sorted, PEERS, sizeof(*indices.sorted), compare_indices);
	micro_check(indextable_find(&indices.table, indices.wanted[0]), "look-up of an index");
	micro_add(micro, "a sorted array", 1, find_index_sorted, &indices);
	micro_add(micro, "indextable", 1, find_index, &indices);
	micro_run(micro, "look-up among %u indices", PEERS);
	indextable_free(&indices.table);
	free(indices.wanted);
	free(indices.sorted);
	free(indices.entries);
}

void micro_tables(struct micro *micro)
{
	measure_routes(micro, AF_INET);
	measure_routes(micro, AF_INET6);
	measure_peers(micro);
	measure_indices(micro);
}
