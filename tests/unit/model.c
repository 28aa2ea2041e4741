/* SPDX-License-Identifier: MIT
 * The model of a device: growth without loss, and an end that leaves no key. */
#include "conf/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PEERS 1000

static void nothing(void **state)
{
	static const struct model none;
	struct model model = MODEL_EMPTY;

	(void)state;
	model_wipe(&model);
	assert_memory_equal(&model, &none, sizeof(none));
	model_wipe(&model);
}

static void peers_stay(void **state)
{
	struct model model = MODEL_EMPTY;

	(void)state;
	for (unsigned i = 0; i < PEERS; i++) {
		static const struct model_peer none;
		struct model_peer *peer = model_add_peer(&model);

		assert_non_null(peer);
		assert_memory_equal(peer, &none, sizeof(none));
		assert_ptr_equal(peer, &model.peers[i]);
		memset(peer->public_key.bytes, (int)i, KEY_LEN);
		peer->line = i;
		peer->host = strdup("host.example");
		peer->port = strdup("51820");
		for (unsigned j = 0; j < i % 7; j++) {
			struct prefix prefix = {.addr = {(uint8_t)j}, .family = AF_INET, .cidr = 8};

			assert_int_equal(model_peer_add_allowed(peer, &prefix,
								j & 1 ? MODEL_ALLOWED_REMOVE
								      : MODEL_ALLOWED_ADD),
					 0);
		}
	}
	assert_int_equal(model.peer_count, PEERS);
	for (unsigned i = 0; i < PEERS; i++) {
		const struct model_peer *peer = &model.peers[i];

		assert_int_equal(peer->public_key.bytes[KEY_LEN - 1], (uint8_t)i);
		assert_int_equal(peer->line, i);
		assert_int_equal(peer->allowed_count, i % 7);
		for (unsigned j = 0; j < i % 7; j++) {
			assert_int_equal(peer->allowed[j].prefix.addr[0], j);
			assert_int_equal(peer->allowed[j].op,
					 j & 1 ? MODEL_ALLOWED_REMOVE : MODEL_ALLOWED_ADD);
		}
	}
	model_wipe(&model);
	assert_null(model.peers);
	assert_int_equal(model.peer_count, 0);
}

static void wipes_keys(void **state)
{
	static const struct model none;
	struct model model = MODEL_EMPTY;

	(void)state;
	memset(model.private_key.bytes, 0xaa, KEY_LEN);
	model.has_private_key = true;
	assert_non_null(model_add_peer(&model));
	model_wipe(&model);
	assert_memory_equal(&model, &none, sizeof(none));
}

static void finds_peers(void **state)
{
	struct model model = MODEL_EMPTY;
	struct model_index index;
	struct key absent = {0};

	(void)state;
	assert_int_equal(model_index_build(&index, &model), 0);
	assert_null(model_index_find(&index, &absent));
	free(index.peers);
	for (unsigned i = 0; i < PEERS; i++) {
		struct key *key = &model_add_peer(&model)->public_key;

		key->bytes[0] = (uint8_t)(i * 37 % 250); /* four of each, far from sorted */
		key->bytes[KEY_LEN - 1] = 1;
	}
	assert_int_equal(model_index_build(&index, &model), 0);
	assert_int_equal(index.count, PEERS);
	assert_null(model_index_find(&index, &absent));
	for (unsigned i = 0; i < PEERS; i++) {
		const struct model_peer *peer = index.peers[i];
		const struct key *key = &model.peers[i].public_key;

		assert_true(key_equal(&model_index_find(&index, key)->public_key, key));
		assert_int_equal(peer->public_key.bytes[0], i / 4);
		assert_true(i % 4 == 3 || index.peers[i + 1] > peer);
	}
	free(index.peers);
	model_wipe(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(peers_stay),
		cmocka_unit_test(wipes_keys),
		cmocka_unit_test(finds_peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
