/* SPDX-License-Identifier: MIT
 * The way out (whitepaper section 5.4.6):
 *   1. read packets from the TUN, each to the place where its datagram is built
 *   2. cryptokey routing: destination -> peer; packets of one peer and one length in a row are a run
 *   3. once a run: keypair, counters, path
 *   4. seal in place, send, stamp
 * Side doors: no usable keypair -> stage on the peer and ask for a handshake; or a drop. */
#include "engine/outbound.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "engine/device.h"
#include "engine/packet.h"
#include "engine/peer.h"

#define HEADER sizeof(struct wire_data)

/* Packets of one peer, each already at the place of its datagram's contents: packet i at bytes + i
 * * stride + HEADER. */
struct run {
	struct peer *peer;
	uint8_t *bytes;
	size_t len;    /* of each packet, without padding */
	size_t stride; /* of the datagrams */
	unsigned count;
};

/* Zeros up to a multiple of 16, but not past the MTU, so that padding never makes a datagram too
 * big. */
static size_t padded_len(const struct device *device, size_t len)
{
	size_t mtu = atomic_load_explicit(&device->mtu, memory_order_relaxed);
	size_t padded = (len + WIRE_PADDING - 1) / WIRE_PADDING * WIRE_PADDING;

	if (mtu && padded > mtu)
		padded = len > mtu ? len : mtu;
	return padded;
}

static struct run new_run(const struct device *device, struct peer *peer, uint8_t *bytes,
			  size_t len)
{
	return (struct run){
		.peer = peer,
		.bytes = bytes,
		.len = len,
		.stride = HEADER + padded_len(device, len) + WIRE_TAG_LEN,
		.count = 1,
	};
}

static void seal(struct lane *lane, const struct run *run, struct keypair *keypair,
		 uint64_t counter)
{
	for (unsigned i = 0; i < run->count; ++i) {
		struct wire_data *header = (struct wire_data *)(run->bytes + i * run->stride);
		size_t padded = run->stride - WIRE_OVERHEAD;
		wire_put32(header->type, WIRE_DATA);
		wire_put32(header->receiver, keypair->remote_index);
		wire_put64(header->counter, counter + i);
		memset(header->sealed + run->len, 0, padded - run->len);
		lane->ops[i] = (struct aead_op){
			.dst = header->sealed,
			.src = header->sealed,
			.len = padded,
			.counter = counter + i,
		};
	}
	aead_seal_many(keypair->send.bytes, lane->ops, run->count);
}

static void send_train(struct lane *lane, struct peer *peer, const struct udp_train *train)
{
	uint32_t generation =
		atomic_load_explicit(&lane->device->routes_generation, memory_order_relaxed);

	if (udp_send(lane->udp, train, generation))
		device_drop(lane->device, peer, DROP_SEND_FAILED,
			    (unsigned)((train->len + train->stride - 1) / train->stride));
	else if (peer)
		atomic_fetch_add_explicit(&peer->tx_bytes, train->len, memory_order_relaxed);
}

/* Seals and sends a run under a keypair whose counters were reserved. */
static void send_run(struct lane *lane, const struct run *run, struct keypair *keypair,
		     uint64_t counter, const struct path *path)
{
	struct udp_train train = {
		.bytes = run->bytes,
		.len = run->stride * run->count,
		.stride = run->stride,
		.path = *path,
	};

	seal(lane, run, keypair, counter);
	send_train(lane, run->peer, &train);
	timers_authenticated_sent(&run->peer->timers, lane->now);
	if (run->len)
		timers_data_sent(&run->peer->timers, lane->now);
	device_stamped(lane->device, run->peer);
	if (keypair_stale_to_sender(keypair, lane->now))
		outbound_want_handshake(lane, run->peer);
}

void outbound_want_handshake(struct lane *lane, struct peer *peer)
{
	uint64_t last = atomic_load_explicit(&peer->initiation_sent, memory_order_relaxed);

	if (!last || lane->now - last >= REKEY_TIMEOUT)
		device_wish(lane->device, peer, PEER_WISH_HANDSHAKE);
}

/* Caller holds the peer's lock. */
static void stage_run(struct lane *lane, const struct run *run)
{
	for (unsigned i = 0; i < run->count; ++i) {
		enum drop lost =
			peer_stage(run->peer, run->bytes + i * run->stride + HEADER, run->len);
		if (lost != DROP_NONE)
			device_drop(lane->device, run->peer, lost, 1);
	}
}

/* As the responder we go over to the new keys with the first packet that came under them, even
 * before the control thread has moved them to their place: the other side may have lost the old
 * ones. */
static struct keypair *sending_keypair(const struct peer *peer)
{
	bool heard = peer->next && atomic_load_explicit(&peer->next->heard, memory_order_relaxed);

	return heard ? peer->next : peer->current;
}

