/* SPDX-License-Identifier: MIT
 * The model of a device: its growth, its end and an index. Peers hold keys, so that no copy is
 * left behind where their array moves. */
#include "conf/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include "conf/array.h"

#define PEERS_FIRST 8

struct model_peer *model_add_peer(struct model *model)
{
	struct model_peer *peer;

	if (model->peer_count == model->peer_size) {
		size_t size = model->peer_size ? model->peer_size * 2 : PEERS_FIRST;
		struct model_peer *peers = calloc(size, sizeof(*peers));

		if (!peers)
			return NULL;
		if (model->peers) {
			memcpy(peers, model->peers, model->peer_count * sizeof(*peers));
			sodium_memzero(model->peers, model->peer_count * sizeof(*peers));
			free(model->peers);
		}
		model->peers = peers;
		model->peer_size = size;
	}
	peer = &model->peers[model->peer_count++];
	memset(peer, 0, sizeof(*peer));
	return peer;
}

struct model_peer *model_last_peer(const struct model *model)
{
	return &model->peers[model->peer_count - 1];
}

int model_peer_add_allowed(struct model_peer *peer, const struct prefix *prefix,
			   enum model_allowed_op op)
{
	struct model_allowed *allowed = array_room(peer->allowed, peer->allowed_count,
						   &peer->allowed_size, sizeof(*allowed));

	if (!allowed)
		return -ENOMEM;
	peer->allowed = allowed;
	peer->allowed[peer->allowed_count++] = (struct model_allowed){
		.prefix = *prefix,
		.op = op,
	};
	return 0;
}

int model_peer_set_name(struct model_peer *peer, const char *name)
{
	free(peer->name);
	peer->name = strdup(name);
	return peer->name ? 0 : -ENOMEM;
}

int model_peer_set_host(struct model_peer *peer, const char *host, const char *port)
{
	free(peer->host);
	free(peer->port);
	peer->host = strdup(host);
	peer->port = strdup(port);
	return peer->host && peer->port ? 0 : -ENOMEM;
}

int model_drops_set(struct model_drops *drops, const char *reason, size_t len, uint64_t packets)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	char name[MODEL_DROP_MAX] = "";
	struct model_drop *items;
	size_t i = 0;

	if (!len || len >= sizeof(name))
		return 0;
	memcpy(name, reason, len);
	if (name[strspn(name, letters)] || strlen(name) < len)
		return 0;
	while (i < drops->count && strcmp(drops->items[i].reason, name) != 0)
		i++;
	if (i == MODEL_DROPS_MAX)
		return 0;
	if (i == drops->count) {
		items = reallocarray(drops->items, i + 1, sizeof(*items));
		if (!items)
			return -ENOMEM;
		drops->items = items;
		strcpy(items[i].reason, name);
		drops->count++;
	}
	drops->items[i].packets = packets;
	return 0;
}

void model_wipe(struct model *model)
{
	for (size_t i = 0; i < model->peer_count; i++) {
		struct model_peer *peer = &model->peers[i];

		free(peer->name);
		free(peer->host);
		free(peer->port);
		free(peer->allowed);
		free(peer->drops.items);
	}
	if (model->peers)
		sodium_memzero(model->peers, model->peer_count * sizeof(*model->peers));
	free(model->peers);
	free(model->drops.items);
	sodium_memzero(model, sizeof(*model));
}

static int compare_key(const void *key, const void *item)
{
	const struct key *wanted = key;
	const struct model_peer *const *peer = item;

	return memcmp(wanted->bytes, (*peer)->public_key.bytes, KEY_LEN);
}

static int compare_peers(const void *left, const void *right)
{
	const struct model_peer *const *a = left, *const *b = right;
	int order = compare_key(&(*a)->public_key, b);

	return order ? order : (*a > *b) - (*a < *b);
}

int model_index_build(struct model_index *index, const struct model *model)
{
	index->peers = calloc(model->peer_count + 1, sizeof(struct model_peer *));
	index->count = index->peers ? model->peer_count : 0;
	if (!index->peers)
		return -ENOMEM;
	for (size_t i = 0; i < index->count; i++)
		index->peers[i] = &model->peers[i];
	qsort(index->peers, index->count, sizeof(struct model_peer *), compare_peers);
	return 0;
}

const struct model_peer *model_index_find(const struct model_index *index, const struct key *key)
{
	const struct model_peer **found = NULL;

	if (index->count)
		found = bsearch(key, index->peers, index->count, sizeof(struct model_peer *),
				compare_key);
	return found ? *found : NULL;
}
