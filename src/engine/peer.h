/* SPDX-License-Identifier: MIT
 * One peer: its handshake, its keypairs, where it is reached and what waits for it.
 *
 * Who may touch what:
 *   control thread only       handshake, cookie, schedule, last_handshake
 *   control thread writes,    keypairs and their index entries, allowed, entry: under the device's
 * table lock (write); workers read            the control thread itself reads them without any
 * thread                the atomics any thread, peer.lock     path, staged, and the replay windows
 * of the keypairs */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include "engine/allowedips.h"
#include "engine/cookie.h"
#include "engine/drop.h"
#include "engine/indextable.h"
#include "engine/keypair.h"
#include "engine/noise.h"
#include "engine/path.h"
#include "engine/peertable.h"
#include "engine/schedule.h"
#include "engine/timers.h"

#define PEER_STAGED_MAX 128

enum peer_index_kind {
	PEER_INDEX_HANDSHAKE = 1,
	PEER_INDEX_KEYPAIR = 2,
};

/* What a worker asks of the control thread. */
enum peer_wish {
	PEER_WISH_HANDSHAKE = 1 << 0, /* no usable keypair, or it is getting old */
	PEER_WISH_CONFIRM = 1 << 1,   /* the first packet under keypair `next` has come */
	PEER_WISH_CHECK = 1 << 2,     /* stamps were set and nobody is watching the timers */
};

/* A packet that waits for a keypair. */
struct peer_staged {
	struct peer_staged *next;
	size_t len;
	uint8_t data[];
};

struct peer {
	struct peertable_entry entry; /* with the public key */
	struct allowedips_owner allowed;
	struct noise_handshake handshake;
	struct indextable_entry handshake_index; /* kind PEER_INDEX_HANDSHAKE */
	struct cookie_maker cookie;
	struct keypair *previous, *current, *next;
	struct timers timers;
	struct schedule_entry schedule;
	struct timespec last_handshake; /* CLOCK_REALTIME */

	_Atomic uint64_t initiation_sent; /* or a response; 0: never */
	_Atomic unsigned wishes;          /* enum peer_wish */
	_Atomic bool watched; /* the control thread looks at the timers soon enough for any stamp */
	_Atomic uint64_t rx_bytes, tx_bytes;
	struct drops drops;
	struct peer *wishing_next; /* the device's wish lock guards it */
	bool wishing;              /* likewise: in that list */

	pthread_mutex_t lock;
	struct path path;
	struct peer_staged *staged_first, *staged_last;
	unsigned staged_count;
	size_t staged_bytes;
};

#define PEER_OF_ENTRY(pointer) CONTAINER_OF(pointer, struct peer, entry)
#define PEER_OF_ALLOWED(pointer) CONTAINER_OF(pointer, struct peer, allowed)
#define PEER_OF_HANDSHAKE_INDEX(pointer) CONTAINER_OF(pointer, struct peer, handshake_index)
#define PEER_OF_SCHEDULE(pointer) CONTAINER_OF(pointer, struct peer, schedule)
#define CONTAINER_OF(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* NULL: no memory. */
struct peer *peer_new(const struct key *public_key);
/* Wipes and frees; it must be out of all tables. */
void peer_free(struct peer *peer);

void peer_set_remote(struct peer *peer, const union sockaddr_ip *remote);
/* An authentic datagram came over this path. What is known of its source stays known. Caller holds
 * the lock. */
void peer_learn_path(struct peer *peer, const struct path *path);
/* The same address at either end, over the same interface. */
bool peer_same_source(const struct path *a, const struct path *b);
/* Forgets our source address, so that the next packet takes the route of the day. */
void peer_forget_source(struct peer *peer);
void peer_get_path(struct peer *peer, struct path *path);
bool peer_has_endpoint(struct peer *peer);
/* Copies a packet to the end of the queue; the oldest goes when it is full. Caller holds the lock.
 * DROP_NONE, or why a packet (this or the oldest) was lost. */
enum drop peer_stage(struct peer *peer, const uint8_t *data, size_t len);
/* Takes the whole queue, which the caller frees with peer_free_staged(). Caller holds the lock. */
struct peer_staged *peer_take_staged(struct peer *peer);
/* Returns how many there were. NULL is none. */
unsigned peer_free_staged(struct peer_staged *staged);
