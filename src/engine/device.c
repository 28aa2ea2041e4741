/* SPDX-License-Identifier: MIT
 * Memory and life of the device: peers, indices, sessions; wishes and messages for the control
 * thread. */
#include "engine/device.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "engine/peer.h"

static void lock_tables(struct device *device)
{
	pthread_rwlock_wrlock(&device->tables);
}

static void unlock_tables(struct device *device)
{
	pthread_rwlock_unlock(&device->tables);
}

int device_init(struct device *device)
{
	uint8_t hash_key[16];
	pthread_rwlockattr_t attr;
	int err;

	memset(device, 0, sizeof(*device));
	randombytes_buf(hash_key, sizeof(hash_key));
	err = peertable_init(&device->peers, hash_key);
	if (err)
		return err;
	err = indextable_init(&device->indices);
	if (err)
		goto err_peers;
	device->queue = calloc(DEVICE_QUEUE_MAX, sizeof(*device->queue));
	if (!device->queue) {
		err = -ENOMEM;
		goto err_indices;
	}
	device->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (device->wake < 0) {
		err = -errno;
		goto err_queue;
	}
	atomic_store_explicit(&device->routes_generation, 1, memory_order_relaxed);
	pthread_rwlockattr_init(&attr);
	/* Else readers that never pause would keep the control thread out for ever. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&device->tables, &attr);
	pthread_rwlockattr_destroy(&attr);
	pthread_mutex_init(&device->wish_lock, NULL);
	pthread_mutex_init(&device->queue_lock, NULL);
	return 0;

err_queue:
	free(device->queue);
err_indices:
	indextable_free(&device->indices);
err_peers:
	peertable_free(&device->peers);
	return err;
}

void device_free(struct device *device)
{
	struct peer *peer;

	while ((peer = device_first_peer(device)))
		device_remove_peer(device, peer);
	allowedips_free(&device->allowed);
	peertable_free(&device->peers);
	indextable_free(&device->indices);
	schedule_free(&device->schedule);
	free(device->limiter);
	free(device->queue);
	close(device->wake);
	pthread_rwlock_destroy(&device->tables);
	pthread_mutex_destroy(&device->wish_lock);
	pthread_mutex_destroy(&device->queue_lock);
	noise_local_wipe(&device->local);
	cookie_checker_wipe(&device->checker);
}

struct peer *device_find_peer(const struct device *device, const struct key *public_key)
{
	struct peertable_entry *entry = peertable_find(&device->peers, public_key);
	return entry ? PEER_OF_ENTRY(entry) : NULL;
}

struct peer *device_first_peer(const struct device *device)
{
	return device->peers.first ? PEER_OF_ENTRY(device->peers.first) : NULL;
}

struct peer *device_next_peer(const struct peer *peer)
{
	return peer->entry.next ? PEER_OF_ENTRY(peer->entry.next) : NULL;
}

int device_add_peer(struct device *device, const struct key *public_key, struct peer **added)
{
	if (device->peers.count >= DEVICE_PEERS_MAX)
		return -EOVERFLOW;
	struct peer *peer = peer_new(public_key);
	if (!peer)
		return -ENOMEM;
	int err = schedule_reserve(&device->schedule, device->peers.count + 1);
	if (!err) {
		lock_tables(device);
		err = peertable_add(&device->peers, &peer->entry);
		unlock_tables(device);
	}
	if (err)
		peer_free(peer);
	else
		*added = peer;
	return err;
}

static void forget_wishes(struct device *device, struct peer *peer)
{
	pthread_mutex_lock(&device->wish_lock);
	if (peer->wishing) {
		struct peer **link = &device->wishing;
		while (*link != peer)
			link = &(*link)->wishing_next;
		*link = peer->wishing_next;
	}
	pthread_mutex_unlock(&device->wish_lock);
}

static void drop_keypair(struct device *device, struct keypair **slot)
{
	if (*slot) {
		indextable_remove(&device->indices, &(*slot)->index);
		keypair_free(*slot);
		*slot = NULL;
	}
}

static void drop_all_keys(struct device *device, struct peer *peer)
{
	drop_keypair(device, &peer->previous);
	drop_keypair(device, &peer->current);
	drop_keypair(device, &peer->next);
	indextable_remove(&device->indices, &peer->handshake_index);
	noise_handshake_reset(&peer->handshake);
}

void device_remove_peer(struct device *device, struct peer *peer)
{
	lock_tables(device);
	allowedips_remove_owner(&device->allowed, &peer->allowed);
	drop_all_keys(device, peer);
	peertable_remove(&device->peers, &peer->entry);
	unlock_tables(device);
	/* From here on no worker can find it. */
	forget_wishes(device, peer);
	schedule_remove(&device->schedule, &peer->schedule);
	peer_free_staged(device_take_staged(device, peer));
	peer_free(peer);
}

