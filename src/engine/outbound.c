/* SPDX-License-Identifier: MIT
 * The way out (whitepaper section 5.4.6):
 *   1. read packets from the TUN, each to the place where its datagram is built
 *   2. cryptokey routing: destination -> peer; equal packets of one peer in a row are a run
 *   3. once a run: keypair, counters, path
 *   4. seal in place, send, stamp
 * A super-packet is a run, or a few, by itself.
 * Side doors: no usable keypair -> stage on the peer and ask for a handshake; or a drop. */
#include "engine/outbound.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <string.h>
#include "engine/device.h"
#include "engine/ecn.h"
#include "engine/icmp.h"
#include "engine/packet.h"
#include "engine/peer.h"
#include "engine/route.h"
#include "engine/segment.h"

#define HEADER sizeof(struct wire_data)
#define DSCP_AF41 0x88 /* of handshakes: a congested link should not end sessions */

/* Packets of one peer, each already where its datagram is built: packet i at bytes + i * stride +
 * HEADER. */
struct run {
	struct peer *peer;
	uint8_t *bytes;
	size_t len;      /* of each packet but the last, without padding */
	size_t last_len; /* not more */
	size_t stride;   /* of the datagrams but the last */
	size_t last_stride;
	unsigned count;
	uint8_t tos; /* of the outer header */
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

static size_t stride_of(const struct device *device, size_t len)
{
	return HEADER + padded_len(device, len) + WIRE_TAG_LEN;
}

static struct run new_run(const struct device *device, struct peer *peer, uint8_t *bytes,
			  size_t len)
{
	return (struct run){
		.peer = peer,
		.bytes = bytes,
		.len = len,
		.last_len = len,
		.stride = stride_of(device, len),
		.last_stride = stride_of(device, len),
		.count = 1,
	};
}

/* Adds a packet at the end, which must not be longer than the others. */
static void extend(const struct device *device, struct run *run, size_t len)
{
	++run->count;
	run->last_len = len;
	run->last_stride = len < run->len ? stride_of(device, len) : run->stride;
	/* The MTU may just have grown. */
	if (run->last_stride > run->stride)
		run->last_stride = run->stride;
}

static size_t packet_len(const struct run *run, unsigned i)
{
	return i + 1 < run->count ? run->len : run->last_len;
}

/* Seals all; the length of the train. */
static size_t seal(struct lane *lane, const struct run *run, struct keypair *keypair,
		   uint64_t counter)
{
	for (unsigned i = 0; i < run->count; ++i) {
		struct wire_data *header = (struct wire_data *)(run->bytes + i * run->stride);
		size_t stride = i + 1 < run->count ? run->stride : run->last_stride;
		size_t len = packet_len(run, i), padded = stride - WIRE_OVERHEAD;
		wire_put32(header->type, WIRE_DATA);
		wire_put32(header->receiver, keypair->remote_index);
		wire_put64(header->counter, counter + i);
		memset(header->sealed + len, 0, padded - len);
		lane->ops[i] = (struct aead_op){
			.dst = header->sealed,
			.src = header->sealed,
			.len = padded,
			.counter = counter + i,
		};
	}
	aead_seal_many(&lane->aead, keypair->send.bytes, lane->ops, run->count);
	return run->stride * (run->count - 1) + run->last_stride;
}

static void send_train(struct lane *lane, struct peer *peer, const struct udp_train *train)
{
	if (udp_send(lane->udp, train))
		device_drop(lane->device, peer, DROP_SEND_FAILED,
			    (unsigned)((train->len + train->stride - 1) / train->stride));
	else if (peer)
		atomic_fetch_add_explicit(&peer->tx_bytes, train->len, memory_order_relaxed);
}

/* Takes the peer's lock, with a path that may be used: a source that was learnt counts as long as
 * the route of the day leaves by the interface that it was learnt on. That is asked once a change
 * of the machine's routes, and before anything is sent. */
static void lock_path(struct lane *lane, struct peer *peer)
{
	uint32_t generation =
		atomic_load_explicit(&lane->device->routes_generation, memory_order_relaxed);

	pthread_mutex_lock(&peer->lock);
	struct path path = peer->path;
	if (!path.ifindex || path.generation == generation)
		return;
	pthread_mutex_unlock(&peer->lock);
	uint32_t ifindex = route_interface(lane->route, &path, lane->udp->fwmark);
	pthread_mutex_lock(&peer->lock);
	if (peer_same_source(&peer->path, &path)) {
		/* Where nothing is known, the system chooses, and is asked again next time. */
		peer->path.elsewhere = ifindex != path.ifindex;
		if (ifindex != ROUTE_UNKNOWN)
			peer->path.generation = generation;
	}
}

/* Seals and sends a run under a keypair whose counters were reserved. */
static void send_run(struct lane *lane, const struct run *run, struct keypair *keypair,
		     uint64_t counter, const struct path *path)
{
	struct udp_train train = {
		.bytes = run->bytes,
		.len = seal(lane, run, keypair, counter),
		.stride = run->stride,
		.tos = run->tos,
		.path = *path,
	};

	/* Before it is sent: another worker may see the answer before we are back. */
	timers_authenticated_sent(&run->peer->timers, lane->now);
	if (run->len)
		timers_data_sent(&run->peer->timers, lane->now);
	send_train(lane, run->peer, &train);
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
			device_stage(lane->device, run->peer, run->bytes + i * run->stride + HEADER,
				     packet_len(run, i));
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

/* Tells the sender, a thousand times a second at the most, fifty at once. */
static void answer_unreachable(struct lane *lane, const uint8_t *packet, size_t len, int family)
{
	uint8_t answer[ICMP_ANSWER_MAX];
	const uint64_t credit = 50 * MILLISECOND;

	if (!lane->tun)
		return;
	if (lane->now > credit && lane->answered < lane->now - credit)
		lane->answered = lane->now - credit;
	if (lane->answered >= lane->now)
		return;
	size_t answer_len = icmp_unreachable(answer, packet, len, family);
	if (answer_len && !lane_write(lane, answer, answer_len))
		lane->answered += MILLISECOND;
}

static void refuse_run(struct lane *lane, const struct run *run)
{
	const uint8_t *packet = run->bytes + HEADER;
	size_t len = packet_len(run, 0);

	device_drop(lane->device, run->peer, DROP_NO_ENDPOINT, run->count);
	if (packet_family(packet, len))
		answer_unreachable(lane, packet, len, packet_family(packet, len));
}

static void dispatch_run(struct lane *lane, const struct run *run)
{
	struct peer *peer = run->peer;
	struct keypair *keypair = sending_keypair(peer);
	struct path path;
	uint64_t counter;

	lock_path(lane, peer);
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
		refuse_run(lane, run);
}

/* Cryptokey routing. NULL: dropped. */
static struct peer *route(struct lane *lane, const uint8_t *packet, size_t len, int family)
{
	struct device *device = lane->device;
	struct allowedips_owner *owner;

	if (!family) {
		device_drop(device, NULL, DROP_NOT_IP, 1);
		return NULL;
	}
	owner = family == AF_INET
			? allowedips_lookup4(&device->allowed, packet_destination(packet, family))
			: allowedips_lookup6(&device->allowed, packet_destination(packet, family));
	if (!owner) {
		device_drop(device, NULL, DROP_NO_PEER, 1);
		answer_unreachable(lane, packet, len, family);
		return NULL;
	}
	return PEER_OF_ALLOWED(owner);
}

/* A shorter packet may only be the last. */
static bool joins(const struct run *run, const struct peer *peer, size_t len, uint8_t tos)
{
	return run->peer == peer && run->tos == tos && run->last_len == run->len &&
	       len <= run->len && (run->count + 1) * run->stride <= LANE_TRAIN_BYTES;
}

static void end_run(struct lane *lane, struct run *run)
{
	if (run->count)
		dispatch_run(lane, run);
	run->count = 0;
}

/* A plain packet, read to the place behind the run: joins it, or begins another there. */
static void take_packet(struct lane *lane, struct run *run, struct peer *peer, uint8_t *place,
			size_t len, uint8_t tos)
{
	if (run->count && joins(run, peer, len, tos)) {
		extend(lane->device, run, len);
		return;
	}
	end_run(lane, run);
	*run = new_run(lane->device, peer, place, len);
	run->tos = tos;
}

/* A super-packet: one or a few trains by itself. */
static void take_super(struct lane *lane, struct peer *peer, const struct segment *segment,
		       uint8_t tos)
{
	struct run run = {0};

	for (unsigned i = 0; i < segment->count; ++i) {
		size_t len = i + 1 < segment->count ? segment->len : segment->last_len;
		if (run.count == LANE_RUN_MAX || (run.count && !joins(&run, peer, len, tos)))
			end_run(lane, &run);
		if (run.count) {
			extend(lane->device, &run, len);
		} else {
			run = new_run(lane->device, peer, lane->train, len);
			run.tos = tos;
		}
		segment_write(segment, i, lane->train + (run.count - 1) * run.stride + HEADER);
	}
	end_run(lane, &run);
}

int outbound_read(struct lane *lane)
{
	struct virtio_net_hdr header;
	struct segment segment;
	struct run run = {0};
	uint8_t *place = lane->bytes;
	ssize_t len = 0;

	for (unsigned taken = 0; taken < LANE_RUN_MAX;) {
		if ((size_t)(lane->bytes + LANE_BYTES - place) < LANE_SLOT_MAX) {
			end_run(lane, &run);
			place = lane->bytes;
		}
		uint8_t *packet = place + HEADER;
		len = tun_read(lane->tun, packet, TUN_PACKET_MAX, &header);
		if (len <= 0)
			break;
		int family = packet_family(packet, (size_t)len);
		struct peer *peer = route(lane, packet, (size_t)len, family);
		++taken;
		if (!peer)
			continue;
		if (segment_parse(&segment, &header, packet, (size_t)len)) {
			device_drop(lane->device, peer, DROP_BAD_OFFLOAD, 1);
			continue;
		}
		if (segment.count == 1) {
			take_packet(lane, &run, peer, place, (size_t)len, ecn_get(packet, family));
			place += run.stride;
		} else {
			end_run(lane, &run);
			take_super(lane, peer, &segment, ecn_get(packet, family));
			taken += segment.count;
		}
	}
	end_run(lane, &run);
	return len == -EBADFD ? -EBADFD : 0;
}

void outbound_flush(struct lane *lane, struct peer *peer)
{
	struct keypair *keypair = sending_keypair(peer);
	uint64_t counter;

	/* The lock is held to the end, so that a worker cannot send a younger packet of the same
	 * flow in between. */
	lock_path(lane, peer);
	struct path path = peer->path;
	unsigned count = peer->staged_count;
	bool ready = count && path.remote.sa.sa_family != AF_UNSPEC && keypair &&
		     keypair_alive(keypair, lane->now) && keypair_reserve(keypair, count, &counter);
	if (ready) {
		struct peer_staged *staged = device_take_staged(lane->device, peer);
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
	struct peer_staged *staged = device_take_staged(lane->device, peer);
	pthread_mutex_unlock(&peer->lock);
	unsigned count = peer_free_staged(staged);
	if (count)
		device_drop(lane->device, peer, DROP_GIVEN_UP, count);
}

void outbound_message(struct lane *lane, struct peer *peer, void *message, size_t len)
{
	lock_path(lane, peer);
	struct path path = peer->path;
	pthread_mutex_unlock(&peer->lock);
	outbound_answer(lane, peer, &path, message, len);
}

void outbound_answer(struct lane *lane, struct peer *peer, const struct path *path, void *message,
		     size_t len)
{
	struct udp_train train = {
		.bytes = message,
		.len = len,
		.stride = len,
		.tos = DSCP_AF41,
		.path = *path,
	};

	send_train(lane, peer, &train);
}
