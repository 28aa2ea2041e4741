/* SPDX-License-Identifier: MIT
 * The difference of two configurations. Peers are found by their sorted keys, as there may be very
 * many. */
#include "cli/sync.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "conf/model.h"
#include "conf/prefixset.h"

static bool has_twins(const struct model_index *index)
{
	for (size_t i = 1; i < index->count; i++)
		if (key_equal(&index->peers[i - 1]->public_key, &index->peers[i]->public_key))
			return true;
	return false;
}

/* Appends the peer's prefixes without their host bits; false: some are to be added or removed
 * instead of being all that there is. */
static bool collect(struct prefix *prefixes, size_t *count, const struct model_peer *peer)
{
	for (size_t i = 0; i < peer->allowed_count; i++) {
		prefixes[*count] = peer->allowed[i].prefix;
		prefix_mask(&prefixes[(*count)++]);
	}
	return peer->replace_allowed || !peer->allowed_count;
}

static size_t count_prefixes(const struct model *model)
{
	size_t count = 0;

	for (size_t i = 0; i < model->peer_count; i++)
		count += model->peers[i].allowed_count;
	return count;
}

/* 1: every prefix is named once, so that no peer takes one from another and each may be looked at
 * alone. 0: no. -ENOMEM. */
static int is_plain(const struct model *model)
{
	struct prefix *all = calloc(count_prefixes(model) + 1, sizeof(*all));
	size_t count = 0;
	int plain = 1;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < model->peer_count && plain; i++)
		plain = collect(all, &count, &model->peers[i]);
	qsort(all, count, sizeof(*all), prefix_compare);
	for (size_t i = 1; i < count && plain; i++)
		plain = !prefix_equal(&all[i - 1], &all[i]);
	free(all);
	return plain;
}

/* 1, 0 or -ENOMEM. */
static int has_same_prefixes(const struct model_peer *a, const struct model_peer *b)
{
	struct prefix *all = calloc(a->allowed_count + b->allowed_count + 1, sizeof(*all));
	size_t a_count = 0, b_count = 0;
	bool differ = false;
	int err;

	if (!all)
		return -ENOMEM;
	collect(all, &a_count, a);
	collect(all + a_count, &b_count, b);
	err = prefixset_differ(&differ, all, a_count, all + a_count, b_count);
	free(all);
	return err ? err : !differ;
}

/* A peer that stays. */
static int reduce_peer(struct model_peer *wanted, const struct model_peer *now, bool plain)
{
	int same;

	if (!wanted->has_preshared_key)
		wanted->has_preshared_key = !key_is_zero(&now->preshared_key);
	if (!wanted->has_keepalive)
		wanted->has_keepalive = now->keepalive != 0;
	if (!plain)
		return 0;
	if (key_equal(&wanted->preshared_key, &now->preshared_key))
		wanted->has_preshared_key = false;
	if (wanted->keepalive == now->keepalive)
		wanted->has_keepalive = false;
	if (endpoint_equal(&wanted->endpoint, &now->endpoint))
		memset(&wanted->endpoint, 0, sizeof(wanted->endpoint));
	same = has_same_prefixes(wanted, now);
	if (same > 0) {
		wanted->replace_allowed = false;
		wanted->allowed_count = 0;
	}
	return same < 0 ? same : 0;
}

static int reduce_peers(struct model *wanted, const struct model_index *present, bool plain)
{
	int err = 0;

	for (size_t i = 0; i < wanted->peer_count && !err; i++) {
		const struct model_peer *now =
			model_index_find(present, &wanted->peers[i].public_key);

		if (now)
			err = reduce_peer(&wanted->peers[i], now, plain);
	}
	return err;
}

static void reduce_device(struct model *wanted, const struct model *now)
{
	if (wanted->has_private_key && key_equal(&wanted->private_key, &now->private_key))
		wanted->has_private_key = false;
	if (wanted->has_listen_port && wanted->listen_port == now->listen_port)
		wanted->has_listen_port = false;
	if (wanted->has_fwmark && wanted->fwmark == now->fwmark)
		wanted->has_fwmark = false;
}

/* Whatever is in present and not in named. */
static int remove_others(struct model *wanted, const struct model_index *named,
			 const struct model *now)
{
	bool *goes = calloc(now->peer_count + 1, sizeof(*goes));

	if (!goes)
		return -ENOMEM;
	/* All are looked up first: adding peers moves those that the index points to. */
	for (size_t i = 0; i < now->peer_count; i++)
		goes[i] = !model_index_find(named, &now->peers[i].public_key);
	for (size_t i = 0; i < now->peer_count; i++) {
		struct model_peer *peer = goes[i] ? model_add_peer(wanted) : NULL;

		if (goes[i] && !peer) {
			free(goes);
			return -ENOMEM;
		}
		if (peer) {
			peer->public_key = now->peers[i].public_key;
			peer->remove = true;
		}
	}
	free(goes);
	return 0;
}

int sync_reduce(struct model *wanted, const struct model *now)
{
	struct model_index named = {0}, present = {0};
	int err = model_index_build(&named, wanted), plain = 0;

	if (!err)
		err = model_index_build(&present, now);
	if (!err)
		plain = is_plain(wanted);
	if (plain < 0)
		err = plain;
	reduce_device(wanted, now);
	if (!err)
		err = reduce_peers(wanted, &present, plain && !has_twins(&named));
	if (!err)
		err = remove_others(wanted, &named, now);
	free(named.peers);
	free(present.peers);
	return err;
}
