/* SPDX-License-Identifier: MIT
 * The way in (whitepaper section 5.4.6):
 *   1. read trains of datagrams; handshake messages that may be true go to the control thread
 *   2. consecutive data messages to one index are a run: one look-up of the keypair
 *   3. open each in place; then, under the peer's lock, replay window and roaming
 *   4. cryptokey routing: the inner source must be the peer's; trim to the inner length; write to
 *      the TUN
 * Nothing changes before a tag was right. */
#include "engine/inbound.h"

#include <stdbool.h>
#include <string.h>
#include "engine/ecn.h"
#include "engine/packet.h"
#include "engine/peer.h"

/* A run in the making: count datagrams of a train, from bytes on. */
struct run {
	uint8_t *bytes;
	size_t stride;
	size_t last; /* length of the last one */
	unsigned count;
	uint8_t tos; /* of the outer header */
	const struct path *path;
};

static size_t datagram_len(const struct run *run, unsigned i)
{
	return i + 1 < run->count ? run->stride : run->last;
}

static struct wire_data *datagram(const struct run *run, unsigned i)
{
	return (struct wire_data *)(run->bytes + i * run->stride);
}

static void open_all(struct lane *lane, const struct run *run, const struct keypair *keypair)
{
	for (unsigned i = 0; i < run->count; ++i) {
		struct wire_data *message = datagram(run, i);
		lane->ops[i] = (struct aead_op){
			.dst = message->sealed,
			.src = message->sealed,
			.len = datagram_len(run, i) - sizeof(*message),
			.counter = wire_get64(message->counter),
		};
	}
	aead_open_many(&lane->aead, keypair->receive.bytes, lane->ops, run->count);
}

/* Replay window and roaming. Leaves ok set only for what is new; returns the bytes of those
 * datagrams, 0: none. */
static size_t admit(struct lane *lane, const struct run *run, struct keypair *keypair)
{
	struct peer *peer = keypair->peer;
	unsigned forged = 0, replayed = 0;
	size_t bytes = 0;

	pthread_mutex_lock(&peer->lock);
	for (unsigned i = 0; i < run->count; ++i) {
		struct aead_op *op = &lane->ops[i];
		if (!op->ok) {
			++forged;
		} else if (!replay_accept(&keypair->replay, op->counter)) {
			op->ok = false;
			++replayed;
		} else {
			bytes += datagram_len(run, i);
		}
	}
	if (bytes)
		peer_learn_path(peer, run->path);
	pthread_mutex_unlock(&peer->lock);

	if (forged)
		device_drop(lane->device, peer, DROP_FORGED, forged);
	if (replayed)
		device_drop(lane->device, peer, DROP_REPLAYED, replayed);
	return bytes;
}

/* May this packet of the peer enter the system? *len is trimmed to what the packet says of itself.
 */
static enum drop inspect(const struct device *device, const struct peer *peer, uint8_t *packet,
			 size_t *len, uint8_t outer_tos)
{
	const struct allowedips_owner *owner;

	int family = packet_family(packet, *len);
	if (!family)
		return DROP_INNER_MALFORMED;
	size_t claimed = packet_claimed_len(packet, family);
	if (claimed > *len || (family == AF_INET && claimed < PACKET_IP4_HEADER))
		return DROP_INNER_MALFORMED;
	owner = family == AF_INET
			? allowedips_lookup4(&device->allowed, packet_source(packet, family))
			: allowedips_lookup6(&device->allowed, packet_source(packet, family));
	if (owner != &peer->allowed)
		return DROP_INNER_SOURCE;
	*len = claimed;
	return ecn_decapsulate(packet, family, outer_tos) ? DROP_NONE : DROP_ECN;
}

/* True if there was data, not only keepalives. */
static bool deliver(struct lane *lane, const struct run *run, struct peer *peer)
{
	bool data = false;

	for (unsigned i = 0; i < run->count; ++i) {
		const struct aead_op *op = &lane->ops[i];
		size_t len = op->len - WIRE_TAG_LEN;
		if (!op->ok || !len)
			continue;
		data = true;
		enum drop reason = inspect(lane->device, peer, op->dst, &len, run->tos);
		if (reason == DROP_NONE)
			join_add(&lane->joiner, op->dst, len);
		else
			device_drop(lane->device, peer, reason, 1);
	}
	return data;
}

