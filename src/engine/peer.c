/* SPDX-License-Identifier: MIT
 * Memory and life of one peer. */
#include "engine/peer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct peer *peer_new(const struct key *public_key)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	if (!peer)
		return NULL;
	peer->entry.public_key = *public_key;
	pthread_mutex_init(&peer->lock, NULL);
	noise_handshake_init(&peer->handshake, public_key);
	cookie_maker_init(&peer->cookie, public_key);
	return peer;
}

void peer_free(struct peer *peer)
{
	keypair_free(peer->previous);
	keypair_free(peer->current);
	keypair_free(peer->next);
	peer_free_staged(peer->staged_first);
	pthread_mutex_destroy(&peer->lock);
	sodium_memzero(peer, sizeof(*peer));
	free(peer);
}

void peer_set_remote(struct peer *peer, const union sockaddr_ip *remote)
{
	pthread_mutex_lock(&peer->lock);
	peer->path = (struct path){.remote = *remote};
	pthread_mutex_unlock(&peer->lock);
}

void peer_learn_path(struct peer *peer, const struct path *path)
{
	if (peer_same_source(&peer->path, path))
		peer->path.remote = path->remote;
	else
		peer->path = *path;
}

bool peer_same_source(const struct path *a, const struct path *b)
{
	if (a->remote.sa.sa_family != b->remote.sa.sa_family || a->ifindex != b->ifindex)
		return false;
	if (a->remote.sa.sa_family == AF_INET)
		return a->source.in4.s_addr == b->source.in4.s_addr &&
		       a->remote.in4.sin_addr.s_addr == b->remote.in4.sin_addr.s_addr;
	return !memcmp(&a->source.in6, &b->source.in6, sizeof(a->source.in6)) &&
	       !memcmp(&a->remote.in6.sin6_addr, &b->remote.in6.sin6_addr, sizeof(a->source.in6));
}

void peer_forget_source(struct peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	peer->path.ifindex = 0;
	pthread_mutex_unlock(&peer->lock);
}

void peer_get_path(struct peer *peer, struct path *path)
{
	pthread_mutex_lock(&peer->lock);
	*path = peer->path;
	pthread_mutex_unlock(&peer->lock);
}

bool peer_has_endpoint(struct peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	bool known = peer->path.remote.sa.sa_family != AF_UNSPEC;
	pthread_mutex_unlock(&peer->lock);
	return known;
}

enum drop peer_stage(struct peer *peer, const uint8_t *data, size_t len)
{
	struct peer_staged *packet = malloc(sizeof(*packet) + len);
	if (!packet)
		return DROP_NO_MEMORY;
	packet->next = NULL;
	packet->len = len;
	memcpy(packet->data, data, len);
	if (peer->staged_last)
		peer->staged_last->next = packet;
	else
		peer->staged_first = packet;
	peer->staged_last = packet;
	peer->staged_bytes += len;
	if (++peer->staged_count <= PEER_STAGED_MAX)
		return DROP_NONE;

	struct peer_staged *oldest = peer->staged_first;
	peer->staged_first = oldest->next;
	oldest->next = NULL;
	--peer->staged_count;
	peer->staged_bytes -= oldest->len;
	peer_free_staged(oldest);
	return DROP_STAGED_FULL;
}

struct peer_staged *peer_take_staged(struct peer *peer)
{
	struct peer_staged *first = peer->staged_first;
	peer->staged_first = peer->staged_last = NULL;
	peer->staged_count = 0;
	peer->staged_bytes = 0;
	return first;
}

unsigned peer_free_staged(struct peer_staged *staged)
{
	unsigned count = 0;
	while (staged) {
		struct peer_staged *next = staged->next;
		sodium_memzero(staged->data, staged->len);
		free(staged);
		staged = next;
		++count;
	}
	return count;
}
