/* SPDX-License-Identifier: MIT
 * The one device: its identity, its peers and the tables that find them, and how data workers reach
 * the control thread.
 *
 * The control thread is the only writer of the tables. It takes `tables` for writing just for the
 * change itself; workers hold it for reading over a whole batch, which also keeps every peer and
 * keypair that they found alive. Lock order: tables, peer.lock, wish_lock or queue_lock. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine/allowedips.h"
#include "engine/cookie.h"
#include "engine/drop.h"
#include "engine/indextable.h"
#include "engine/limiter.h"
#include "engine/noise.h"
#include "engine/path.h"
#include "engine/peertable.h"
#include "engine/schedule.h"
#include "engine/wire.h"

#define DEVICE_PEERS_MAX (1u << 20)
#define DEVICE_QUEUE_MAX 4096         /* handshake messages */
#define DEVICE_STAGED_MAX (16u << 20) /* bytes that wait for handshakes, of all peers */
#define DEVICE_QUEUE_LOADED (DEVICE_QUEUE_MAX / 8)
/* Handshake messages that took arithmetic for nothing, up to 70 us each: from 3.5 % of a processor
 * on we ask for cookies. A crowd of peers whose handshakes succeed never comes here. */
#define DEVICE_WASTED_PER_SECOND 500
#define DEVICE_NONCES 32

struct clockfile;
struct peer;
struct peer_staged;
struct keypair;

/* A handshake message on its way from a worker to the control thread. */
struct device_message {
	struct path from;
	uint16_t len;
	uint8_t bytes[WIRE_HANDSHAKE_MAX];
};

struct device {
	pthread_rwlock_t tables;
	struct peertable peers;
	struct indextable indices;
	struct allowedips allowed;

	struct noise_local local;
	struct cookie_checker checker; /* workers read the key of MAC1, and no more of it */

	/* control thread only */
	struct limiter *limiter;                         /* owned; made when the first load comes */
	uint8_t nonces[DEVICE_NONCES][COOKIE_NONCE_LEN]; /* random, of cookie replies to come */
	unsigned nonces_left;
	struct schedule schedule;
	struct clockfile *clock; /* of our initiations; borrowed */
	uint64_t loaded_at;      /* when we were last under load; 0: never */
	uint64_t wasted;         /* limiter_take() of messages that were for nothing */

	_Atomic bool up;
	_Atomic uint32_t mtu;
	_Atomic uint32_t routes_generation; /* counts changes of the machine's addresses and routes,
					       from 1 */
	_Atomic size_t staged_bytes;        /* of all peers */
	struct drops drops;

	int wake; /* eventfd: a wish or a message waits */
	pthread_mutex_t wish_lock;
	struct peer *wishing;
	pthread_mutex_t queue_lock;
	struct device_message *queue; /* ring of DEVICE_QUEUE_MAX */
	unsigned queue_first, queue_count;
};

/* 0 or -errno. */
int device_init(struct device *device);
/* Removes all peers, wipes, frees. No other thread may be left. */
void device_free(struct device *device);

/* The control thread's, all of them. */
struct peer *device_find_peer(const struct device *device, const struct key *public_key);
/* 0 with *added, -ENOMEM, or -EOVERFLOW (DEVICE_PEERS_MAX). */
int device_add_peer(struct device *device, const struct key *public_key, struct peer **added);
void device_remove_peer(struct device *device, struct peer *peer); /* frees it */
struct peer *device_first_peer(const struct device *device);
struct peer *device_next_peer(const struct peer *peer);
/* Ends every session; a peer that is ourselves is removed. NULL or zero: no identity, and no key of
 * a session is left. */
void device_set_private_key(struct device *device, const struct key *private_key);
int device_insert_allowed(struct device *device, struct peer *peer, const struct prefix *prefix);
void device_remove_allowed(struct device *device, struct peer *peer, const struct prefix *prefix);
void device_clear_allowed(struct device *device, struct peer *peer);
/* Puts the peer's handshake under a fresh random index. 0 or -ENOMEM. */
int device_new_handshake_index(struct device *device, struct peer *peer);
void device_drop_handshake_index(struct device *device, struct peer *peer);
/* Makes a keypair of the peer's finished handshake, under its index, and puts it into its place:
 * `current` for the initiator, `next` for the responder. 0 or -errno. */
int device_begin_session(struct device *device, struct peer *peer, uint64_t now);
/* The peer has shown that it has keypair `next`: from now on we send with it. False: there is none
 * that was heard. */
bool device_confirm_session(struct device *device, struct peer *peer);
/* Wipes all keypairs and the handshake of a peer. */
void device_zero_keys(struct device *device, struct peer *peer);
/* Takes the oldest handshake messages, at most max; how many. A long queue means load. */
unsigned device_dequeue(struct device *device, struct device_message *messages, unsigned max,
			uint64_t now);
/* A handshake message took us its arithmetic and was none. Too many of them mean load. */
void device_wasted(struct device *device, uint64_t now);
/* Was there a sign of load within the last second? */
bool device_under_load(const struct device *device, uint64_t now);
/* Takes one peer that has wishes, with them. NULL: none. */
struct peer *device_next_wish(struct device *device, unsigned *wishes);

/* Any thread; a worker holds `tables` for reading. */
/* Asks the control thread for something (enum peer_wish). */
void device_wish(struct device *device, struct peer *peer, unsigned wishes);
/* Call after stamping the peer's timers: sees to it that the control thread looks at them in
 * time. */
void device_stamped(struct device *device, struct peer *peer);
/* Hands over a handshake message, made for our present key; counted as a drop when the queue is
 * full. */
void device_enqueue(struct device *device, const uint8_t *bytes, size_t len,
		    const struct path *from);
/* peer_stage() and peer_take_staged() within DEVICE_STAGED_MAX. Caller holds the peer's lock. */
enum drop device_stage(struct device *device, struct peer *peer, const uint8_t *data, size_t len);
struct peer_staged *device_take_staged(struct device *device, struct peer *peer);
/* Counts a drop for the device, and for the peer unless it is NULL. */
void device_drop(struct device *device, struct peer *peer, enum drop reason, unsigned packets);