/* Ends a session for sending; what is still on its way to us may arrive, unless we are nobody now.
 */
static void expire_session(struct device *device, struct peer *peer)
{
	if (!device->local.present)
		device_zero_keys(device, peer);
	if (peer->current)
		keypair_expire(peer->current);
	if (peer->next)
		keypair_expire(peer->next);
	device_drop_handshake_index(device, peer);
	noise_forget_local(&peer->handshake);
	atomic_store_explicit(&peer->initiation_sent, 0, memory_order_relaxed);
}

/* No worker puts anything there while the tables are locked. */
static void empty_queue(struct device *device)
{
	pthread_mutex_lock(&device->queue_lock);
	drop_count(&device->drops, DROP_BAD_MAC1, device->queue_count);
	device->queue_first = device->queue_count = 0;
	pthread_mutex_unlock(&device->queue_lock);
}

void device_set_private_key(struct device *device, const struct key *private_key)
{
	struct noise_local next = {0};
	struct peer *peer;

	/* Compared as it will be used: tools send the key with every reload, clamped or not. */
	noise_local_set(&next, private_key);
	if (key_equal(&next.private_key, &device->local.private_key))
		goto out;
	lock_tables(device);
	device->local = next;
	if (next.present)
		cookie_checker_init(&device->checker, &next.public_key);
	else
		cookie_checker_wipe(&device->checker);
	empty_queue(device);
	unlock_tables(device);
	peer = next.present ? device_find_peer(device, &next.public_key) : NULL;
	if (peer)
		device_remove_peer(device, peer);
	for (peer = device_first_peer(device); peer; peer = device_next_peer(peer))
		expire_session(device, peer);
out:
	noise_local_wipe(&next);
}

int device_insert_allowed(struct device *device, struct peer *peer, const struct prefix *prefix)
{
	lock_tables(device);
	int err = allowedips_insert(&device->allowed, prefix, &peer->allowed);
	unlock_tables(device);
	return err;
}

void device_remove_allowed(struct device *device, struct peer *peer, const struct prefix *prefix)
{
	lock_tables(device);
	allowedips_remove(&device->allowed, prefix, &peer->allowed);
	unlock_tables(device);
}

void device_clear_allowed(struct device *device, struct peer *peer)
{
	lock_tables(device);
	allowedips_remove_owner(&device->allowed, &peer->allowed);
	unlock_tables(device);
}

int device_new_handshake_index(struct device *device, struct peer *peer)
{
	struct indextable_entry *entry = &peer->handshake_index;
	uint32_t index;

	do {
		randombytes_buf(&index, sizeof(index));
	} while (indextable_find(&device->indices, index));
	lock_tables(device);
	indextable_remove(&device->indices, entry);
	entry->index = index;
	entry->kind = PEER_INDEX_HANDSHAKE;
	int err = indextable_add(&device->indices, entry);
	unlock_tables(device);
	return err;
}

void device_drop_handshake_index(struct device *device, struct peer *peer)
{
	lock_tables(device);
	indextable_remove(&device->indices, &peer->handshake_index);
	unlock_tables(device);
}

/* Whitepaper section 6.3. The initiator knows that the responder has the new keys, the responder
 * does not know it of the initiator yet, and keeps sending under the old ones. */
static void place_keypair(struct device *device, struct peer *peer, struct keypair *keypair)
{
	if (keypair->initiator) {
		drop_keypair(device, &peer->previous);
		if (peer->next) {
			/* Both sides initiated at once: what the other one made may still be in use
			 * there. */
			peer->previous = peer->next;
			peer->next = NULL;
			drop_keypair(device, &peer->current);
		} else {
			peer->previous = peer->current;
		}
		peer->current = keypair;
	} else {
		drop_keypair(device, &peer->next);
		drop_keypair(device, &peer->previous);
		peer->next = keypair;
	}
}

int device_begin_session(struct device *device, struct peer *peer, uint64_t now)
{
	struct noise_session session;

	int err = noise_begin_session(&peer->handshake, &session);
	if (err)
		return err;
	struct keypair *keypair = keypair_new(peer, &session, now);
	if (!keypair) {
		noise_session_wipe(&session);
		return -ENOMEM;
	}
	keypair->index.kind = PEER_INDEX_KEYPAIR;
	lock_tables(device);
	indextable_replace(&device->indices, &peer->handshake_index, &keypair->index);
	place_keypair(device, peer, keypair);
	unlock_tables(device);
	return 0;
}

bool device_confirm_session(struct device *device, struct peer *peer)
{
	if (!peer->next || !atomic_load_explicit(&peer->next->heard, memory_order_relaxed))
		return false;
	lock_tables(device);
	drop_keypair(device, &peer->previous);
	peer->previous = peer->current;
	peer->current = peer->next;
	peer->next = NULL;
	unlock_tables(device);
	return true;
}

