/* SPDX-License-Identifier: MIT
 * From AllowedIPs to routes. Never asks the system. */
#include "cli/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf/model.h"
#include "conf/prefix.h"

static int compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;

	if (a->cidr != b->cidr)
		return a->cidr > b->cidr ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* Appends one peer's list to what is there; "-" takes back what the same peer had before.
 * Returns the new count. */
static size_t append_peer(struct prefix *routes, size_t count, const struct model_peer *peer)
{
	const size_t first = count;

	for (size_t i = 0; i < peer->allowed_count; i++) {
		struct prefix prefix = peer->allowed[i].prefix;

		prefix_mask(&prefix);
		if (peer->allowed[i].op == MODEL_ALLOWED_ADD) {
			routes[count++] = prefix;
			continue;
		}
		for (size_t j = first; j < count; j++)
			if (prefix_equal(&routes[j], &prefix))
				routes[j--] = routes[--count];
	}
	return count;
}

int routes_collect(const struct model *model, struct prefix **routes, size_t *count)
{
	size_t total = 0, found = 0, kept = 0;

	*count = 0;
	for (size_t i = 0; i < model->peer_count; i++)
		total += model->peers[i].allowed_count;
	*routes = calloc(total ? total : 1, sizeof(**routes));
	if (!*routes)
		return -ENOMEM;
	for (size_t i = 0; i < model->peer_count; i++)
		found = append_peer(*routes, found, &model->peers[i]);
	qsort(*routes, found, sizeof(**routes), compare);
	for (size_t i = 0; i < found; i++)
		if (!kept || !prefix_equal(&(*routes)[i], &(*routes)[kept - 1]))
			(*routes)[kept++] = (*routes)[i];
	*count = kept;
	return 0;
}

const struct model_peer *routes_find_default(const struct model *model, struct prefix *prefix)
{
	for (size_t i = 0; i < model->peer_count; i++) {
		const struct model_peer *peer = &model->peers[i];

		for (size_t j = 0; j < peer->allowed_count; j++) {
			const struct model_allowed *allowed = &peer->allowed[j];

			if (allowed->prefix.cidr || allowed->op != MODEL_ALLOWED_ADD)
				continue;
			*prefix = allowed->prefix;
			prefix_mask(prefix);
			return peer;
		}
	}
	return NULL;
}
