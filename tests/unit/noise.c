/* SPDX-License-Identifier: MIT
 * The handshake from both sides, and everything that it must refuse. (Its bytes: noise_vectors.c.)
 * */
#include "engine/noise.h"

#include <errno.h>
#include "noise_pair.h"

#define X25519_CASES 518
#define X25519_ZERO_CASES 31

/* All that a handshake under way holds */
static void assert_idle(const struct noise_handshake *handshake)
{
	assert_int_equal(handshake->state, NOISE_IDLE);
	assert_false(handshake->initiator);
	assert_wiped(handshake->ephemeral_private);
	assert_wiped(handshake->remote_ephemeral);
	assert_wiped(handshake->symmetric);
	assert_int_equal(handshake->local_index, 0);
	assert_int_equal(handshake->remote_index, 0);
}

static void check_both_sides(const struct key *preshared)
{
	struct noise_session mine, yours;
	struct pair pair;

	pair_init(&pair, preshared);
	memset(&pair.initiation, 0xaa, sizeof(pair.initiation));
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(pair.to_responder.state, NOISE_INITIATION_SENT);
	assert_true(pair.to_responder.initiator);
	assert_int_equal(wire_classify((uint8_t *)&pair.initiation, sizeof(pair.initiation)),
			 WIRE_INITIATION);
	assert_int_equal(wire_get32(pair.initiation.sender), 0x11223344);
	for (unsigned i = 0; i < WIRE_MAC_LEN; i++)
		assert_true(pair.initiation.mac1[i] == 0xaa && pair.initiation.mac2[i] == 0xaa);

	assert_int_equal(take_at(&pair, LATER), 0);
	assert_wiped(pair.opened);
	assert_int_equal(pair.to_initiator.state, NOISE_INITIATION_TAKEN);
	assert_int_equal(pair.to_initiator.remote_index, 0x11223344);
	assert_int_equal(pair.to_initiator.latest_initiation, LATER);
	assert_int_equal(respond(&pair), 0);
	assert_int_equal(pair.to_initiator.state, NOISE_RESPONSE_SENT);
	assert_wiped(pair.to_initiator.ephemeral_private);
	assert_int_equal(wire_classify((uint8_t *)&pair.response, sizeof(pair.response)),
			 WIRE_RESPONSE);
	assert_int_equal(wire_get32(pair.response.receiver), 0x11223344);
	assert_int_equal(consume(&pair), 0);
	assert_int_equal(pair.to_responder.state, NOISE_RESPONSE_TAKEN);
	assert_wiped(pair.to_responder.ephemeral_private);
	assert_same(pair.to_responder.symmetric, pair.to_initiator.symmetric);

	assert_int_equal(noise_begin_session(&pair.to_responder, &mine), 0);
	assert_int_equal(noise_begin_session(&pair.to_initiator, &yours), 0);
	assert_same(mine.send, yours.receive);
	assert_same(mine.receive, yours.send);
	assert_false(key_equal(&mine.send, &mine.receive));
	assert_true(mine.initiator);
	assert_false(yours.initiator);
	assert_int_equal(mine.local_index, 0x11223344);
	assert_int_equal(mine.remote_index, 0x55667788);
	assert_int_equal(yours.local_index, 0x55667788);
	assert_int_equal(yours.remote_index, 0x11223344);
	assert_idle(&pair.to_responder);
	assert_idle(&pair.to_initiator);
	assert_int_equal(pair.to_initiator.latest_initiation, LATER);
	noise_session_wipe(&mine);
	assert_wiped(mine);
}

static void both_sides(void **state)
{
	struct key preshared = make_key(9);

	(void)state;
	check_both_sides(NULL);
	check_both_sides(&preshared);
}

