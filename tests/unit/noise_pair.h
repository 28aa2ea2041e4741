/* SPDX-License-Identifier: MIT
 * For tests: two sides of a handshake that know each other, and what goes between them. */
#pragma once

#include "../vectors/vectors.h"
#include "engine/noise.h"

#define LATER (100 * SECOND)

struct pair {
	struct noise_local initiator, responder;
	struct noise_handshake to_responder, to_initiator;
	struct noise_initiation opened;
	struct wire_initiation initiation;
	struct wire_response response;
	unsigned clock; /* of the time stamps */
};

static inline struct key make_key(uint8_t number)
{
	struct key key;

	memset(key.bytes, number, KEY_LEN);
	return key;
}

static inline void pair_init(struct pair *pair, const struct key *preshared)
{
	struct key one = make_key(1), two = make_key(2);

	memset(pair, 0, sizeof(*pair));
	noise_local_set(&pair->initiator, &one);
	noise_local_set(&pair->responder, &two);
	noise_handshake_init(&pair->to_responder, &pair->responder.public_key);
	noise_handshake_init(&pair->to_initiator, &pair->initiator.public_key);
	if (preshared) {
		pair->to_responder.preshared_key = *preshared;
		pair->to_initiator.preshared_key = *preshared;
	}
	pair->clock = 1700000000;
}

static inline int initiate(struct pair *pair)
{
	struct key ephemeral = make_key(3);
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];

	noise_timestamp(timestamp, pair->clock++, 0);
	return noise_create_initiation(&pair->to_responder, &pair->initiator, &ephemeral,
				       0x11223344, timestamp, &pair->initiation);
}

static inline int take_at(struct pair *pair, uint64_t now)
{
	int ret = noise_open_initiation(&pair->opened, &pair->responder, &pair->initiation);

	if (ret < 0)
		return ret;
	return noise_accept_initiation(&pair->to_initiator, &pair->responder, &pair->opened,
				       &pair->initiation, now);
}

static inline int respond(struct pair *pair)
{
	struct key ephemeral = make_key(4);

	return noise_create_response(&pair->to_initiator, &ephemeral, 0x55667788, &pair->response);
}

static inline int consume(struct pair *pair)
{
	return noise_consume_response(&pair->to_responder, &pair->initiator, &pair->response);
}

static inline void shake_hands(struct pair *pair)
{
	assert_int_equal(initiate(pair), 0);
	assert_int_equal(take_at(pair, LATER), 0);
	assert_int_equal(respond(pair), 0);
	assert_int_equal(consume(pair), 0);
}

#define assert_wiped(thing) assert_true(sodium_is_zero((const uint8_t *)&(thing), sizeof(thing)))
#define assert_same(one, two) assert_memory_equal(&(one), &(two), sizeof(one))
