/* SPDX-License-Identifier: MIT
 * The handshake, byte for byte: the published Noise_IKpsk2 vectors, and whole WireGuard handshakes
 * as another program made them (tests/vectors/derive). */
#include "engine/noise.h"

#include "engine/aead.h"
#include "noise_pair.h"

struct message {
	uint8_t *payload, *ciphertext;
	size_t payload_len, len;
};

static void read_message(struct vectors *vectors, struct message *message)
{
	assert_true(vectors_next(vectors));
	assert_string_equal(vectors->fields[0], "payload");
	message->payload = vectors_bytes(vectors, 1, &message->payload_len);
	assert_true(vectors_next(vectors));
	assert_string_equal(vectors->fields[0], "ciphertext");
	message->ciphertext = vectors_bytes(vectors, 1, &message->len);
}

static void free_message(struct message *message)
{
	free(message->payload);
	free(message->ciphertext);
}

/* -> e, es, s, ss, {payload} */
static void check_first(struct vectors *vectors, struct pair *pair, const struct key *ephemeral,
			const uint8_t *prologue, size_t prologue_len)
{
	struct message message;
	uint8_t *buffer;

	read_message(vectors, &message);
	assert_int_equal(message.len, NOISE_INITIATION_LEN(message.payload_len));
	buffer = malloc(message.len);
	assert_non_null(buffer);
	noise_start(&pair->to_responder.symmetric, prologue, prologue_len,
		    &pair->to_responder.remote_static);
	assert_int_equal(noise_write_initiation(&pair->to_responder, &pair->initiator, ephemeral,
						message.payload, message.payload_len, buffer),
			 0);
	assert_memory_equal(buffer, message.ciphertext, message.len);

	noise_start(&pair->opened.symmetric, prologue, prologue_len, &pair->responder.public_key);
	assert_int_equal(noise_read_sender(&pair->opened, &pair->responder, message.ciphertext), 0);
	assert_same(pair->opened.remote_static, pair->initiator.public_key);
	assert_int_equal(noise_read_initiation(&pair->to_initiator, &pair->responder, &pair->opened,
					       message.ciphertext + NOISE_SENDER_LEN,
					       message.payload_len, buffer),
			 0);
	assert_memory_equal(buffer, message.payload, message.payload_len);
	noise_take_initiation(&pair->to_initiator, &pair->opened);
	free(buffer);
	free_message(&message);
}

/* <- e, ee, se, psk, {payload} */
static void check_second(struct vectors *vectors, struct pair *pair, const struct key *ephemeral)
{
	struct message message;
	uint8_t *buffer;

	read_message(vectors, &message);
	assert_int_equal(message.len, NOISE_RESPONSE_LEN(message.payload_len));
	buffer = malloc(message.len);
	assert_non_null(buffer);
	assert_int_equal(noise_write_response(&pair->to_initiator, ephemeral, message.payload,
					      message.payload_len, buffer),
			 0);
	assert_memory_equal(buffer, message.ciphertext, message.len);
	assert_int_equal(noise_read_response(&pair->to_responder, &pair->initiator,
					     message.ciphertext, message.payload_len, buffer),
			 0);
	assert_memory_equal(buffer, message.payload, message.payload_len);
	free(buffer);
	free_message(&message);
}

static void check_transport(struct vectors *vectors, const struct key *send,
			    const struct key *receive, uint64_t counter)
{
	struct message message;
	struct aead_op op;
	struct aead aead;
	uint8_t *buffer;

	read_message(vectors, &message);
	assert_int_equal(message.len, message.payload_len + AEAD_TAG_LEN);
	buffer = malloc(message.len);
	assert_non_null(buffer);
	assert_int_equal(aead_init(&aead, AEAD_SODIUM), 0);
	op = (struct aead_op){buffer, message.payload, message.payload_len, counter, false};
	aead_seal_many(&aead, send->bytes, &op, 1);
	assert_memory_equal(buffer, message.ciphertext, message.len);
	op = (struct aead_op){buffer, message.ciphertext, message.len, counter, false};
	aead_open_many(&aead, receive->bytes, &op, 1);
	assert_true(op.ok);
	assert_memory_equal(buffer, message.payload, message.payload_len);
	aead_free(&aead);
	free(buffer);
	free_message(&message);
}