static void wrong_preshared_key(void **state)
{
	struct noise_handshake before;
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	pair.to_initiator.preshared_key = make_key(9);
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER), 0);
	assert_int_equal(respond(&pair), 0);
	before = pair.to_responder;
	assert_int_equal(consume(&pair), -EBADMSG);
	assert_same(pair.to_responder, before);
	pair.to_responder.preshared_key = make_key(9);
	assert_int_equal(consume(&pair), 0);
}

static void wrong_static_key(void **state)
{
	struct key other = make_key(8);
	struct noise_handshake before;
	struct noise_local stranger;
	struct pair pair;

	(void)state;
	noise_local_set(&stranger, &other);
	pair_init(&pair, NULL);
	assert_int_equal(initiate(&pair), 0);
	/* for somebody else */
	assert_int_equal(noise_open_initiation(&pair.opened, &stranger, &pair.initiation),
			 -EBADMSG);
	assert_wiped(pair.opened);
	/* of another peer */
	pair.to_initiator.remote_static = stranger.public_key;
	before = pair.to_initiator;
	assert_int_equal(take_at(&pair, LATER), -EBADMSG);
	assert_same(pair.to_initiator, before);
	assert_wiped(pair.opened);
	/* who claims to be a peer and is not: the sender can be read, but ss is wrong */
	pair_init(&pair, NULL);
	pair.initiator.private_key = stranger.private_key;
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(noise_open_initiation(&pair.opened, &pair.responder, &pair.initiation), 0);
	assert_true(key_equal(&pair.opened.remote_static, &pair.initiator.public_key));
	assert_int_equal(take_at(&pair, LATER), -EBADMSG);
	assert_int_equal(pair.to_initiator.state, NOISE_IDLE);
	assert_int_equal(pair.to_initiator.latest_initiation, 0);
	/* a response of one who is not the responder */
	pair_init(&pair, NULL);
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER), 0);
	pair.to_initiator.remote_static = stranger.public_key;
	assert_int_equal(respond(&pair), 0);
	assert_int_equal(consume(&pair), -EBADMSG);
}

static void flipped_bits(void **state)
{
	struct noise_handshake before;
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	assert_int_equal(initiate(&pair), 0);
	pair.to_initiator.static_static_known = true; /* so that it is truly unchanged below */
	assert_int_equal(crypto_scalarmult(pair.to_initiator.static_static.bytes,
					   pair.responder.private_key.bytes,
					   pair.initiator.public_key.bytes),
			 0);
	before = pair.to_initiator;
	for (size_t bit = 8 * offsetof(struct wire_initiation, ephemeral);
	     bit < 8 * offsetof(struct wire_initiation, mac1); bit++) {
		uint8_t *byte = (uint8_t *)&pair.initiation + bit / 8;

		*byte ^= 1 << bit % 8;
		assert_int_equal(take_at(&pair, LATER), -EBADMSG);
		assert_same(pair.to_initiator, before);
		*byte ^= 1 << bit % 8;
	}
	assert_int_equal(take_at(&pair, LATER), 0);
	assert_int_equal(respond(&pair), 0);
	before = pair.to_responder;
	for (size_t bit = 8 * offsetof(struct wire_response, receiver);
	     bit < 8 * offsetof(struct wire_response, mac1); bit++) {
		uint8_t *byte = (uint8_t *)&pair.response + bit / 8;
		bool index = bit < 8 * offsetof(struct wire_response, ephemeral);

		*byte ^= 1 << bit % 8;
		assert_int_equal(consume(&pair), index ? -EINVAL : -EBADMSG);
		assert_same(pair.to_responder, before);
		*byte ^= 1 << bit % 8;
	}
	assert_int_equal(consume(&pair), 0);
}

