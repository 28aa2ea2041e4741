/* SPDX-License-Identifier: MIT
 * Splits a prefix into halves until each is free of exclusions, or all excluded. */
#include "conf/exclude.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "conf/model.h"

/* What is excluded: masked, sorted by address, none within another. */
struct exclusions {
	struct prefix *items; /* owned */
	size_t count;
};

static int compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	return order ? order : (int)a->cidr - b->cidr;
}

static int collect(struct exclusions *out, const struct model_peer *peer)
{
	size_t kept = 0;

	*out = (struct exclusions){.items = calloc(peer->allowed_count, sizeof(*out->items))};
	if (!out->items)
		return -ENOMEM;
	for (size_t i = 0; i < peer->allowed_count; i++) {
		if (peer->allowed[i].op != MODEL_ALLOWED_EXCLUDE)
			continue;
		out->items[out->count] = peer->allowed[i].prefix;
		prefix_mask(&out->items[out->count++]);
	}
	qsort(out->items, out->count, sizeof(*out->items), compare);
	for (size_t i = 0; i < out->count; i++)
		if (!kept || !prefix_contains(&out->items[kept - 1], &out->items[i]))
			out->items[kept++] = out->items[i];
	out->count = kept;
	return 0;
}

/* The first exclusion that is not before the prefix. */
static size_t find(const struct exclusions *excluded, const struct prefix *prefix)
{
	size_t low = 0, high = excluded->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&excluded->items[middle], prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* From a part of the masked prefix whole to the next one behind it: the upper half of the smallest
 * part that this is in the lower half of. false: there is none. */
static bool advance(struct prefix *part, const struct prefix *whole)
{
	while (part->cidr > whole->cidr) {
		const unsigned bit = part->cidr - 1u;
		const uint8_t mask = (uint8_t)(0x80u >> bit % 8);

		part->addr[bit / 8] ^= mask;
		if (part->addr[bit / 8] & mask)
			return true;
		part->cidr--;
	}
	return false;
}

static int add(struct model_peer *out, const struct prefix *prefix)
{
	if (out->allowed_count == EXCLUDE_MAX)
		return -E2BIG;
	return model_peer_add_allowed(out, prefix, MODEL_ALLOWED_ADD);
}

/* Appends what is left of a masked prefix. What a part of it is within stands before that in the
 * order of exclusions, what is within the part behind. */
static int add_rest(struct model_peer *out, const struct exclusions *excluded,
		    const struct prefix *whole)
{
	const struct prefix *items = excluded->items;
	struct prefix part = *whole;
	bool more = true;
	int err = 0;

	while (more && !err) {
		const size_t at = find(excluded, &part);

		if ((at > 0 && prefix_contains(&items[at - 1], &part)) ||
		    (at < excluded->count && prefix_contains(&items[at], &part))) {
			more = advance(&part, whole);
		} else if (at < excluded->count && prefix_contains(&part, &items[at])) {
			part.cidr++; /* the lower half */
		} else {
			err = add(out, &part);
			more = advance(&part, whole);
		}
	}
	return err;
}

/* Appends what is left of an element; what nothing is taken from stays as it was written. */
static int add_element(struct model_peer *out, const struct exclusions *excluded,
		       const struct model_allowed *element)
{
	const size_t before = out->allowed_count;
	struct prefix prefix = element->prefix;
	int err;

	if (element->op == MODEL_ALLOWED_EXCLUDE)
		return 0;
	if (element->op == MODEL_ALLOWED_REMOVE)
		return model_peer_add_allowed(out, &prefix, element->op);
	prefix_mask(&prefix);
	err = add_rest(out, excluded, &prefix);
	if (!err && out->allowed_count == before + 1 &&
	    out->allowed[before].prefix.cidr == element->prefix.cidr)
		out->allowed[before].prefix = element->prefix;
	return err;
}

bool exclude_is_used(const struct model_peer *peer)
{
	for (size_t i = 0; i < peer->allowed_count; i++)
		if (peer->allowed[i].op == MODEL_ALLOWED_EXCLUDE)
			return true;
	return false;
}

int exclude_apply(struct model_peer *peer)
{
	struct model_peer out = {.allowed = NULL};
	struct exclusions excluded;
	int err;

	if (!exclude_is_used(peer))
		return 0;
	err = collect(&excluded, peer);
	for (size_t i = 0; i < peer->allowed_count && !err; i++)
		err = add_element(&out, &excluded, &peer->allowed[i]);
	free(excluded.items);
	if (err) {
		free(out.allowed);
		return err;
	}
	free(peer->allowed);
	peer->allowed = out.allowed;
	peer->allowed_count = out.allowed_count;
	peer->allowed_size = out.allowed_size;
	return 0;
}

int exclude_apply_all(struct model *model)
{
	int err = 0;

	for (size_t i = 0; i < model->peer_count && !err; i++)
		err = exclude_apply(&model->peers[i]);
	return err;
}

const char *exclude_problem(int err)
{
	return err == -E2BIG ? "AllowedIPs come to too many prefixes: exclude less"
			     : "out of memory";
}
