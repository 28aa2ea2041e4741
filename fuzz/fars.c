/* SPDX-License-Identifier: MIT
 * The far ends of the tunnels. */
#include "fars.h"

#include <netinet/in.h>
#include <sodium.h>
#include "engine/kdf.h"
#include "engine/packet.h"
#include "engine/peer.h"
#include "engine/transport.h"
#include "fuzz.h"

struct fars fars;

/* Everything of a far end but its static secrets, which cost a while. */
static struct far fresh[FARS];

static void address(union sockaddr_ip *addr, unsigned far)
{
	memset(addr, 0, sizeof(*addr));
	if (far == 2) {
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = htons(1002);
		addr->in6.sin6_addr.s6_addr[0] = 0xfd;
	} else {
		addr->in4.sin_family = AF_INET;
		addr->in4.sin_port = htons((uint16_t)(1000 + far));
		addr->in4.sin_addr.s_addr = htonl(0xc0000201u + far);
	}
}

static void start(void)
{
	for (unsigned i = 0; i < FARS; ++i) {
		struct key private = {.bytes = {[1] = (uint8_t)(0x80 + i)}};

		noise_local_set(&fresh[i].local, &private);
		fresh[i].preshared.bytes[5] = i == 1;
		fresh[i].clock = 1;
		cookie_checker_init(&fresh[i].checker, &fresh[i].local.public_key);
		address(&fresh[i].addr, i);
	}
	for (unsigned i = 0; i < ENGINE_KEYS; ++i) {
		fars.engine[i].bytes[1] = (uint8_t)(i + 1 < ENGINE_KEYS ? 1 + i : 0x80);
		noise_local_set(&fars.engine_local[i], &fars.engine[i]);
	}
}

void fars_know_engine(unsigned key)
{
	for (unsigned i = 0; i < FARS; ++i) {
		struct far *far = &fars.far[i];

		noise_handshake_init(&far->handshake, &fars.engine_local[key].public_key);
		far->handshake.preshared_key = far->preshared;
		cookie_maker_init(&far->maker, &fars.engine_local[key].public_key);
		far->was_asked = false;
		far->heard_len = 0;
	}
}

void fars_begin(void)
{
	if (!fresh[0].local.present)
		start();
	memcpy(fars.far, fresh, sizeof(fresh));
	fars.parcel_count = fars.sent = fars.cookies = fars.indices = fars.ephemerals = 0;
	memset(fars.heard, 0, sizeof(fars.heard));
	address(&fars.stranger, 0x66);
	fars_know_engine(0);
}

void fars_end(void)
{
	for (unsigned i = 0; i < fars.parcel_count; ++i)
		free(fars.parcels[i].bytes);
	fars.parcel_count = 0;
}

/* What the far ends send */

static struct key draw_ephemeral(void)
{
	struct key key = {.bytes = {1}};

	wire_put32(key.bytes + 8, ++fars.ephemerals);
	return key;
}

size_t fars_initiate(struct far *far, bool again, struct wire_initiation *message)
{
	struct key ephemeral = draw_ephemeral();
	uint8_t timestamp[WIRE_TIMESTAMP_LEN] = {0x40};

	far->clock += again ? 0 : 1;
	transport_put32(timestamp + 4, far->clock);
	if (noise_create_initiation(&far->handshake, &far->local, &ephemeral, ++fars.indices,
				    timestamp, message))
		return 0;
	fars_mac(far, (uint8_t *)message, sizeof(*message));
	CHECK(fars.indices < INDICES_MAX);
	fars.clocks[fars.indices] = far->clock;
	return sizeof(*message);
}

static void begin_session(struct far *far, bool responder)
{
	struct far_session *session = &far->sessions[far->session_count++];
	struct noise_session fresh_session;

	CHECK(far->session_count <= FAR_SESSIONS);
	CHECK(!noise_begin_session(&far->handshake, &fresh_session));
	*session = (struct far_session){
		.send = fresh_session.send,
		.receive = fresh_session.receive,
		.index = fresh_session.local_index,
		.engines = fresh_session.remote_index,
		.born = world.now,
		.responder = responder,
	};
}

size_t fars_respond(struct far *far, struct wire_response *message)
{
	struct noise_initiation opened;
	struct key ephemeral = draw_ephemeral();

	if (!far->was_asked || far->session_count == FAR_SESSIONS)
		return 0;
	/* The engine's own time stamps do not matter to us. */
	memset(far->handshake.latest_timestamp, 0, WIRE_TIMESTAMP_LEN);
	far->handshake.latest_initiation = 0;
	if (noise_open_initiation(&opened, &far->local, &far->asked) ||
	    noise_accept_initiation(&far->handshake, &far->local, &opened, &far->asked, world.now))
		return 0;
	CHECK(!noise_create_response(&far->handshake, &ephemeral, ++fars.indices, message));
	begin_session(far, false);
	fars_mac(far, (uint8_t *)message, sizeof(*message));
	return sizeof(*message);
}

