/* SPDX-License-Identifier: MIT
 * Everything that comes over the wire, to a whole engine with peers: the input is a script of what
 * the far ends, a stranger, the system, the clock and the user do. The far ends speak the protocol;
 * the stranger knows all that was sent, changes some of it, and makes MACs for it, but has no key.
 * What holds, whatever the script:
 *   - the stranger changes nothing, and gets no answer but a cookie, under load
 *   - what reaches the system is what a far end sent through its tunnel, each packet once at most
 *   - what reaches a far end is what the system sent, in order, under a fresh counter and live keys
 *   - every datagram is delivered, handed on or counted as a drop, and tables stay whole */
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include "engine/handshake.h"
#include "engine/packet.h"
#include "engine/peer.h"
#include "engine/transport.h"
#include "fars.h"
#include "fuzz.h"
#include "packets.h"
#include "turns.h"

#define STEPS_MAX 200
#define LATEST_MAX 8
#define TRAIN_MAX 8

/* Of a train of data messages; the lowest two bits are the outer header's ECN. */
enum data_flags {
	DATA_FORGED = 4,
	DATA_KEEPALIVE = 16,
	DATA_FLOW = 64, /* all of one flow */
	DATA_DAMAGED = 128,
};

/* The latest datagrams of the far ends. */
struct datagram {
	uint8_t bytes[2048];
	size_t len;
	unsigned far;
};

static struct {
	struct datagram latest[LATEST_MAX];
	unsigned count;
} wire;

static struct device *const device = &world.engine.device;

static void remember(unsigned far, const void *bytes, size_t len)
{
	struct datagram *latest = &wire.latest[wire.count++ % LATEST_MAX];

	if (len > sizeof(latest->bytes))
		len = sizeof(latest->bytes);
	memcpy(latest->bytes, bytes, len);
	latest->len = len;
	latest->far = far;
}

/* Changes some of what is not a MAC; then, perhaps, the MACs fit it again. */
static void forge(unsigned far, struct input *input, void *message, size_t len)
{
	enum wire_type type = wire_classify(message, len);
	bool has_macs = type == WIRE_INITIATION || type == WIRE_RESPONSE;
	size_t body = len - (has_macs ? 2 * WIRE_MAC_LEN : 0);
	uint8_t *bytes = exact(message, len);
	struct cookie_maker maker = fars.far[far].maker;

	/* The sender's index is nothing that the protocol protects. */
	size_t place = 8 + input_16(input) % (body - 8);
	bytes[place] ^= 1 + input_byte(input) % 255;
	/* A key of low order, of which all know what secret it shares. */
	uint8_t how = input_byte(input);
	if (has_macs && how & 2)
		memset(bytes + (type == WIRE_INITIATION ? 8 : 12), 0, KEY_LEN);
	if (has_macs && how & 1)
		fars_mac(&fars.far[far], bytes, len);
	fars.far[far].maker = maker;
	turns_forge(bytes, len, len);
	free(bytes);
}

/* One handshake message of a far end. Forged, it was never sent. */
static void handshake_step(unsigned far, struct input *input, unsigned kind, bool forged)
{
	struct far *self = &fars.far[far], before = *self;
	uint8_t message[WIRE_HANDSHAKE_MAX];
	size_t len = 0;

	if (kind == 0)
		len = fars_initiate(self, input_byte(input) & 1, (void *)message);
	else if (kind == 1)
		len = fars_respond(self, (void *)message);
	else
		len = fars_demand_cookie(self, (void *)message);
	if (forged)
		*self = before;
	if (!len)
		return;
	if (forged) {
		forge(far, input, message, len);
	} else if (kind < 2 && device_under_load(device, world.now) &&
		   sodium_is_zero(message + len - WIRE_MAC_LEN, WIRE_MAC_LEN)) {
		turns_forge(message, len, len); /* good, but for the cookie */
	} else {
		remember(far, message, len);
		turns_deliver(message, len, len, 0, &self->addr);
	}
}

/* An inner packet of a far end, or to it. */
static size_t make_packet(unsigned far, const struct model_spec *spec, struct input *input,
			  uint8_t *packet, bool inward)
{
	bool ip4 = spec->family == AF_INET;
	size_t len = model_build(spec, read_len(input, 1400), packet);
	uint8_t *own = packet + (inward ? (ip4 ? 12 : 8) : (ip4 ? 16 : 24));

	memset(own, 0, ip4 ? 4 : 16);
	own[0] = ip4 ? 10 : 0xfd;
	own[ip4 ? 3 : 15] = (uint8_t)(1 + far);
	model_seal(packet, len);
	return len;
}