static void replay_and_flood(void **state)
{
	struct noise_handshake before;
	struct wire_initiation first, second;
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	assert_int_equal(initiate(&pair), 0);
	first = pair.initiation;
	assert_int_equal(initiate(&pair), 0);
	second = pair.initiation;
	assert_int_equal(take_at(&pair, LATER), 0);
	before = pair.to_initiator;
	assert_int_equal(take_at(&pair, 2 * LATER), -EALREADY); /* the same */
	pair.initiation = first;
	assert_int_equal(take_at(&pair, 2 * LATER), -EALREADY); /* an older one */
	assert_int_equal(take_at(&pair, LATER), -EALREADY);
	pair.initiation = second;
	pair.initiation.timestamp[0] ^= 1;
	assert_int_equal(take_at(&pair, 2 * LATER), -EBADMSG); /* forged comes before replayed */
	assert_same(pair.to_initiator, before);

	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER + INITIATIONS_INTERVAL - 1), -EBUSY);
	assert_same(pair.to_initiator, before);
	noise_handshake_reset(&pair.to_initiator); /* which does not make replays possible */
	pair.initiation = second;
	assert_int_equal(take_at(&pair, 2 * LATER), -EALREADY);
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER + INITIATIONS_INTERVAL), 0);
	noise_forget_local(&pair.to_initiator);
	assert_int_equal(take_at(&pair, 2 * LATER), -EALREADY);
	pair.clock += 1000;
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, 3 * LATER), 0);
}

/* All of Wycheproof's points as a peer's static key and as an ephemeral key: those that make a zero
 * secret are refused. */
static void low_order(void **state)
{
	unsigned cases = 0, zeros = 0;
	struct vectors vectors;

	(void)state;
	vectors_open(&vectors, "x25519.txt");
	while (vectors_next(&vectors)) {
		struct noise_handshake before;
		struct key point, secret;
		struct pair pair;
		bool zero;

		vectors_copy(&vectors, 2, point.bytes, KEY_LEN);
		vectors_copy(&vectors, 3, secret.bytes, KEY_LEN);
		zero = key_is_zero(&secret);
		pair_init(&pair, NULL);
		pair.to_responder.remote_static = point;
		before = pair.to_responder;
		assert_int_equal(initiate(&pair), zero ? -EINVAL : 0);
		if (zero)
			assert_same(pair.to_responder, before);

		pair_init(&pair, NULL);
		assert_int_equal(initiate(&pair), 0);
		memcpy(pair.initiation.ephemeral, point.bytes, KEY_LEN);
		assert_int_equal(take_at(&pair, LATER), zero ? -EINVAL : -EBADMSG);
		assert_wiped(pair.opened);
		before = pair.to_responder;
		wire_put32(pair.response.receiver, 0x11223344);
		memcpy(pair.response.ephemeral, point.bytes, KEY_LEN);
		assert_int_equal(consume(&pair), zero ? -EINVAL : -EBADMSG);
		assert_same(pair.to_responder, before);

		assert_int_equal(initiate(&pair), 0);
		assert_int_equal(take_at(&pair, LATER), 0);
		pair.to_initiator.remote_ephemeral = point;
		before = pair.to_initiator;
		assert_int_equal(respond(&pair), zero ? -EINVAL : 0);
		if (zero)
			assert_same(pair.to_initiator, before);
		cases++;
		zeros += zero;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, X25519_CASES);
	assert_int_equal(zeros, X25519_ZERO_CASES);
}

/* As a peer in our own table, low order makes even the second half fail, and is not remembered as a
 * secret. */
static void low_order_peer(void **state)
{
	struct key zero = {0};
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	pair.to_initiator.remote_static = zero;
	pair.opened.remote_static = zero;
	assert_int_equal(noise_accept_initiation(&pair.to_initiator, &pair.responder, &pair.opened,
						 &pair.initiation, LATER),
			 -EINVAL);
	assert_false(pair.to_initiator.static_static_known);
	assert_int_equal(pair.to_initiator.state, NOISE_IDLE);
}