size_t fars_demand_cookie(struct far *far, struct wire_cookie_reply *message)
{
	static const uint8_t nonce[COOKIE_NONCE_LEN] = {1}, secret[COOKIE_SECRET_LEN] = {2};
	union sockaddr_ip engine = {.in4 = {.sin_family = AF_INET, .sin_port = WORLD_PORT}};

	if (!far->heard_len)
		return 0;
	cookie_create_reply(&far->checker, message, far->heard, far->heard_len,
			    wire_get32(far->heard + 4), &engine, nonce, secret, world.now);
	return sizeof(*message);
}

void fars_mac(struct far *far, uint8_t *message, size_t len)
{
	cookie_add_macs(&far->maker, message, len, world.now);
}

size_t fars_seal(struct far_session *session, const uint8_t *packet, size_t len, uint8_t *message)
{
	struct wire_data *wire = (struct wire_data *)(void *)message;
	uint8_t nonce[12] = {0};

	wire_put32(wire->type, WIRE_DATA);
	wire_put32(wire->receiver, session->engines);
	wire_put64(wire->counter, session->next);
	memcpy(nonce + 4, wire->counter, 8);
	++session->next;
	crypto_aead_chacha20poly1305_ietf_encrypt(wire->sealed, NULL, packet, len, NULL, 0, NULL,
						  nonce, session->send.bytes);
	return WIRE_OVERHEAD + len;
}

struct far_session *fars_agree(struct far *far, bool initiator)
{
	struct device *device = &world.engine.device;
	struct peer *peer = device_find_peer(device, &far->local.public_key);

	if (!peer || far->session_count == FAR_SESSIONS || device_new_handshake_index(device, peer))
		return NULL;
	struct noise_handshake *engine = &peer->handshake;
	noise_handshake_reset(engine);
	wire_put32(engine->symmetric.chaining, ++fars.ephemerals);
	engine->initiator = initiator;
	engine->state = initiator ? NOISE_RESPONSE_TAKEN : NOISE_RESPONSE_SENT;
	engine->local_index = peer->handshake_index.index;
	engine->remote_index = ++fars.indices;
	noise_handshake_reset(&far->handshake);
	far->handshake.symmetric = engine->symmetric;
	far->handshake.initiator = !initiator;
	far->handshake.state = initiator ? NOISE_RESPONSE_SENT : NOISE_RESPONSE_TAKEN;
	far->handshake.local_index = engine->remote_index;
	far->handshake.remote_index = engine->local_index;
	CHECK(!device_begin_session(device, peer, world.now));
	timers_session_derived(&peer->timers, world.now);
	begin_session(far, !initiator);
	return &far->sessions[far->session_count - 1];
}

/* What they hear */

static void hear_handshake(const struct world_datagram *datagram)
{
	for (unsigned i = 0; i < FARS; ++i) {
		struct far *far = &fars.far[i];
		struct noise_handshake before = far->handshake;
		const struct wire_response *response = (const void *)datagram->bytes;

		if (!cookie_check_mac1(&far->checker, datagram->bytes, datagram->len))
			continue;
		memcpy(far->heard, datagram->bytes, datagram->len);
		far->heard_len = datagram->len;
		if (datagram->len == sizeof(far->asked)) {
			memcpy(&far->asked, datagram->bytes, sizeof(far->asked));
			far->was_asked = true;
			return;
		}
		uint32_t clock = fars.clocks[wire_get32(response->receiver) % INDICES_MAX];
		CHECK(clock > far->answered);
		far->answered = clock;
		if (far->session_count < FAR_SESSIONS &&
		    !noise_consume_response(&far->handshake, &far->local, response)) {
			begin_session(far, true);
		} else {
			/* To an initiation that is not our latest. */
			CHECK(!memcmp(&before, &far->handshake, sizeof(before)));
		}
		return;
	}
	CHECK(!"a handshake message that is for nobody");
}

static struct far_session *find_session(uint32_t index, unsigned *far)
{
	for (*far = 0; *far < FARS; ++*far)
		for (unsigned i = 0; i < fars.far[*far].session_count; ++i)
			if (fars.far[*far].sessions[i].index == index)
				return &fars.far[*far].sessions[i];
	return NULL;
}

/* In the order in which they were posted; some may be missing. */
static void hear_packet(unsigned far, const uint8_t *packet, size_t len)
{
	for (unsigned i = fars.heard[far]; i < fars.parcel_count; ++i) {
		const struct parcel *parcel = &fars.parcels[i];

		if (parcel->inward || parcel->far != far || parcel->len > len ||
		    memcmp(parcel->bytes, packet, parcel->len) != 0)
			continue;
		CHECK(sodium_is_zero(packet + parcel->len, len - parcel->len));
		CHECK(len - parcel->len < WIRE_PADDING);
		fars.heard[far] = i + 1;
		return;
	}
	CHECK(!"a packet that nobody sent, twice, or out of order");
}

