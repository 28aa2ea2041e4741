/* SPDX-License-Identifier: MIT
 * From AllowedIPs to routes. Never asks the system. */
#include "cli/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf/exclude.h"
#include "conf/model.h"
#include "conf/prefix.h"

struct list {
	struct prefix *items; /* owned */
	size_t count, size;
};

static int compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;

	if (a->cidr != b->cidr)
		return a->cidr > b->cidr ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}

/* Makes room for more. 0 or -ENOMEM. */
static int reserve(struct list *list, size_t more)
{
	struct prefix *items;

	if (list->count + more <= list->size)
		return 0;
	items = reallocarray(list->items, list->count + more, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->size = list->count + more;
	return 0;
}

/* Each once, in order; gives the list to the caller, or frees it. */
static int finish(struct list *list, int err, struct prefix **routes, size_t *count)
{
	size_t kept = 0;

	if (err) {
		free(list->items);
		*list = (struct list){0};
	}
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++)
		if (!kept || !prefix_equal(&list->items[i], &list->items[kept - 1]))
			list->items[kept++] = list->items[i];
	*routes = list->items;
	*count = kept;
	return err;
}

/* Appends one peer's list to what is there; "-" takes back what the same peer had before. */
static int append(struct list *routes, const struct model_peer *peer)
{
	const size_t first = routes->count;

	if (reserve(routes, peer->allowed_count))
		return -ENOMEM;
	for (size_t i = 0; i < peer->allowed_count; i++) {
		struct prefix prefix = peer->allowed[i].prefix;

		prefix_mask(&prefix);
		if (peer->allowed[i].op == MODEL_ALLOWED_ADD) {
			routes->items[routes->count++] = prefix;
			continue;
		}
		for (size_t j = first; j < routes->count; j++)
			if (prefix_equal(&routes->items[j], &prefix))
				routes->items[j--] = routes->items[--routes->count];
	}
	return 0;
}

static bool is_default(const struct model_allowed *allowed)
{
	return !allowed->prefix.cidr && allowed->op == MODEL_ALLOWED_ADD;
}

/* The same without what is excluded. */
static int append_rest(struct list *routes, const struct model_peer *peer, bool without_defaults)
{
	struct model_peer rest = {.allowed = NULL};
	int err = 0;

	for (size_t i = 0; i < peer->allowed_count && !err; i++)
		if (!without_defaults || !is_default(&peer->allowed[i]))
			err = model_peer_add_allowed(&rest, &peer->allowed[i].prefix,
						     peer->allowed[i].op);
	if (!err)
		err = exclude_apply(&rest);
	if (!err)
		err = append(routes, &rest);
	free(rest.allowed);
	return err;
}

int routes_collect(const struct model *model, bool without_defaults, struct prefix **routes,
		   size_t *count)
{
	struct list list = {0};
	int err = 0;

	for (size_t i = 0; i < model->peer_count && !err; i++)
		err = append_rest(&list, &model->peers[i], without_defaults);
	return finish(&list, err, routes, count);
}

static bool peer_has_default(const struct model_peer *peer, int family)
{
	bool has = false;

	for (size_t i = 0; i < peer->allowed_count; i++) {
		const struct model_allowed *allowed = &peer->allowed[i];

		if (allowed->prefix.cidr || allowed->prefix.family != family)
			continue;
		if (allowed->op == MODEL_ALLOWED_EXCLUDE)
			return false;
		has = allowed->op == MODEL_ALLOWED_ADD;
	}
	return has;
}

bool routes_has_default(const struct model *model, int family)
{
	for (size_t i = 0; i < model->peer_count; i++)
		if (peer_has_default(&model->peers[i], family))
			return true;
	return false;
}

static bool excludes(const struct model_peer *peer, const struct prefix *prefix)
{
	for (size_t i = 0; i < peer->allowed_count; i++)
		if (peer->allowed[i].op == MODEL_ALLOWED_EXCLUDE &&
		    prefix_contains(&peer->allowed[i].prefix, prefix))
			return true;
	return false;
}

static bool all_exclude(const struct model *model, const struct prefix *prefix)
{
	for (size_t i = 0; i < model->peer_count; i++)
		if (peer_has_default(&model->peers[i], prefix->family) &&
		    !excludes(&model->peers[i], prefix))
			return false;
	return true;
}

int routes_collect_exclusions(const struct model *model, int family, struct prefix **routes,
			      size_t *count)
{
	struct list list = {0};
	int err = 0;

	for (size_t i = 0; i < model->peer_count && !err; i++) {
		const struct model_peer *peer = &model->peers[i];

		if (!peer_has_default(peer, family))
			continue;
		err = reserve(&list, peer->allowed_count);
		for (size_t j = 0; j < peer->allowed_count && !err; j++) {
			struct prefix prefix = peer->allowed[j].prefix;

			if (peer->allowed[j].op != MODEL_ALLOWED_EXCLUDE ||
			    prefix.family != family || !all_exclude(model, &prefix))
				continue;
			prefix_mask(&prefix);
			list.items[list.count++] = prefix;
		}
	}
	return finish(&list, err, routes, count);
}