static void wrong_state(void **state)
{
	static const enum noise_state states[] = {
		NOISE_IDLE,          NOISE_INITIATION_SENT, NOISE_INITIATION_TAKEN,
		NOISE_RESPONSE_SENT, NOISE_RESPONSE_TAKEN,
	};
	struct noise_handshake before;
	struct noise_session session;
	struct pair pair;

	(void)state;
	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		pair_init(&pair, NULL);
		pair.to_initiator.state = states[i];
		pair.to_responder.state = states[i];
		before = pair.to_initiator;
		if (states[i] != NOISE_INITIATION_TAKEN)
			assert_int_equal(respond(&pair), -EINVAL);
		if (states[i] != NOISE_INITIATION_SENT)
			assert_int_equal(consume(&pair), -EINVAL);
		if (states[i] != NOISE_RESPONSE_SENT && states[i] != NOISE_RESPONSE_TAKEN)
			assert_int_equal(noise_begin_session(&pair.to_initiator, &session),
					 -EINVAL);
		assert_same(pair.to_initiator, before);
	}
	pair_init(&pair, NULL);
	shake_hands(&pair);
	assert_int_equal(consume(&pair), -EINVAL); /* a response twice */
	assert_int_equal(respond(&pair), -EINVAL);
	assert_int_equal(noise_begin_session(&pair.to_responder, &session), 0);
	assert_int_equal(noise_begin_session(&pair.to_responder, &session), -EINVAL);
	assert_int_equal(consume(&pair), -EINVAL);
}

static void no_identity(void **state)
{
	struct noise_local nobody;
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER), 0);
	assert_int_equal(respond(&pair), 0);
	noise_local_set(&nobody, NULL);
	assert_int_equal(noise_consume_response(&pair.to_responder, &nobody, &pair.response),
			 -ENOKEY);
	noise_local_wipe(&pair.initiator);
	assert_int_equal(initiate(&pair), -ENOKEY);
	assert_int_equal(noise_open_initiation(&pair.opened, &nobody, &pair.initiation), -ENOKEY);
	assert_int_equal(noise_open_initiation(&pair.opened, &pair.responder, &pair.initiation), 0);
	assert_int_equal(noise_accept_initiation(&pair.to_initiator, &nobody, &pair.opened,
						 &pair.initiation, 2 * LATER),
			 -ENOKEY);
	assert_wiped(pair.opened);
}

static void local_set(void **state)
{
	struct key private = make_key(0xff), zero = {0}, public;
	struct noise_local local;

	(void)state;
	key_derive_public(&public, &private);
	noise_local_set(&local, &private);
	assert_true(local.present);
	assert_same(local.public_key, public);
	assert_int_equal(local.private_key.bytes[0], 0xf8);
	assert_int_equal(local.private_key.bytes[31], 0x7f);
	noise_local_set(&local, &local.private_key);
	assert_true(local.present);
	assert_same(local.public_key, public);
	noise_local_set(&local, &zero);
	assert_wiped(local);
	noise_local_set(&local, &private);
	noise_local_set(&local, NULL);
	assert_wiped(local);
}

static void reset_and_wipe(void **state)
{
	struct noise_handshake known;
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	pair.to_responder.preshared_key = make_key(9);
	assert_int_equal(initiate(&pair), 0);
	assert_false(key_is_zero(&pair.to_responder.ephemeral_private));
	assert_int_equal(take_at(&pair, LATER), 0);
	known = pair.to_initiator;
	noise_handshake_reset(&pair.to_responder);
	noise_handshake_reset(&pair.to_initiator);
	assert_idle(&pair.to_responder);
	assert_idle(&pair.to_initiator);
	assert_same(pair.to_responder.preshared_key, (struct key[]){make_key(9)}[0]);
	assert_same(pair.to_initiator.remote_static, known.remote_static);
	assert_true(pair.to_initiator.static_static_known);
	assert_same(pair.to_initiator.static_static, known.static_static);
	assert_same(pair.to_initiator.latest_timestamp, known.latest_timestamp);
	noise_forget_local(&pair.to_initiator);
	assert_idle(&pair.to_initiator);
	assert_false(pair.to_initiator.static_static_known);
	assert_wiped(pair.to_initiator.static_static);
	noise_handshake_wipe(&pair.to_initiator);
	assert_wiped(pair.to_initiator);
}