static void take_run(struct lane *lane, const struct run *run)
{
	struct device *device = lane->device;
	uint32_t index = wire_get32(datagram(run, 0)->receiver);
	struct indextable_entry *entry = indextable_find(&device->indices, index);

	if (!entry || entry->kind != PEER_INDEX_KEYPAIR) {
		device_drop(device, NULL, DROP_UNKNOWN_INDEX, run->count);
		return;
	}
	struct keypair *keypair = KEYPAIR_OF_INDEX(entry);
	struct peer *peer = keypair->peer;
	if (!keypair_accepts(keypair, lane->now)) {
		device_drop(device, peer, DROP_EXPIRED, run->count);
		return;
	}
	open_all(lane, run, keypair);
	size_t bytes = admit(lane, run, keypair);
	if (!bytes)
		return;

	atomic_fetch_add_explicit(&peer->rx_bytes, bytes, memory_order_relaxed);
	timers_authenticated_received(&peer->timers, lane->now);
	if (keypair == peer->next) {
		atomic_store_explicit(&keypair->heard, true, memory_order_relaxed);
		device_wish(device, peer, PEER_WISH_CONFIRM);
	}
	if (keypair_stale_to_receiver(keypair, lane->now))
		device_wish(device, peer, PEER_WISH_HANDSHAKE);
	if (deliver(lane, run, peer))
		timers_data_received(&peer->timers, lane->now);
	device_stamped(device, peer);
}

/* What can be told at a glance: only who knows our public key, or an index of the present, gets a
 * place in the queue. */
static enum drop screen(const struct device *device, enum wire_type type, const uint8_t *bytes,
			size_t len)
{
	const struct indextable_entry *entry;

	if (!device->local.present)
		return DROP_NO_IDENTITY;
	if (type == WIRE_COOKIE_REPLY) {
		const struct wire_cookie_reply *reply = (const struct wire_cookie_reply *)bytes;
		entry = indextable_find(&device->indices, wire_get32(reply->receiver));
		return entry ? DROP_NONE : DROP_UNKNOWN_INDEX;
	}
	if (!cookie_check_mac1(&device->checker, bytes, len))
		return DROP_BAD_MAC1;
	if (type == WIRE_INITIATION)
		return DROP_NONE;
	const struct wire_response *response = (const struct wire_response *)bytes;
	entry = indextable_find(&device->indices, wire_get32(response->receiver));
	return entry && entry->kind == PEER_INDEX_HANDSHAKE ? DROP_NONE : DROP_UNKNOWN_INDEX;
}

static void take_handshake(struct lane *lane, enum wire_type type, const uint8_t *bytes, size_t len,
			   const struct path *path)
{
	enum drop reason = screen(lane->device, type, bytes, len);

	if (reason == DROP_NONE)
		device_enqueue(lane->device, bytes, len, path);
	else
		device_drop(lane->device, NULL, reason, 1);
}

/* How many data messages from bytes on go to the same index; at least 1. */
static struct run find_run(const struct udp_train *train, size_t at)
{
	struct run run = {.bytes = train->bytes + at,
			  .stride = train->stride,
			  .tos = train->tos,
			  .path = &train->path};

	while (at < train->len && run.count < LANE_RUN_MAX) {
		size_t len = train->len - at < train->stride ? train->len - at : train->stride;
		const uint8_t *bytes = train->bytes + at;
		/* Type and receiver, the first 8 bytes, are the same for all of a run. */
		if (run.count && (len < WIRE_OVERHEAD || memcmp(bytes, run.bytes, 8) != 0))
			break;
		run.last = len;
		++run.count;
		at += train->stride;
	}
	return run;
}

static void take_train(struct lane *lane, const struct udp_train *train)
{
	size_t at = 0;

	do {
		size_t len = train->len - at < train->stride ? train->len - at : train->stride;
		enum wire_type type = wire_classify(train->bytes + at, len);
		switch (type) {
		case WIRE_DATA: {
			struct run run = find_run(train, at);
			take_run(lane, &run);
			at += run.count * train->stride;
			continue;
		}
		case WIRE_INITIATION:
		case WIRE_RESPONSE:
		case WIRE_COOKIE_REPLY:
			take_handshake(lane, type, train->bytes + at, len, &train->path);
			break;
		case WIRE_INVALID:
			device_drop(lane->device, NULL, DROP_MALFORMED, 1);
			break;
		}
		at += train->stride ? train->stride : 1;
	} while (at < train->len);
}

void inbound_read(struct lane *lane, int fd, struct udp_room *room)
{
	const struct udp_train *trains;
	int count = udp_receive(fd, room, &trains);

	for (int i = 0; i < count; ++i)
		take_train(lane, &trains[i]);
	/* The packets lie in room. */
	join_flush(&lane->joiner);
}
