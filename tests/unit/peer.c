/* SPDX-License-Identifier: MIT
 * What waits for a peer, and where it is reached. */
#include "engine/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct peer *new_peer(void)
{
	struct key public_key = {.bytes = {9}};
	struct peer *peer = peer_new(&public_key);

	assert_non_null(peer);
	assert_true(key_equal(&peer->entry.public_key, &public_key));
	return peer;
}

/* The oldest goes first when there is no room, and the order stays. */
static void test_staged(void **state)
{
	struct peer *peer = new_peer();
	struct peer_staged *all;
	unsigned wanted = 10;

	(void)state;
	for (unsigned i = 0; i < PEER_STAGED_MAX + 10; ++i) {
		uint8_t bytes[2] = {(uint8_t)(i >> 8), (uint8_t)i};
		assert_int_equal(peer_stage(peer, bytes, sizeof(bytes)),
				 i < PEER_STAGED_MAX ? DROP_NONE : DROP_STAGED_FULL);
	}
	assert_int_equal(peer->staged_count, PEER_STAGED_MAX);
	all = peer_take_staged(peer);
	for (struct peer_staged *p = all; p; p = p->next, ++wanted) {
		assert_int_equal(p->len, 2);
		assert_int_equal(p->data[0] << 8 | p->data[1], wanted);
	}
	assert_int_equal(wanted, PEER_STAGED_MAX + 10);
	assert_int_equal(peer_free_staged(all), PEER_STAGED_MAX);
	assert_int_equal(peer->staged_count, 0);
	assert_null(peer_take_staged(peer));
	assert_int_equal(peer_free_staged(NULL), 0);
	/* Empty packets wait like others, and what still waits is freed with the peer. */
	assert_int_equal(peer_stage(peer, (const uint8_t *)"", 0), DROP_NONE);
	assert_int_equal(peer->staged_count, 1);
	peer_free(peer);
}

static void test_path(void **state)
{
	struct peer *peer = new_peer();
	union sockaddr_ip remote = {.in4 = {.sin_family = AF_INET, .sin_port = htons(7)}};
	struct path path;

	(void)state;
	assert_false(peer_has_endpoint(peer));
	peer_set_remote(peer, &remote);
	assert_true(peer_has_endpoint(peer));
	peer->path.generation = 3;
	peer->path.ifindex = 5;
	peer_get_path(peer, &path);
	assert_memory_equal(&path.remote, &remote, sizeof(remote));
	assert_int_equal(path.generation, 3);
	peer_forget_source(peer);
	peer_get_path(peer, &path);
	assert_int_equal(path.ifindex, 0);
	assert_memory_equal(&path.remote, &remote, sizeof(remote));
	peer_set_remote(peer, &remote);
	peer_get_path(peer, &path);
	assert_int_equal(path.ifindex, 0);
	peer_free(peer);
}

/* What was found out about a source stays known while it stays the same. */
static void test_learn(void **state)
{
	struct peer *peer = new_peer();
	struct path path = {.remote.in4 = {.sin_family = AF_INET, .sin_port = htons(7)},
			    .source.in4.s_addr = htonl(0x0a000001),
			    .ifindex = 5};

	(void)state;
	peer_learn_path(peer, &path);
	assert_int_equal(peer->path.generation, 0);
	peer->path.generation = 3;
	peer->path.elsewhere = true;
	path.remote.in4.sin_port = htons(8);
	peer_learn_path(peer, &path);
	assert_memory_equal(&peer->path.remote, &path.remote, sizeof(path.remote));
	assert_int_equal(peer->path.generation, 3);
	assert_true(peer->path.elsewhere);
	path.ifindex = 6;
	peer_learn_path(peer, &path);
	assert_int_equal(peer->path.ifindex, 6);
	assert_int_equal(peer->path.generation, 0);
	assert_false(peer->path.elsewhere);
	peer->path.generation = 3;
	path.source.in4.s_addr = htonl(0x0a000002);
	peer_learn_path(peer, &path);
	assert_int_equal(peer->path.generation, 0);
	peer->path.generation = 3;
	path.remote.in4.sin_addr.s_addr = htonl(0x0a000003);
	peer_learn_path(peer, &path);
	assert_int_equal(peer->path.generation, 0);
	peer_free(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_staged),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_learn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
