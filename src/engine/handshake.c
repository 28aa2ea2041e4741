/* SPDX-License-Identifier: MIT
 * Handshakes (whitepaper sections 5.3 and 5.4). The order for what comes in: MAC1, which the worker
 * checked; under load also MAC2 and the rate limit; then the Noise message; only then the path, the
 * counters and the timers. */
#include "engine/handshake.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <time.h>
#include "engine/clockfile.h"
#include "engine/device.h"
#include "engine/lane.h"
#include "engine/outbound.h"
#include "engine/peer.h"

static uint64_t draw_jitter(void)
{
	return randombytes_uniform(REKEY_JITTER_MAX + 1);
}

static void draw_ephemeral(struct key *ephemeral)
{
	randombytes_buf(ephemeral->bytes, sizeof(ephemeral->bytes));
}

/* Adds the MACs and sends. */
static void send_message(struct lane *lane, struct peer *peer, void *message, size_t len)
{
	cookie_add_macs(&peer->cookie, message, len, lane->now);
	timers_authenticated_sent(&peer->timers, lane->now);
	atomic_store_explicit(&peer->initiation_sent, lane->now, memory_order_relaxed);
	outbound_message(lane, peer, message, len);
}

void handshake_initiate(struct lane *lane, struct peer *peer, bool retry)
{
	struct device *device = lane->device;
	struct wire_initiation message;
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];
	struct key ephemeral;
	uint64_t last = atomic_load_explicit(&peer->initiation_sent, memory_order_relaxed);

	if (!retry)
		timers_handshake_wanted(&peer->timers);
	if (!atomic_load_explicit(&device->up, memory_order_relaxed) || !device->local.present ||
	    !peer_has_endpoint(peer) || (last && lane->now - last < REKEY_TIMEOUT))
		return;
	if (device_new_handshake_index(device, peer))
		return;
	clockfile_stamp(device->clock, timestamp);
	draw_ephemeral(&ephemeral);
	if (noise_create_initiation(&peer->handshake, &device->local, &ephemeral,
				    peer->handshake_index.index, timestamp, &message)) {
		/* A public key of low order: configured, but there is nobody to talk to. */
		device_drop_handshake_index(device, peer);
		atomic_store_explicit(&peer->initiation_sent, lane->now, memory_order_relaxed);
	} else {
		send_message(lane, peer, &message, sizeof(message));
		timers_handshake_initiated(&peer->timers, lane->now, draw_jitter());
	}
	key_wipe(&ephemeral);
}

/* An authentic message of the peer came over this path. */
static void authenticated(struct lane *lane, struct peer *peer,
			  const struct device_message *message)
{
	pthread_mutex_lock(&peer->lock);
	peer_learn_path(peer, &message->from);
	pthread_mutex_unlock(&peer->lock);
	atomic_fetch_add_explicit(&peer->rx_bytes, message->len, memory_order_relaxed);
	timers_authenticated_received(&peer->timers, lane->now);
}

static enum drop why_not(int err)
{
	switch (err) {
	case -EALREADY:
		return DROP_OLD_INITIATION;
	case -EBUSY:
		return DROP_INITIATION_FLOOD;
	case -ENOKEY:
		return DROP_NO_IDENTITY;
	default:
		return DROP_BAD_HANDSHAKE;
	}
}

static void respond(struct lane *lane, struct peer *peer)
{
	struct wire_response message;
	struct key ephemeral;

	if (device_new_handshake_index(lane->device, peer))
		return;
	draw_ephemeral(&ephemeral);
	if (noise_create_response(&peer->handshake, &ephemeral, peer->handshake_index.index,
				  &message) ||
	    device_begin_session(lane->device, peer, lane->now)) {
		device_drop_handshake_index(lane->device, peer);
	} else {
		timers_session_derived(&peer->timers, lane->now);
		send_message(lane, peer, &message, sizeof(message));
	}
	key_wipe(&ephemeral);
}

static void waste(struct lane *lane, struct peer *peer, enum drop reason)
{
	device_drop(lane->device, peer, reason, 1);
	device_wasted(lane->device, lane->now);
}

static struct peer *take_initiation(struct lane *lane, const struct device_message *message)
{
	struct device *device = lane->device;
	const struct wire_initiation *wire = (const struct wire_initiation *)message->bytes;
	struct noise_initiation opened;
	struct peer *peer = NULL;

	int err = noise_open_initiation(&opened, &device->local, wire);
	if (!err) {
		peer = device_find_peer(device, &opened.remote_static);
		if (!peer) {
			sodium_memzero(&opened, sizeof(opened));
			waste(lane, NULL, DROP_UNKNOWN_PEER);
			return NULL;
		}
		err = noise_accept_initiation(&peer->handshake, &device->local, &opened, wire,
					      lane->now);
	}
	if (err) {
		waste(lane, peer, why_not(err));
		return NULL;
	}
	authenticated(lane, peer, message);
	respond(lane, peer);
	return peer;
}