static void published_vectors(void **state)
{
	struct key psk, one, two, remote, ephemerals[2];
	struct noise_session sessions[2];
	struct vectors vectors;
	uint8_t *prologue, hash[BLAKE2S_HASH_LEN];
	size_t prologue_len;
	struct pair pair;

	(void)state;
	memset(&pair, 0, sizeof(pair));
	vectors_open(&vectors, "noise_ikpsk2.txt");
	assert_true(vectors_next(&vectors));
	assert_string_equal(vectors.fields[0], "prologue");
	prologue = vectors_bytes(&vectors, 1, &prologue_len);
	vectors_expect(&vectors, "psk", psk.bytes, KEY_LEN);
	vectors_expect(&vectors, "init_static", one.bytes, KEY_LEN);
	vectors_expect(&vectors, "init_ephemeral", ephemerals[0].bytes, KEY_LEN);
	vectors_expect(&vectors, "init_remote_static", remote.bytes, KEY_LEN);
	vectors_expect(&vectors, "resp_static", two.bytes, KEY_LEN);
	vectors_expect(&vectors, "resp_ephemeral", ephemerals[1].bytes, KEY_LEN);
	vectors_expect(&vectors, "handshake_hash", hash, sizeof(hash));
	noise_local_set(&pair.initiator, &one);
	noise_local_set(&pair.responder, &two);
	assert_same(pair.responder.public_key, remote);
	noise_handshake_init(&pair.to_responder, &remote);
	noise_handshake_init(&pair.to_initiator, &pair.initiator.public_key);
	pair.to_responder.preshared_key = psk;
	pair.to_initiator.preshared_key = psk;

	check_first(&vectors, &pair, &ephemerals[0], prologue, prologue_len);
	check_second(&vectors, &pair, &ephemerals[1]);
	assert_memory_equal(pair.to_responder.symmetric.hash, hash, sizeof(hash));
	assert_memory_equal(pair.to_initiator.symmetric.hash, hash, sizeof(hash));
	assert_int_equal(noise_begin_session(&pair.to_responder, &sessions[0]), 0);
	assert_int_equal(noise_begin_session(&pair.to_initiator, &sessions[1]), 0);
	for (unsigned i = 0; i < 4; i++)
		check_transport(&vectors, &sessions[i % 2].send, &sessions[1 - i % 2].receive,
				i / 2);
	assert_false(vectors_next(&vectors));
	vectors_close(&vectors);
	free(prologue);
}

/* Reads on behind the part of wireguard.txt that is about cookies. */
static void skip_cookies(struct vectors *vectors)
{
	for (unsigned i = 0; i < 8; i++)
		assert_true(vectors_next(vectors));
}

/* All bytes of both messages but the MACs, and the session's keys */
static void whole_handshake(struct vectors *vectors)
{
	struct key psk, keys[2], ephemerals[2], t1, t2;
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];
	struct wire_initiation initiation;
	struct wire_response response;
	struct noise_session session;
	struct pair pair;

	vectors_expect(vectors, "psk", psk.bytes, KEY_LEN);
	pair_init(&pair, &psk);
	vectors_expect(vectors, "si", keys[0].bytes, KEY_LEN);
	vectors_expect(vectors, "sr", keys[1].bytes, KEY_LEN);
	noise_local_set(&pair.initiator, &keys[0]);
	noise_local_set(&pair.responder, &keys[1]);
	pair.to_responder.remote_static = pair.responder.public_key;
	pair.to_initiator.remote_static = pair.initiator.public_key;
	vectors_expect(vectors, "ei", ephemerals[0].bytes, KEY_LEN);
	vectors_expect(vectors, "er", ephemerals[1].bytes, KEY_LEN);
	vectors_expect(vectors, "timestamp", timestamp, sizeof(timestamp));
	vectors_expect(vectors, "initiation", &initiation, sizeof(initiation));
	vectors_expect(vectors, "response", &response, sizeof(response));
	vectors_expect(vectors, "t1", t1.bytes, KEY_LEN);
	vectors_expect(vectors, "t2", t2.bytes, KEY_LEN);
	skip_cookies(vectors);

	memcpy(pair.initiation.mac1, initiation.mac1, WIRE_MAC_LEN);
	memcpy(pair.initiation.mac2, initiation.mac2, WIRE_MAC_LEN);
	memcpy(pair.response.mac1, response.mac1, WIRE_MAC_LEN);
	memcpy(pair.response.mac2, response.mac2, WIRE_MAC_LEN);
	assert_int_equal(noise_create_initiation(&pair.to_responder, &pair.initiator,
						 &ephemerals[0], wire_get32(initiation.sender),
						 timestamp, &pair.initiation),
			 0);
	assert_same(pair.initiation, initiation);
	assert_int_equal(take_at(&pair, LATER), 0);
	assert_memory_equal(pair.to_initiator.latest_timestamp, timestamp, sizeof(timestamp));
	assert_int_equal(noise_create_response(&pair.to_initiator, &ephemerals[1],
					       wire_get32(response.sender), &pair.response),
			 0);
	assert_same(pair.response, response);
	assert_int_equal(consume(&pair), 0);
	assert_int_equal(noise_begin_session(&pair.to_responder, &session), 0);
	assert_same(session.send, t1);
	assert_same(session.receive, t2);
	assert_int_equal(noise_begin_session(&pair.to_initiator, &session), 0);
	assert_same(session.receive, t1);
	assert_same(session.send, t2);
}

static void second_implementation(void **state)
{
	struct vectors vectors;

	(void)state;
	vectors_open(&vectors, "wireguard.txt");
	whole_handshake(&vectors); /* no preshared key, that is, zeros */
	whole_handshake(&vectors);
	assert_false(vectors_next(&vectors));
	vectors_close(&vectors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(second_implementation),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
