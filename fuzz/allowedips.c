/* SPDX-License-Identifier: MIT
 * Cryptokey routing under any series of changes, beside a model that looks at every prefix. */
#include "engine/allowedips.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include "fuzz.h"

#define OWNERS 4
#define PREFIXES_MAX 256

struct entry {
	struct prefix prefix;
	unsigned owner;
};

/* In the order of insertion. */
static struct model {
	struct entry entries[PREFIXES_MAX];
	size_t count;
} model;

static bool covers(const struct prefix *prefix, int family, const uint8_t *addr)
{
	if (prefix->family != family)
		return false;
	for (unsigned i = 0; i < prefix->cidr; ++i)
		if ((prefix->addr[i / 8] ^ addr[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* -1: nobody's. */
static int model_lookup(int family, const uint8_t *addr)
{
	int owner = -1, longest = -1;

	for (size_t i = 0; i < model.count; ++i) {
		const struct entry *entry = &model.entries[i];
		if (!covers(&entry->prefix, family, addr) || entry->prefix.cidr <= longest)
			continue;
		longest = entry->prefix.cidr;
		owner = (int)entry->owner;
	}
	return owner;
}

static void model_remove(size_t i)
{
	--model.count;
	memmove(&model.entries[i], &model.entries[i + 1],
		(model.count - i) * sizeof(model.entries[0]));
}

/* NULL owner: whoever has it. */
static void model_drop(const struct prefix *prefix, const unsigned *owner)
{
	for (size_t i = model.count; i-- > 0;)
		if ((!prefix || prefix_equal(&model.entries[i].prefix, prefix)) &&
		    (!owner || model.entries[i].owner == *owner))
			model_remove(i);
}

static void model_insert(const struct prefix *prefix, unsigned owner)
{
	for (size_t i = 0; i < model.count; ++i)
		if (prefix_equal(&model.entries[i].prefix, prefix) &&
		    model.entries[i].owner == owner)
			return;
	model_drop(prefix, NULL);
	model.entries[model.count++] = (struct entry){.prefix = *prefix, .owner = owner};
}

/* Few bits differ, so that prefixes meet: two bytes of the input, at two places. */
static int read_addr(struct input *input, uint8_t addr[16])
{
	uint8_t head = input_byte(input), shape = input_byte(input);

	memset(addr, shape & 1 ? 0xff : 0, 16);
	if (shape & 2) {
		addr[0] = head;
		addr[shape & 4 ? 3 : 1] = input_byte(input);
		memset(addr + 4, 0, 12);
		return AF_INET;
	}
	addr[shape & 4 ? 0 : 7] = head;
	addr[shape & 8 ? 8 : 15] = input_byte(input);
	return AF_INET6;
}

static void check_lookup(const struct allowedips *table, const struct allowedips_owner *owners,
			 int family, const uint8_t *addr)
{
	/* In memory of the very size. */
	uint8_t *place = exact(addr, family == AF_INET ? 4 : 16);
	const struct allowedips_owner *found = family == AF_INET ? allowedips_lookup4(table, place)
								 : allowedips_lookup6(table, place);
	int owner = model_lookup(family, addr);

	CHECK(found == (owner < 0 ? NULL : &owners[owner]));
	free(place);
}

/* Every owner's list is the model's, in order. */
static void check_lists(const struct allowedips *table, const struct allowedips_owner *owners)
{
	for (unsigned owner = 0; owner < OWNERS; ++owner) {
		const struct allowedips_node *node = NULL;
		struct prefix prefix;
		size_t count = 0;

		for (size_t i = 0; i < model.count; ++i) {
			if (model.entries[i].owner != owner)
				continue;
			node = allowedips_next(&owners[owner], node, &prefix);
			CHECK(node && prefix_equal(&prefix, &model.entries[i].prefix));
			++count;
		}
		CHECK(!count || !allowedips_next(&owners[owner], node, &prefix));
		CHECK(owners[owner].count == count);
	}
	for (size_t i = 0; i < model.count; ++i)
		check_lookup(table, owners, model.entries[i].prefix.family,
			     model.entries[i].prefix.addr);
}

static void change(struct allowedips *table, struct allowedips_owner *owners, struct input *input)
{
	uint8_t op = input_byte(input);
	unsigned owner = op % OWNERS;
	struct prefix prefix;

	if (op >= 0xf0) {
		allowedips_remove_owner(table, &owners[owner]);
		model_drop(NULL, &owner);
		return;
	}
	prefix.family = read_addr(input, prefix.addr);
	if (op >= 0xc0) {
		check_lookup(table, owners, prefix.family, prefix.addr);
		return;
	}
	prefix.cidr = input_byte(input);
	bool too_long = prefix.cidr > prefix_max(prefix.family);
	struct prefix masked = prefix;
	if (op >= 0x80) {
		allowedips_remove(table, &prefix, &owners[owner]);
		prefix_mask(&masked);
		model_drop(&masked, &owner);
		return;
	}
	if (model.count == PREFIXES_MAX)
		return;
	CHECK(allowedips_insert(table, &prefix, &owners[owner]) == (too_long ? -EINVAL : 0));
	if (too_long)
		return;
	prefix_mask(&masked);
	model_insert(&masked, owner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct allowedips_owner owners[OWNERS] = {0};
	struct allowedips table = ALLOWEDIPS_EMPTY;

	model.count = 0;
	while (input.left)
		change(&table, owners, &input);
	check_lists(&table, owners);
	for (unsigned owner = 0; owner < OWNERS; ++owner)
		allowedips_remove_owner(&table, &owners[owner]);
	CHECK(!table.root4 && !table.root6);
	allowedips_free(&table);
	return 0;
}
