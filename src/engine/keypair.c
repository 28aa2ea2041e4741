/* SPDX-License-Identifier: MIT
 * One session's transport keys (whitepaper section 5.4.6) and when they have had their day (section
 * 6.2). It never seals or opens a packet, and asks for no handshake itself. */
#include "engine/keypair.h"

#include <stdlib.h>
#include <sodium.h>

/* A worker's time may be a little older than the keypair it finds: that is age 0, not a
 * wrap-around. */
static uint64_t age(const struct keypair *keypair, uint64_t now)
{
	return now > keypair->born ? now - keypair->born : 0;
}

struct keypair *keypair_new(struct peer *peer, struct noise_session *session, uint64_t now)
{
	struct keypair *keypair = calloc(1, sizeof(*keypair));

	if (!keypair)
		goto out;
	keypair->index.index = session->local_index;
	keypair->peer = peer;
	keypair->send = session->send;
	keypair->receive = session->receive;
	keypair->born = now;
	keypair->remote_index = session->remote_index;
	keypair->initiator = session->initiator;
	replay_init(&keypair->replay);
out:
	noise_session_wipe(session);
	return keypair;
}

void keypair_free(struct keypair *keypair)
{
	if (!keypair)
		return;
	sodium_memzero(keypair, sizeof(*keypair));
	free(keypair);
}

void keypair_expire(struct keypair *keypair)
{
	atomic_store_explicit(&keypair->sent, REJECT_AFTER_MESSAGES, memory_order_relaxed);
}

bool keypair_accepts(const struct keypair *keypair, uint64_t now)
{
	return age(keypair, now) < REJECT_AFTER_TIME;
}

bool keypair_alive(const struct keypair *keypair, uint64_t now)
{
	return keypair_accepts(keypair, now) &&
	       atomic_load_explicit(&keypair->sent, memory_order_relaxed) < REJECT_AFTER_MESSAGES;
}

/* Not a plain atomic add: several threads at the limit must not carry the counter past it, in the
 * end around to zero. */
bool keypair_reserve(struct keypair *keypair, unsigned count, uint64_t *first)
{
	uint64_t sent = atomic_load_explicit(&keypair->sent, memory_order_relaxed);

	do {
		if (sent > REJECT_AFTER_MESSAGES || count > REJECT_AFTER_MESSAGES - sent)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&keypair->sent, &sent, sent + count, memory_order_relaxed, memory_order_relaxed));
	*first = sent;
	return true;
}

bool keypair_stale_to_sender(const struct keypair *keypair, uint64_t now)
{
	if (atomic_load_explicit(&keypair->sent, memory_order_relaxed) > REKEY_AFTER_MESSAGES)
		return true;
	return keypair->initiator && age(keypair, now) >= REKEY_AFTER_TIME;
}

bool keypair_stale_to_receiver(struct keypair *keypair, uint64_t now)
{
	if (!keypair->initiator ||
	    age(keypair, now) <= REJECT_AFTER_TIME - KEEPALIVE_TIMEOUT - REKEY_TIMEOUT)
		return false;
	/* Looked at first, so that later packets do not all write to it. */
	return !atomic_load_explicit(&keypair->last_minute, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&keypair->last_minute, true, memory_order_relaxed);
}