/* The session that the script means: mostly the newest. NULL: there is none. */
static struct far_session *pick_session(struct far *far, uint8_t which)
{
	unsigned back = which & 8 ? which & 3 : 0;

	return back < far->session_count ? &far->sessions[far->session_count - 1 - back] : NULL;
}

/* On to a later counter, or a much later one. */
static void jump(struct far_session *session, struct input *input)
{
	uint64_t by = input_16(input);

	session->next += by << (input_byte(input) & 63);
}

/* A data message with the next packet of a flow, or another, or with none. Its length; 0: none. */
static size_t data_message(unsigned far, struct input *input, struct far_session *session,
			   struct model_spec *spec, uint8_t flags, uint8_t *message)
{
	static uint8_t packet[2 * MODEL_PACKET_MAX];
	size_t len = 0;

	if (!(flags & DATA_KEEPALIVE)) {
		if (!(flags & DATA_FLOW))
			*spec = read_spec(input);
		len = make_packet(far, spec, input, packet, true);
		spec->sequence += (uint32_t)(len - model_payload_at(packet));
		spec->id++;
	}
	if (len && flags & DATA_DAMAGED)
		damage(input, packet, len);
	/* A packet may claim some of the padding. */
	size_t padded = (len + WIRE_PADDING - 1) / WIRE_PADDING * WIRE_PADDING;
	memset(packet + len, 0, padded - len);
	if (!(flags & DATA_FORGED) && len && !fars_post(far, true, packet, padded))
		return 0;
	size_t size = fars_seal(session, packet, padded, message);
	if (!(flags & DATA_FORGED))
		remember(far, message, size);
	return size;
}

/* A train of data messages of one length but the last. */
static void data_step(unsigned far, struct input *input, bool forged)
{
	static uint8_t train[(TRAIN_MAX + 1) * 2048];
	uint8_t shape = input_byte(input), flags = input_byte(input);
	struct far_session *session = pick_session(&fars.far[far], shape);
	struct model_spec spec = read_spec(input);
	size_t stride = 0, at = 0, size;

	if (!session)
		return;
	if (shape & 4)
		jump(session, input);
	flags = (uint8_t)((flags & ~DATA_FORGED) | (forged ? DATA_FORGED : 0));
	for (unsigned count = 1 + shape / 32; count; --count) {
		size = data_message(far, input, session, &spec, flags, train + at);
		if (!size || (stride && size > stride))
			break;
		at += size;
		if (stride && size < stride)
			break;
		stride = size;
	}
	if (!at)
		return;
	if (!forged) {
		turns_deliver(train, at, stride, flags & 3, &fars.far[far].addr);
		return;
	}
	for (size_t begin = 0; begin < at; begin += stride) {
		size_t len = at - begin < stride ? at - begin : stride;
		size_t place = begin + input_16(input) % len;
		train[place] ^= 1 + input_byte(input) % 255;
	}
	turns_forge(train, at, stride);
}

static void raw_step(struct input *input)
{
	uint8_t bytes[512];
	size_t len = read_len(input, sizeof(bytes)), stride = read_len(input, sizeof(bytes));

	input_bytes(input, bytes, len);
	if (len >= 4 && input_byte(input) & 1)
		wire_put32(bytes, 1 + bytes[0] % 4u);
	if (!stride || stride > len)
		stride = len;
	turns_forge(bytes, len, stride);
}

static void came_back(const uint8_t *packet, size_t len)
{
	bool ip4 = packet[0] >> 4 == 4;

	/* Only that it could not be sent. */
	CHECK(len > 48 && packet[ip4 ? 9 : 6] == (ip4 ? IPPROTO_ICMP : IPPROTO_ICMPV6));
	CHECK(packet[ip4 ? 20 : 40] == (ip4 ? 3 : 1));
}

/* As the kernel hands a super-packet over, to be split at size bytes. */
static struct virtio_net_hdr make_super(uint8_t *packet, size_t len, size_t size)
{
	bool tcp = model_protocol(packet) == IPPROTO_TCP, ip4 = packet[0] >> 4 == 4;