static void hear_data(const struct world_datagram *datagram)
{
	const struct wire_data *wire = (const void *)datagram->bytes;
	size_t len = datagram->len - WIRE_OVERHEAD;
	uint64_t counter = wire_get64(wire->counter);
	uint8_t nonce[12] = {0}, *packet = malloc(len + 1);
	unsigned far;

	struct far_session *session = find_session(wire_get32(wire->receiver), &far);
	CHECK(session && packet);
	memcpy(nonce + 4, wire->counter, 8);
	CHECK(!crypto_aead_chacha20poly1305_ietf_decrypt(packet, NULL, NULL, wire->sealed,
							 len + WIRE_TAG_LEN, NULL, 0, nonce,
							 session->receive.bytes));
	/* No counter twice under one key, and no key past its life. */
	CHECK(counter >= session->heard);
	session->heard = counter + 1;
	CHECK(!session->responder || world.now - session->born < REJECT_AFTER_TIME);
	if (len)
		hear_packet(far, packet, len);
	free(packet);
}

void fars_hear(const struct world_datagram *datagram)
{
	++fars.sent;
	switch (wire_classify(datagram->bytes, datagram->len)) {
	case WIRE_INITIATION:
	case WIRE_RESPONSE:
		CHECK(!endpoint_equal(&datagram->to, &fars.stranger));
		hear_handshake(datagram);
		break;
	case WIRE_COOKIE_REPLY:
		++fars.cookies;
		for (unsigned i = 0; i < FARS; ++i)
			(void)cookie_consume_reply(&fars.far[i].maker,
						   (const void *)datagram->bytes, world.now);
		break;
	case WIRE_DATA:
		CHECK(!endpoint_equal(&datagram->to, &fars.stranger));
		hear_data(datagram);
		break;
	case WIRE_INVALID:
		CHECK(!"a datagram of no known type");
	}
}

/* Parcels */

struct parcel *fars_post(unsigned far, bool inward, const uint8_t *bytes, size_t len)
{
	if (fars.parcel_count == PARCELS_MAX)
		return NULL;
	struct parcel *parcel = &fars.parcels[fars.parcel_count++];
	*parcel = (struct parcel){
		.bytes = exact(bytes, len), .len = len, .far = far, .inward = inward};
	return parcel;
}

/* Takes off what the way may change: ECN, with the IPv4 header's checksum, the id of an IPv4 packet
 * that is not to be fragmented, and which zero of ones' complement a TCP checksum is. */
static void plain(uint8_t *packet, size_t len)
{
	bool ip4 = packet[0] >> 4 == 4;
	size_t check = (ip4 ? 20 : 40) + TCP_AT_CHECK;

	if (packet[ip4 ? 9 : 6] == IPPROTO_TCP && len >= check + 2 &&
	    transport_get16(packet + check) == 0xffff)
		transport_put16(packet + check, 0);
	if (!ip4) {
		packet[1] &= 0xcf;
		return;
	}
	packet[1] &= 0xfc;
	memset(packet + 10, 0, 2);
	if (packet[6] & 0x40)
		memset(packet + 4, 0, 2);
}

/* Only from the addresses that the user gave the far end may packets come through its tunnel. */
static void check_source(const uint8_t *packet, unsigned far)
{
	bool ip4 = packet[0] >> 4 == 4;
	const uint8_t *source = packet_source(packet, ip4 ? AF_INET : AF_INET6);
	size_t len = ip4 ? 4 : 16;

	CHECK(source[0] == (ip4 ? 10 : 0xfd) && source[len - 1] == 1 + far);
	CHECK(sodium_is_zero(source + 1, len - 2));
}

void fars_arrived(const uint8_t *packet, size_t len)
{
	uint8_t *came = exact(packet, len), *posted;
	bool found = false;

	CHECK(packet_family(came, len) &&
	      packet_claimed_len(came, packet_family(came, len)) == len);
	plain(came, len);
	for (unsigned i = 0; i < fars.parcel_count && !found; ++i) {
		struct parcel *parcel = &fars.parcels[i];

		/* The sender may have padded it as it likes. */
		if (!parcel->inward || parcel->arrived || parcel->len < len)
			continue;
		posted = exact(parcel->bytes, parcel->len);
		plain(posted, len);
		found = parcel->arrived = !memcmp(came, posted, len);
		free(posted);
		if (found)
			check_source(came, parcel->far);
	}
	CHECK(found);
	free(came);
}