void device_zero_keys(struct device *device, struct peer *peer)
{
	lock_tables(device);
	drop_all_keys(device, peer);
	unlock_tables(device);
}

void device_wasted(struct device *device, uint64_t now)
{
	if (!limiter_take(&device->wasted, SECOND / DEVICE_WASTED_PER_SECOND, SECOND / 4, now))
		device->loaded_at = now;
}

bool device_under_load(const struct device *device, uint64_t now)
{
	return device->loaded_at && now - device->loaded_at < SECOND;
}

static void wake_control(struct device *device)
{
	uint64_t one = 1;
	/* Can only fail when 2^64 - 2 wake-ups are pending. */
	(void)!write(device->wake, &one, sizeof(one));
}

void device_enqueue(struct device *device, const uint8_t *bytes, size_t len,
		    const struct path *from)
{
	pthread_mutex_lock(&device->queue_lock);
	bool full = device->queue_count == DEVICE_QUEUE_MAX;
	bool first = device->queue_count == 0;
	if (!full) {
		unsigned place = (device->queue_first + device->queue_count++) % DEVICE_QUEUE_MAX;
		struct device_message *message = &device->queue[place];
		message->from = *from;
		message->len = (uint16_t)len;
		memcpy(message->bytes, bytes, len);
	}
	pthread_mutex_unlock(&device->queue_lock);
	if (full)
		drop_count(&device->drops, DROP_QUEUE_FULL, 1);
	else if (first)
		wake_control(device);
}

unsigned device_dequeue(struct device *device, struct device_message *messages, unsigned max,
			uint64_t now)
{
	pthread_mutex_lock(&device->queue_lock);
	bool loaded = device->queue_count >= DEVICE_QUEUE_LOADED;
	unsigned count = device->queue_count < max ? device->queue_count : max;
	for (unsigned i = 0; i < count; ++i)
		messages[i] = device->queue[(device->queue_first + i) % DEVICE_QUEUE_MAX];
	device->queue_count -= count;
	/* Starting over at the front when empty keeps an idle device's ring in one page. */
	device->queue_first =
		device->queue_count ? (device->queue_first + count) % DEVICE_QUEUE_MAX : 0;
	pthread_mutex_unlock(&device->queue_lock);
	if (loaded)
		device->loaded_at = now;
	return count;
}

void device_wish(struct device *device, struct peer *peer, unsigned wishes)
{
	if ((atomic_fetch_or_explicit(&peer->wishes, wishes, memory_order_acq_rel) & wishes) ==
	    wishes)
		return;
	pthread_mutex_lock(&device->wish_lock);
	bool first = !device->wishing;
	if (!peer->wishing) {
		peer->wishing = true;
		peer->wishing_next = device->wishing;
		device->wishing = peer;
	}
	pthread_mutex_unlock(&device->wish_lock);
	if (first)
		wake_control(device);
}

struct peer *device_next_wish(struct device *device, unsigned *wishes)
{
	pthread_mutex_lock(&device->wish_lock);
	struct peer *peer = device->wishing;
	if (peer) {
		device->wishing = peer->wishing_next;
		peer->wishing = false;
		*wishes = atomic_exchange_explicit(&peer->wishes, 0, memory_order_acq_rel);
	}
	pthread_mutex_unlock(&device->wish_lock);
	return peer;
}

void device_stamped(struct device *device, struct peer *peer)
{
	/* Pairs with the one in the control thread's check: either it sees the stamp, or we see
	 * that it does not watch. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load_explicit(&peer->watched, memory_order_relaxed) &&
	    !atomic_exchange_explicit(&peer->watched, true, memory_order_relaxed))
		device_wish(device, peer, PEER_WISH_CHECK);
}

enum drop device_stage(struct device *device, struct peer *peer, const uint8_t *data, size_t len)
{
	size_t before = peer->staged_bytes;

	if (atomic_load_explicit(&device->staged_bytes, memory_order_relaxed) + len >
	    DEVICE_STAGED_MAX)
		return DROP_STAGED_FULL;
	enum drop lost = peer_stage(peer, data, len);
	/* Less than nothing is added by wrapping around: the oldest may have been longer. */
	atomic_fetch_add_explicit(&device->staged_bytes, peer->staged_bytes - before,
				  memory_order_relaxed);
	return lost;
}

struct peer_staged *device_take_staged(struct device *device, struct peer *peer)
{
	atomic_fetch_sub_explicit(&device->staged_bytes, peer->staged_bytes, memory_order_relaxed);
	return peer_take_staged(peer);
}

void device_drop(struct device *device, struct peer *peer, enum drop reason, unsigned packets)
{
	drop_count(&device->drops, reason, packets);
	if (peer)
		drop_count(&peer->drops, reason, packets);
}