	model_put(packet + model_check_at(packet), model_pseudo(packet, len));
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = !tcp  ? MODEL_UDP_L4
			    : ip4 ? VIRTIO_NET_HDR_GSO_TCPV4
				  : VIRTIO_NET_HDR_GSO_TCPV6,
		.gso_size = (uint16_t)size,
		.csum_start = (uint16_t)model_transport_at(packet),
		.csum_offset = tcp ? 16 : 6,
	};
}

/* One packet of the system, or a super-packet of parts with size bytes each (0: none). */
static void write_packet(unsigned far, struct input *input, size_t size)
{
	static uint8_t bytes[sizeof(struct virtio_net_hdr) + 2 * MODEL_PACKET_MAX];
	static uint8_t part[MODEL_PACKET_MAX];
	uint8_t *packet = bytes + sizeof(struct virtio_net_hdr);
	struct virtio_net_hdr header = {0};
	struct model_spec spec = read_spec(input);
	size_t len = make_packet(far, &spec, input, packet, false), some;

	if (size && len > model_payload_at(packet) + size) {
		for (size_t i = 0; (some = model_split(packet, len, size, i, part)); ++i)
			if (!fars_post(far, false, part, some))
				return;
		header = make_super(packet, len, size);
	} else if (!fars_post(far, false, packet, len)) {
		return;
	}
	memcpy(bytes, &header, sizeof(header));
	CHECK(send(world.tun, bytes, sizeof(header) + len, 0) > 0);
}

static void system_step(unsigned far, struct input *input)
{
	uint8_t shape = input_byte(input);

	for (unsigned count = 1 + shape % 4; count; --count)
		write_packet(far, input, shape >= 0x80 ? 1 + shape % 64 : 0);
	world_take_packets();
	turns_read_interface(came_back);
	world_control();
}

static void add_peer(unsigned far)
{
	struct prefix prefix4 = {
		.addr = {10, 0, 0, (uint8_t)(1 + far)}, .family = AF_INET, .cidr = 32};
	struct prefix prefix6 = {
		.addr = {0xfd, [15] = (uint8_t)(1 + far)}, .family = AF_INET6, .cidr = 128};
	struct peer *peer;

	if (turns_peer(far) || device_add_peer(device, &fars.far[far].local.public_key, &peer))
		return;
	peer->handshake.preshared_key = fars.far[far].preshared;
	CHECK(!device_insert_allowed(device, peer, &prefix4));
	CHECK(!device_insert_allowed(device, peer, &prefix6));
	/* The last one has to come to us first. */
	if (far + 1 < FARS)
		peer_set_remote(peer, &fars.far[far].addr);
}

static void user_step(unsigned far, struct input *input)
{
	static const int ERRORS[] = {EIO, EINVAL, ENETUNREACH, ENOBUFS};
	struct peer *peer = turns_peer(far);
	uint8_t what = input_byte(input), key;

	switch (what % 8) {
	case 0:
		if (peer)
			device_remove_peer(device, peer);
		/* With it goes what was known of its time stamps. */
		fars.far[far].answered = 0;
		break;
	case 1:
		add_peer(far);
		break;
	case 2:
		key = what >> 6;
		if (key < ENGINE_KEYS)
			fars_know_engine(key);
		device_set_private_key(device, key < ENGINE_KEYS ? &fars.engine[key] : NULL);
		break;
	case 3:
		/* What waits in the sockets would be lost with them. */
		turns_take();
		CHECK(!engine_set_up(&world.engine, what >> 7));
		break;
	case 4:
		if (peer)
			peer->timers.keepalive_interval = (what >> 3) * SECOND;
		break;
	case 5:
		engine_routes_changed(&world.engine);
		world.interface = what >> 6;
		break;
	case 6:
		world.send_error = ERRORS[what >> 6];
		break;
	case 7:
		if (what & 0x40)
			device->mtu = 40 + (what & 0x38);
		else if (peer && what & 0x80)
			device_clear_allowed(device, peer);
		else if (peer)
			device_wish(device, peer, PEER_WISH_HANDSHAKE);
		break;
	}
}