static void static_static_is_kept(void **state)
{
	struct key fresh = make_key(7);
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	shake_hands(&pair);
	assert_true(pair.to_responder.static_static_known);
	assert_same(pair.to_responder.static_static, pair.to_initiator.static_static);
	/* Our key changed: the handshake works again only when the secret was forgotten. */
	noise_local_set(&pair.initiator, &fresh);
	noise_handshake_init(&pair.to_initiator, &pair.initiator.public_key);
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER), -EBADMSG);
	noise_forget_local(&pair.to_responder);
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER), 0);
}

/* A new initiation ends the old one; a response to the old one comes too late. */
static void started_again(void **state)
{
	struct key ephemeral = make_key(5);
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	assert_int_equal(initiate(&pair), 0);
	assert_int_equal(take_at(&pair, LATER), 0);
	assert_int_equal(respond(&pair), 0);
	assert_int_equal(noise_create_initiation(&pair.to_responder, &pair.initiator, &ephemeral,
						 0x11223344, pair.to_initiator.latest_timestamp,
						 &pair.initiation),
			 0);
	assert_int_equal(consume(&pair), -EBADMSG);
	assert_int_equal(pair.to_responder.state, NOISE_INITIATION_SENT);
}

/* Both sides start at once: the initiation that arrives takes the place of the one sent. */
static void crossed(void **state)
{
	struct key ephemeral = make_key(5);
	struct wire_initiation other;
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];
	struct pair pair;

	(void)state;
	pair_init(&pair, NULL);
	noise_timestamp(timestamp, 1, 0);
	assert_int_equal(noise_create_initiation(&pair.to_initiator, &pair.responder, &ephemeral,
						 99, timestamp, &other),
			 0);
	shake_hands(&pair);
	assert_false(pair.to_initiator.initiator);
	assert_wiped(pair.to_initiator.ephemeral_private);
	assert_same(pair.to_responder.symmetric, pair.to_initiator.symmetric);
}

static void timestamps(void **state)
{
	static const struct {
		int64_t seconds;
		uint32_t nanoseconds;
		uint8_t expected[WIRE_TIMESTAMP_LEN];
	} cases[] = {
		{0, 0, {0x40, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0, 0, 0}},
		{-11, 0, {0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
		{0, 0xffffff, {0x40, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0, 0, 0}},
		{0, 0x1000000, {0x40, 0, 0, 0, 0, 0, 0, 0x0a, 1, 0, 0, 0}},
		{0x6560b5a1, 999999999, {0x40, 0, 0, 0, 0x65, 0x60, 0xb5, 0xab, 0x3b, 0, 0, 0}},
		{0x1fffffff5, 1, {0x40, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}},
		{0x1fffffff6, 1, {0x40, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0}},
	};
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		noise_timestamp(timestamp, cases[i].seconds, cases[i].nanoseconds);
		assert_memory_equal(timestamp, cases[i].expected, sizeof(timestamp));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides),       cmocka_unit_test(wrong_preshared_key),
		cmocka_unit_test(wrong_static_key), cmocka_unit_test(flipped_bits),
		cmocka_unit_test(replay_and_flood), cmocka_unit_test(low_order),
		cmocka_unit_test(low_order_peer),   cmocka_unit_test(wrong_state),
		cmocka_unit_test(no_identity),      cmocka_unit_test(local_set),
		cmocka_unit_test(reset_and_wipe),   cmocka_unit_test(static_static_is_kept),
		cmocka_unit_test(started_again),    cmocka_unit_test(crossed),
		cmocka_unit_test(timestamps),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