void handshake_complete(struct peer *peer)
{
	timers_handshake_complete(&peer->timers);
	clock_gettime(CLOCK_REALTIME, &peer->last_handshake);
}

static struct peer *take_response(struct lane *lane, const struct device_message *message)
{
	struct device *device = lane->device;
	const struct wire_response *wire = (const struct wire_response *)message->bytes;
	struct indextable_entry *entry =
		indextable_find(&device->indices, wire_get32(wire->receiver));

	if (!entry || entry->kind != PEER_INDEX_HANDSHAKE) {
		device_drop(device, NULL, DROP_UNKNOWN_INDEX, 1);
		return NULL;
	}
	struct peer *peer = PEER_OF_HANDSHAKE_INDEX(entry);
	if (noise_consume_response(&peer->handshake, &device->local, wire)) {
		waste(lane, peer, DROP_BAD_HANDSHAKE);
		return NULL;
	}
	authenticated(lane, peer, message);
	if (!device_begin_session(device, peer, lane->now)) {
		timers_session_derived(&peer->timers, lane->now);
		handshake_complete(peer);
		/* The responder may not send before it has heard from us: what waits, or a
		 * keepalive, tells it. */
		outbound_keepalive(lane, peer);
	}
	return peer;
}

static struct peer *take_cookie_reply(struct lane *lane, const struct device_message *message)
{
	struct device *device = lane->device;
	const struct wire_cookie_reply *wire = (const struct wire_cookie_reply *)message->bytes;
	struct indextable_entry *entry =
		indextable_find(&device->indices, wire_get32(wire->receiver));

	if (!entry) {
		device_drop(device, NULL, DROP_UNKNOWN_INDEX, 1);
		return NULL;
	}
	/* The answer to a response finds that handshake already turned into a keypair. */
	struct peer *peer = entry->kind == PEER_INDEX_HANDSHAKE ? PEER_OF_HANDSHAKE_INDEX(entry)
								: KEYPAIR_OF_INDEX(entry)->peer;
	if (cookie_consume_reply(&peer->cookie, wire, lane->now)) {
		device_drop(device, peer, DROP_BAD_HANDSHAKE, 1);
		return NULL;
	}
	return peer;
}

/* Many at once, as each question to the system costs as much as the rest of the cookie's making. */
static const uint8_t *draw_nonce(struct device *device)
{
	if (!device->nonces_left) {
		randombytes_buf(device->nonces, sizeof(device->nonces));
		device->nonces_left = DEVICE_NONCES;
	}
	return device->nonces[--device->nonces_left];
}

static void demand_cookie(struct lane *lane, const struct device_message *message)
{
	struct cookie_checker *checker = &lane->device->checker;
	struct wire_cookie_reply reply;
	uint8_t secret[COOKIE_SECRET_LEN] = {0};

	if (cookie_checker_expire(checker, lane->now) == UINT64_MAX)
		randombytes_buf(secret, sizeof(secret));
	/* The sender's index is at the same place in an initiation and a response. */
	cookie_create_reply(checker, &reply, message->bytes, message->len,
			    wire_get32(message->bytes + 4), &message->from.remote,
			    draw_nonce(lane->device), secret, lane->now);
	sodium_memzero(secret, sizeof(secret));
	outbound_answer(lane, NULL, &message->from, &reply, sizeof(reply));
}

static bool within_limit(struct lane *lane, const struct device_message *message)
{
	struct device *device = lane->device;
	uint8_t hash_key[16];

	if (!device->limiter) {
		device->limiter = malloc(sizeof(*device->limiter));
		if (!device->limiter)
			return false;
		randombytes_buf(hash_key, sizeof(hash_key));
		limiter_init(device->limiter, hash_key);
	}
	return limiter_allow(device->limiter, &message->from.remote, lane->now);
}

/* Under load MAC2 and the rate limit. */
static bool admit(struct lane *lane, const struct device_message *message)
{
	struct device *device = lane->device;
	enum drop reason = DROP_NONE;

	if (!device_under_load(device, lane->now))
		return true;
	if (!cookie_check_mac2(&device->checker, message->bytes, message->len,
			       &message->from.remote, lane->now)) {
		demand_cookie(lane, message);
		reason = DROP_COOKIE_DEMANDED;
	} else if (!within_limit(lane, message)) {
		reason = DROP_RATE_LIMITED;
	}
	if (reason != DROP_NONE)
		device_drop(device, NULL, reason, 1);
	return reason == DROP_NONE;
}

struct peer *handshake_take(struct lane *lane, const struct device_message *message)
{
	enum wire_type type = wire_classify(message->bytes, message->len);

	if (type == WIRE_COOKIE_REPLY)
		return take_cookie_reply(lane, message);
	if (!admit(lane, message))
		return NULL;
	return type == WIRE_INITIATION ? take_initiation(lane, message)
				       : take_response(lane, message);
}