/* To where a limit is, or from one moment to the next at which the control thread has to look. */
static void pass_time(struct input *input)
{
	static const uint64_t TIMES[] = {
		MILLISECOND,      INITIATIONS_INTERVAL, SECOND, REKEY_TIMEOUT, KEEPALIVE_TIMEOUT,
		REKEY_AFTER_TIME, REJECT_AFTER_TIME,
	};
	uint8_t how = input_byte(input);

	turns_take();
	if (how % 8 < 7) {
		world_advance(TIMES[how % 8] * (1 + how / 64) + (how & 8 ? REKEY_JITTER_MAX : 0));
		world_control();
		return;
	}
	for (unsigned looks = 1 + how / 8; looks; --looks) {
		uint64_t next = world_control();
		if (next == TIMERS_NEVER)
			break;
		world_advance(next - world.now);
	}
	world_control();
}

static void move_far(unsigned far, struct input *input)
{
	union sockaddr_ip *addr = &fars.far[far].addr;
	uint8_t where = input_byte(input);

	memset(addr, 0, sizeof(*addr));
	if (where & 1) {
		addr->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
						  .sin6_port = htons(1000 + where),
						  .sin6_addr.s6_addr = {0xfd, [15] = where}};
	} else {
		addr->in4 = (struct sockaddr_in){.sin_family = AF_INET,
						 .sin_port = htons(1000 + where),
						 .sin_addr.s_addr = htonl(0xc0000200u + where)};
	}
}

/* Bits 0 to 3: what; 4 and 5: whose; 6 and 7: how. */
static void step(struct input *input)
{
	uint8_t op = input_byte(input);
	unsigned far = op / 16 % 4 % FARS, latest;
	bool forged = op & 0x40;

	switch (op & 15) {
	case 0:
	case 1:
	case 2:
		handshake_step(far, input, op & 15, forged);
		break;
	case 3:
	case 4:
		data_step(far, input, forged && op & 1);
		break;
	case 5:
		raw_step(input);
		break;
	case 6:
		/* Again, from where it came. */
		latest = input_byte(input) % LATEST_MAX;
		if (latest < wire.count)
			turns_deliver(wire.latest[latest].bytes, wire.latest[latest].len,
				      wire.latest[latest].len, 0,
				      &fars.far[wire.latest[latest].far].addr);
		break;
	case 7:
		pass_time(input);
		break;
	case 8:
	case 9:
		system_step(op & 1 && forged ? FARS : far, input);
		break;
	case 10:
		user_step(far, input);
		break;
	case 11:
		device->loaded_at = world.now;
		break;
	case 12:
	case 13:
		if (device->up)
			fars_agree(&fars.far[far], forged);
		break;
	case 14:
		move_far(far, input);
		break;
	}
	/* Else more of one batch follows. */
	if (!(op & 0x80))
		turns_take();
}

static void check_tables(void)
{
	size_t indices = 0, peers = 0, staged = 0;

	for (struct peer *peer = device_first_peer(device); peer; peer = device_next_peer(peer)) {
		struct keypair *keypairs[] = {peer->previous, peer->current, peer->next};

		for (unsigned i = 0; i < 3; ++i) {
			if (!keypairs[i])
				continue;
			++indices;
			CHECK(keypairs[i]->peer == peer);
			CHECK(indextable_find(&device->indices, keypairs[i]->index.index) ==
			      &keypairs[i]->index);
		}
		indices += indextable_find(&device->indices, peer->handshake_index.index) ==
			   &peer->handshake_index;
		staged += peer->staged_bytes;
		++peers;
	}
	CHECK(device->indices.count == indices && device->peers.count == peers);
	CHECK(device->staged_bytes == staged);
}

/* Nobody: its public key is of low order. Packets for it are never sent. */
static void add_nobody(void)
{
	static const struct key nobody = {.bytes = {1}};
	struct prefix prefix = {.addr = {10, 0, 0, 1 + FARS}, .family = AF_INET, .cidr = 32};
	struct peer *peer;

	CHECK(!device_add_peer(device, &nobody, &peer));
	CHECK(!device_insert_allowed(device, peer, &prefix));
	peer_set_remote(peer, &fars.far[0].addr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	world_begin(true);
	fars_begin();
	world.sent = fars_hear;
	wire.count = 0;
	turns_begin();
	device_set_private_key(device, &fars.engine[0]);
	for (unsigned i = 0; i < FARS; ++i)
		add_peer(i);
	add_nobody();
	for (unsigned steps = 0; input.left && steps < STEPS_MAX; ++steps)
		step(&input);
	turns_take();
	check_tables();
	world_end();
	fars_end();
	return 0;
}