static void dispatch_run(struct lane *lane, const struct run *run)
{
	struct peer *peer = run->peer;
	struct keypair *keypair = sending_keypair(peer);
	struct path path;
	uint64_t counter;

	pthread_mutex_lock(&peer->lock);
	path = peer->path;
	bool known = path.remote.sa.sa_family != AF_UNSPEC;
	/* What waits goes first: until the control thread has sent it, more of the same flow must
	 * wait too. */
	bool ready = known && !peer->staged_count && keypair && keypair_alive(keypair, lane->now) &&
		     keypair_reserve(keypair, run->count, &counter);
	if (known && !ready)
		stage_run(lane, run);
	pthread_mutex_unlock(&peer->lock);

	if (ready)
		send_run(lane, run, keypair, counter, &path);
	else if (known)
		outbound_want_handshake(lane, peer);
	else
		device_drop(lane->device, peer, DROP_NO_ENDPOINT, run->count);
}

/* Cryptokey routing. NULL: dropped. */
static struct peer *route(struct lane *lane, const uint8_t *packet, size_t len)
{
	struct device *device = lane->device;
	struct allowedips_owner *owner;

	int family = packet_family(packet, len);
	if (!family) {
		device_drop(device, NULL, DROP_NOT_IP, 1);
		return NULL;
	}
	owner = family == AF_INET
			? allowedips_lookup4(&device->allowed, packet_destination(packet, family))
			: allowedips_lookup6(&device->allowed, packet_destination(packet, family));
	if (!owner) {
		device_drop(device, NULL, DROP_NO_PEER, 1);
		return NULL;
	}
	return PEER_OF_ALLOWED(owner);
}

static bool joins(const struct run *run, const struct peer *peer, size_t len)
{
	return run->peer == peer && run->len == len &&
	       (run->count + 1) * run->stride <= LANE_RUN_BYTES;
}

int outbound_read(struct lane *lane, int tun)
{
	struct run run = {0};
	uint8_t *place = lane->bytes;
	ssize_t len = 0;

	for (unsigned i = 0; i < LANE_RUN_MAX; ++i) {
		if ((size_t)(lane->bytes + LANE_BYTES - place) < LANE_SLOT_MAX) {
			dispatch_run(lane, &run);
			run = (struct run){0};
			place = lane->bytes;
		}
		len = tun_read(tun, place + HEADER, TUN_PACKET_MAX);
		if (len <= 0)
			break;
		struct peer *peer = route(lane, place + HEADER, (size_t)len);
		if (!peer)
			continue;
		if (run.count && joins(&run, peer, (size_t)len)) {
			++run.count;
		} else {
			if (run.count)
				dispatch_run(lane, &run);
			run = new_run(lane->device, peer, place, (size_t)len);
		}
		place += run.stride;
	}
	if (run.count)
		dispatch_run(lane, &run);
	return len == -EBADFD ? -EBADFD : 0;
}

void outbound_flush(struct lane *lane, struct peer *peer)
{
	struct keypair *keypair = sending_keypair(peer);
	uint64_t counter;

	/* The lock is held to the end, so that a worker cannot send a younger packet of the same
	 * flow in between. */
	pthread_mutex_lock(&peer->lock);
	struct path path = peer->path;
	unsigned count = peer->staged_count;
	bool ready = count && path.remote.sa.sa_family != AF_UNSPEC && keypair &&
		     keypair_alive(keypair, lane->now) && keypair_reserve(keypair, count, &counter);
	if (ready) {
		struct peer_staged *staged = peer_take_staged(peer);
		for (struct peer_staged *p = staged; p; p = p->next, ++counter) {
			struct run run = new_run(lane->device, peer, lane->bytes, p->len);
			memcpy(lane->bytes + HEADER, p->data, p->len);
			send_run(lane, &run, keypair, counter, &path);
		}
		peer_free_staged(staged);
	}
	pthread_mutex_unlock(&peer->lock);
	if (count && !ready)
		outbound_want_handshake(lane, peer);
}

void outbound_keepalive(struct lane *lane, struct peer *peer)
{
	struct run run = new_run(lane->device, peer, lane->bytes, 0);

	pthread_mutex_lock(&peer->lock);
	bool waiting = peer->staged_count;
	pthread_mutex_unlock(&peer->lock);
	if (waiting)
		outbound_flush(lane, peer);
	else
		dispatch_run(lane, &run);
}

void outbound_purge(struct lane *lane, struct peer *peer)
{
	pthread_mutex_lock(&peer->lock);
	struct peer_staged *staged = peer_take_staged(peer);
	pthread_mutex_unlock(&peer->lock);
	unsigned count = peer_free_staged(staged);
	if (count)
		device_drop(lane->device, peer, DROP_GIVEN_UP, count);
}

void outbound_message(struct lane *lane, struct peer *peer, const struct path *path, void *message,
		      size_t len)
{
	struct udp_train train = {.bytes = message, .len = len, .stride = len, .path = *path};

	send_train(lane, peer, &train);
}
