/* SPDX-License-Identifier: MIT
 * Many peers that begin handshakes with one engine. The initiations are made before the clock runs,
 * and the responses are opened after it has stopped, so that little but the engine's half is
 * measured. */
#include "flooder.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "engine/blake2s.h"
#include "engine/cookie.h"
#include "engine/noise.h"

#define SOCKETS 16 /* several, so that an engine with several sockets has work for all of them */
#define ROOM (4 << 20)
#define GIVE_UP (2 * SECOND)
#define STAMP_STEP (40 * MILLISECOND)

struct handshake {
	struct noise_handshake initiator; /* waits for the response */
	struct wire_initiation initiation;
	struct wire_response response;
	bool answered;
};

struct crowd {
	unsigned peers, count; /* count: of handshakes, in the order in which they begin */
	struct noise_local *locals;
	struct handshake *handshakes;
	struct pollfd sockets[SOCKETS];
	unsigned sent, answered, others;
};

/* Throw-away keys, the same in every run. */
static void derive_private(struct key *private, unsigned number)
{
	blake2s_hash(private->bytes, KEY_LEN, &number, sizeof(number), NULL, 0);
	key_clamp(private);
}

int flooder_peers(char **words)
{
	unsigned count = (unsigned)strtoul(words[0], NULL, 10);
	char text[KEY_BASE64_LEN + 1];
	struct key private, public;

	for (unsigned i = 0; i < count; ++i) {
		derive_private(&private, i);
		key_derive_public(&public, &private);
		key_to_base64(text, &public);
		printf("[Peer]\nPublicKey = %s\n", text);
	}
	return 0;
}

static void make_initiations(struct crowd *crowd, const struct key *victim)
{
	struct noise_handshake *peers = calloc(crowd->peers, sizeof(*peers));
	struct cookie_maker maker;
	struct timespec now;

	if (!peers)
		flooder_fail("memory");
	cookie_maker_init(&maker, victim);
	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned i = 0; i < crowd->peers; ++i) {
		struct key private;
		derive_private(&private, i);
		noise_local_set(&crowd->locals[i], &private);
		noise_handshake_init(&peers[i], victim);
	}
	for (unsigned i = 0; i < crowd->count; ++i) {
		struct handshake *handshake = &crowd->handshakes[i];
		uint64_t stamp = (uint64_t)now.tv_nsec + i / crowd->peers * STAMP_STEP;
		uint8_t timestamp[WIRE_TIMESTAMP_LEN];
		unsigned peer = i % crowd->peers;
		struct key ephemeral;

		noise_timestamp(timestamp, now.tv_sec + (int64_t)(stamp / SECOND),
				(uint32_t)(stamp % SECOND));
		key_generate(&ephemeral);
		if (noise_create_initiation(&peers[peer], &crowd->locals[peer], &ephemeral, i,
					    timestamp, &handshake->initiation)) {
			errno = EINVAL;
			flooder_fail("cannot make an initiation");
		}
		handshake->initiator = peers[peer];
		cookie_add_macs(&maker, (uint8_t *)&handshake->initiation,
				sizeof(handshake->initiation), SECOND);
	}
	free(peers);
}

static void open_sockets(struct crowd *crowd, const struct sockaddr_in *to)
{
	int room = ROOM;

	for (unsigned i = 0; i < SOCKETS; ++i) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
			flooder_fail("socket");
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
		crowd->sockets[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
}

static void take_answer(struct crowd *crowd, const uint8_t *bytes, size_t len)
{
	if (wire_classify(bytes, len) == WIRE_RESPONSE) {
		const struct wire_response *response = (const struct wire_response *)bytes;
		uint32_t number = wire_get32(response->receiver);
		if (number < crowd->count && !crowd->handshakes[number].answered) {
			crowd->handshakes[number].response = *response;
			crowd->handshakes[number].answered = true;
			++crowd->answered;
			return;
		}
	}
	++crowd->others;
}

static void receive(struct crowd *crowd)
{
	uint8_t bytes[2048];
	ssize_t len;

	for (unsigned i = 0; i < SOCKETS; ++i)
		while (crowd->sockets[i].revents &&
		       (len = recv(crowd->sockets[i].fd, bytes, sizeof(bytes), 0)) >= 0)
			take_answer(crowd, bytes, (size_t)len);
}

/* Nanoseconds until the last answer. */
static uint64_t exchange(struct crowd *crowd, unsigned window)
{
	uint64_t start = flooder_clock(), last = start;

	while (crowd->answered < crowd->count && flooder_clock() - last < GIVE_UP) {
		unsigned before = crowd->answered;
		while (crowd->sent < crowd->count && crowd->sent - crowd->answered < window) {
			struct handshake *next = &crowd->handshakes[crowd->sent];
			(void)!send(crowd->sockets[crowd->sent % SOCKETS].fd, &next->initiation,
				    sizeof(next->initiation), 0);
			++crowd->sent;
		}
		poll(crowd->sockets, SOCKETS, 100);
		receive(crowd);
		if (crowd->answered != before)
			last = flooder_clock();
	}
	return last - start;
}

/* Opens the response; the last of a peer is confirmed by a keepalive. */
static void conclude(struct crowd *crowd, unsigned number)
{
	struct handshake *handshake = &crowd->handshakes[number];
	struct noise_session session;
	struct {
		struct wire_data header;
		uint8_t tag[WIRE_TAG_LEN];
	} keepalive = {0};
	const uint8_t nonce[12] = {0};

	if (noise_consume_response(&handshake->initiator, &crowd->locals[number % crowd->peers],
				   &handshake->response) ||
	    noise_begin_session(&handshake->initiator, &session)) {
		errno = EBADMSG;
		flooder_fail("a response is wrong");
	}
	if (number + crowd->peers < crowd->count)
		return;
	wire_put32(keepalive.header.type, WIRE_DATA);
	wire_put32(keepalive.header.receiver, session.remote_index);
	crypto_aead_chacha20poly1305_ietf_encrypt(keepalive.tag, NULL, NULL, 0, NULL, 0, NULL,
						  nonce, session.send.bytes);
	(void)!send(crowd->sockets[number % SOCKETS].fd, &keepalive,
		    sizeof(keepalive.header) + sizeof(keepalive.tag), 0);
}

int flooder_handshakes(char **words)
{
	struct sockaddr_in to = flooder_target(words[1], words[2]);
	struct key victim = flooder_key(words[3]);
	struct crowd crowd = {.peers = (unsigned)strtoul(words[0], NULL, 10)};

	crowd.count = crowd.peers * (unsigned)strtoul(words[4], NULL, 10);
	crowd.locals = calloc(crowd.peers, sizeof(*crowd.locals));
	crowd.handshakes = calloc(crowd.count, sizeof(*crowd.handshakes));
	if (!crowd.locals || !crowd.handshakes)
		flooder_fail("memory");
	make_initiations(&crowd, &victim);
	open_sockets(&crowd, &to);
	uint64_t taken = exchange(&crowd, (unsigned)strtoul(words[5], NULL, 10));
	for (unsigned i = 0; i < crowd.count; ++i)
		if (crowd.handshakes[i].answered)
			conclude(&crowd, i);
	printf("%.0f answers a second, %u of %u answered, %u other messages\n",
	       taken ? crowd.answered * 1e9 / (double)taken : 0, crowd.answered, crowd.count,
	       crowd.others);
	for (unsigned i = 0; i < SOCKETS; ++i)
		close(crowd.sockets[i].fd);
	free(crowd.handshakes);
	free(crowd.locals);
	return 0;
}
