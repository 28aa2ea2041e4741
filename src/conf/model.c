/* SPDX-License-Identifier: MIT
 * The model of a device: its growth and its end. Peers hold keys, so that no copy is left behind
 * where their array moves. */
#include "conf/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#define PEERS_FIRST 8
#define ALLOWED_FIRST 2

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
	if (peer->allowed_count == peer->allowed_size) {
		size_t size = peer->allowed_size ? peer->allowed_size * 2 : ALLOWED_FIRST;
		struct model_allowed *allowed;

		allowed = reallocarray(peer->allowed, size, sizeof(*allowed));
		if (!allowed)
			return -ENOMEM;
		peer->allowed = allowed;
		peer->allowed_size = size;
	}
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

void model_wipe(struct model *model)
{
	for (size_t i = 0; i < model->peer_count; i++) {
		struct model_peer *peer = &model->peers[i];

		free(peer->name);
		free(peer->host);
		free(peer->port);
		free(peer->allowed);
	}
	if (model->peers)
		sodium_memzero(model->peers, model->peer_count * sizeof(*model->peers));
	free(model->peers);
	sodium_memzero(model, sizeof(*model));
}
