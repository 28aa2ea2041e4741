/* SPDX-License-Identifier: MIT
 * Turns of the engine, and what must hold after each. */
#include "turns.h"

#include "../tests/unit/transport_model.h"
#include "engine/device.h"
#include "engine/peer.h"
#include "fars.h"
#include "fuzz.h"

static struct device *const device = &world.engine.device;
/* Datagrams that wait, and data messages without data among them. */
static unsigned queued, keepalives;

struct peer *turns_peer(unsigned far)
{
	return device_find_peer(device, &fars.far[far].local.public_key);
}

void turns_begin(void)
{
	queued = keepalives = 0;
}

/* What the stranger must not be able to change. */
struct standing {
	struct path path;
	uint64_t rx_bytes, retry_at;
	const struct keypair *previous, *current, *next;
	struct noise_handshake handshake;
	struct cookie_maker cookie;
	bool heard;
};

static void note(struct standing standing[FARS])
{
	memset(standing, 0, FARS * sizeof(*standing));
	for (unsigned i = 0; i < FARS; ++i) {
		const struct peer *peer = turns_peer(i);
		if (!peer)
			continue;
		standing[i].path = peer->path;
		standing[i].path.generation = 0;
		standing[i].path.elsewhere = false;
		standing[i].rx_bytes = peer->rx_bytes;
		standing[i].retry_at = peer->timers.retry_at;
		standing[i].previous = peer->previous;
		standing[i].current = peer->current;
		standing[i].next = peer->next;
		standing[i].heard = peer->next && peer->next->heard;
		standing[i].handshake = peer->handshake;
		/* It may have been learnt on the way to the refusal. */
		key_wipe(&standing[i].handshake.static_static);
		standing[i].handshake.static_static_known = false;
		standing[i].cookie = peer->cookie;
	}
}

static uint64_t all_drops(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DROP_COUNT; ++i)
		sum += drop_get(&device->drops, i);
	return sum;
}

unsigned turns_read_interface(void (*came)(const uint8_t *packet, size_t len))
{
	static uint8_t bytes[sizeof(struct virtio_net_hdr) + MODEL_PACKET_MAX];
	static uint8_t part[MODEL_PACKET_MAX];
	const uint8_t *packet = bytes + sizeof(struct virtio_net_hdr);
	struct virtio_net_hdr header;
	unsigned count = 0;
	ssize_t len;

	while ((len = recv(world.tun, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
		CHECK((size_t)len > sizeof(header));
		memcpy(&header, bytes, sizeof(header));
		len -= (ssize_t)sizeof(header);
		if (!header.gso_type) {
			CHECK(!header.flags);
			came(packet, (size_t)len);
			++count;
			continue;
		}
		size_t some;
		for (size_t i = 0;
		     (some = model_split(packet, (size_t)len, header.gso_size, i, part)); ++i) {
			came(part, some);
			++count;
		}
	}
	return count;
}

void turns_take(void)
{
	uint64_t drops = all_drops();
	unsigned before = device->queue_count;

	world_receive();
	unsigned arrived = turns_read_interface(fars_arrived);
	uint64_t known = all_drops() - drops + (device->queue_count - before) + arrived;
	CHECK(known <= queued && queued - known <= keepalives);
	queued = keepalives = 0;
	world_control();
	CHECK(!device->queue_count);
}

void turns_deliver(const uint8_t *bytes, size_t len, size_t stride, uint8_t tos,
		   const union sockaddr_ip *from)
{
	bool listening = world.engine.workers[0].udp.fd4 >= 0;

	if (!listening || !world_queue(bytes, len, stride, tos, from, from->in4.sin_port & 7))
		return;
	queued += (unsigned)(stride ? (len + stride - 1) / stride : 1);
	for (size_t at = 0; at < len; at += stride)
		keepalives += (len - at < stride ? len - at : stride) == WIRE_OVERHEAD;
}

void turns_forge(const uint8_t *bytes, size_t len, size_t stride)
{
	struct standing before[FARS], after[FARS];

	turns_take();
	note(before);
	unsigned sent = fars.sent, cookies = fars.cookies;
	bool loaded = device_under_load(device, world.now);
	turns_deliver(bytes, len, stride, 0, &fars.stranger);
	turns_take();
	note(after);
	CHECK(!memcmp(before, after, sizeof(before)));
	CHECK(fars.sent - sent == fars.cookies - cookies && (loaded || fars.sent == sent));
}
