/* SPDX-License-Identifier: MIT
 * Peers, sessions and their places, wishes and messages. */
#include "engine/device.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sodium.h>
#include <cmocka.h>
#include "engine/peer.h"

#define NOW (100 * SECOND)

/* Two devices, each a peer of the other. */
struct pair {
	struct device a, b;
	struct peer *b_at_a, *a_at_b;
	uint8_t clock; /* makes each time stamp newer */
};

/* private, other: multiples of 8, so that clamped they are still two. */
static void introduce(struct device *device, uint8_t private, struct peer **peer, uint8_t other)
{
	struct key ours = {.bytes = {private, 7}}, theirs = {.bytes = {other, 7}};
	struct noise_local remote = {0};

	assert_int_equal(device_init(device), 0);
	device_set_private_key(device, &ours);
	noise_local_set(&remote, &theirs);
	assert_int_equal(device_add_peer(device, &remote.public_key, peer), 0);
}

static int setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));

	introduce(&pair->a, 8, &pair->b_at_a, 16);
	introduce(&pair->b, 16, &pair->a_at_b, 8);
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	device_free(&pair->a);
	device_free(&pair->b);
	free(pair);
	return 0;
}

static void fresh(struct key *ephemeral)
{
	randombytes_buf(ephemeral->bytes, sizeof(ephemeral->bytes));
}

/* One whole handshake; from is the initiator. */
static void shake(struct pair *pair, struct device *from, struct peer *to_at_from,
		  struct device *to, struct peer *from_at_to)
{
	uint8_t timestamp[WIRE_TIMESTAMP_LEN] = {++pair->clock};
	struct wire_initiation initiation;
	struct wire_response response;
	struct noise_initiation opened;
	struct key ephemeral;

	assert_int_equal(device_new_handshake_index(from, to_at_from), 0);
	fresh(&ephemeral);
	assert_int_equal(noise_create_initiation(&to_at_from->handshake, &from->local, &ephemeral,
						 to_at_from->handshake_index.index, timestamp,
						 &initiation),
			 0);
	assert_int_equal(noise_open_initiation(&opened, &to->local, &initiation), 0);
	assert_ptr_equal(device_find_peer(to, &opened.remote_static), from_at_to);
	assert_int_equal(noise_accept_initiation(&from_at_to->handshake, &to->local, &opened,
						 &initiation, NOW + pair->clock * SECOND),
			 0);
	assert_int_equal(device_new_handshake_index(to, from_at_to), 0);
	fresh(&ephemeral);
	assert_int_equal(noise_create_response(&from_at_to->handshake, &ephemeral,
					       from_at_to->handshake_index.index, &response),
			 0);
	assert_int_equal(device_begin_session(to, from_at_to, NOW), 0);
	assert_int_equal(noise_consume_response(&to_at_from->handshake, &from->local, &response),
			 0);
	assert_int_equal(device_begin_session(from, to_at_from, NOW), 0);
}

static struct keypair *found(const struct device *device, const struct keypair *keypair)
{
	struct indextable_entry *entry = indextable_find(&device->indices, keypair->index.index);

	return entry && entry->kind == PEER_INDEX_KEYPAIR ? KEYPAIR_OF_INDEX(entry) : NULL;
}

/* Initiator: current, previous. Responder: next, until the initiator was heard. */
static void test_places(void **state)
{
	struct pair *pair = *state;
	struct peer *at_a = pair->b_at_a, *at_b = pair->a_at_b;

	shake(pair, &pair->a, at_a, &pair->b, at_b);
	struct keypair *first_a = at_a->current, *first_b = at_b->next;
	assert_non_null(first_a);
	assert_null(at_a->previous);
	assert_null(at_a->next);
	assert_null(at_b->current);
	assert_true(key_equal(&first_a->send, &first_b->receive));
	assert_true(key_equal(&first_a->receive, &first_b->send));
	assert_int_equal(first_a->remote_index, first_b->index.index);
	assert_int_equal(first_b->remote_index, first_a->index.index);
	assert_ptr_equal(found(&pair->a, first_a), first_a);
	assert_ptr_equal(found(&pair->b, first_b), first_b);

	assert_false(device_confirm_session(&pair->b, at_b));
	first_b->heard = true;
	assert_true(device_confirm_session(&pair->b, at_b));
	assert_ptr_equal(at_b->current, first_b);
	assert_null(at_b->next);
	assert_false(device_confirm_session(&pair->b, at_b));

	shake(pair, &pair->a, at_a, &pair->b, at_b);
	assert_ptr_equal(at_a->previous, first_a);
	assert_ptr_not_equal(at_a->current, first_a);
	assert_ptr_equal(at_b->current, first_b);
	at_b->next->heard = true;
	assert_true(device_confirm_session(&pair->b, at_b));
	assert_ptr_equal(at_b->previous, first_b);
	assert_int_equal(pair->a.indices.count, 2);
	shake(pair, &pair->a, at_a, &pair->b, at_b);
	assert_int_equal(pair->a.indices.count, 2);
}

/* Both began at once: what we made as the responder is still in use there. */
static void test_crossed(void **state)
{
	struct pair *pair = *state;
	struct peer *at_a = pair->b_at_a, *at_b = pair->a_at_b;

	shake(pair, &pair->a, at_a, &pair->b, at_b);
	shake(pair, &pair->b, at_b, &pair->a, at_a);
	struct keypair *as_responder = at_a->next;
	assert_non_null(as_responder);
	shake(pair, &pair->a, at_a, &pair->b, at_b);
	assert_ptr_equal(at_a->previous, as_responder);
	assert_null(at_a->next);
	assert_int_equal(pair->a.indices.count, 2);
}

static void test_zero_keys(void **state)
{
	struct pair *pair = *state;

	shake(pair, &pair->a, pair->b_at_a, &pair->b, pair->a_at_b);
	shake(pair, &pair->b, pair->a_at_b, &pair->a, pair->b_at_a);
	assert_int_equal(device_new_handshake_index(&pair->a, pair->b_at_a), 0);
	device_zero_keys(&pair->a, pair->b_at_a);
	assert_int_equal(pair->a.indices.count, 0);
	assert_null(pair->b_at_a->current);
	assert_null(pair->b_at_a->next);
	assert_int_equal(pair->b_at_a->handshake.state, NOISE_IDLE);
}

static void test_private_key(void **state)
{
	struct pair *pair = *state;
	struct key same = {.bytes = {9, 7}}, other = {.bytes = {16, 7}}, third = {.bytes = {24, 7}};
	struct noise_handshake *handshake = &pair->b_at_a->handshake;
	struct cookie_checker no_checker = {0};
	struct key no_key = {0};

	shake(pair, &pair->a, pair->b_at_a, &pair->b, pair->a_at_b);
	/* The same key again is no change, clamped or not: tools always send it. */
	device_set_private_key(&pair->a, &same);
	same = pair->a.local.private_key;
	device_set_private_key(&pair->a, &same);
	assert_true(keypair_alive(pair->b_at_a->current, NOW));
	/* Another key: nothing is sent any more, but what is on its way may arrive. */
	assert_true(handshake->static_static_known);
	device_set_private_key(&pair->a, &third);
	assert_false(keypair_alive(pair->b_at_a->current, NOW));
	assert_true(keypair_accepts(pair->b_at_a->current, NOW));
	assert_memory_equal(&handshake->static_static, &no_key, sizeof(no_key));
	/* No key: no secret is left, but those of the configuration. */
	device_set_private_key(&pair->a, NULL);
	assert_false(pair->a.local.present);
	assert_null(pair->b_at_a->current);
	assert_int_equal(pair->a.indices.count, 0);
	assert_memory_equal(&pair->a.local.private_key, &no_key, sizeof(no_key));
	assert_memory_equal(&pair->a.checker, &no_checker, sizeof(no_checker));
	/* The key of our own peer: we are no peer of ourselves. */
	device_set_private_key(&pair->a, &other);
	assert_null(device_first_peer(&pair->a));
	assert_int_equal(pair->a.indices.count, 0);
}

static bool awake(const struct device *device)
{
	struct pollfd poll_fd = {.fd = device->wake, .events = POLLIN};
	uint64_t count;

	if (poll(&poll_fd, 1, 0) != 1)
		return false;
	assert_int_equal(read(device->wake, &count, sizeof(count)), sizeof(count));
	return true;
}

static void test_wishes(void **state)
{
	struct pair *pair = *state;
	struct key key = {.bytes = {77}};
	struct peer *other;
	unsigned wishes;

	assert_int_equal(device_add_peer(&pair->a, &key, &other), 0);
	assert_null(device_next_wish(&pair->a, &wishes));
	assert_false(awake(&pair->a));
	device_wish(&pair->a, pair->b_at_a, PEER_WISH_HANDSHAKE);
	assert_true(awake(&pair->a));
	device_wish(&pair->a, pair->b_at_a, PEER_WISH_HANDSHAKE);
	device_wish(&pair->a, pair->b_at_a, PEER_WISH_CONFIRM);
	device_wish(&pair->a, other, PEER_WISH_CHECK);
	assert_false(awake(&pair->a));
	/* A peer that goes takes its wishes along. */
	device_remove_peer(&pair->a, other);
	assert_ptr_equal(device_next_wish(&pair->a, &wishes), pair->b_at_a);
	assert_int_equal(wishes, PEER_WISH_HANDSHAKE | PEER_WISH_CONFIRM);
	assert_null(device_next_wish(&pair->a, &wishes));
	/* The first stamp of a peer that nobody watches. */
	device_stamped(&pair->a, pair->b_at_a);
	device_stamped(&pair->a, pair->b_at_a);
	assert_true(awake(&pair->a));
	assert_ptr_equal(device_next_wish(&pair->a, &wishes), pair->b_at_a);
	assert_int_equal(wishes, PEER_WISH_CHECK);
	device_stamped(&pair->a, pair->b_at_a);
	assert_null(device_next_wish(&pair->a, &wishes));
}

static void fill_queue(struct device *device, unsigned count)
{
	struct path from = {.ifindex = 3};

	for (unsigned i = 0; i < count; ++i) {
		uint8_t bytes[92] = {(uint8_t)(i >> 8), (uint8_t)i};
		device_enqueue(device, bytes, sizeof(bytes), &from);
	}
}

static void test_queue(void **state)
{
	struct device *device = &((struct pair *)*state)->a;
	struct device_message messages[3];
	unsigned count, taken = 0;

	assert_int_equal(device_dequeue(device, messages, 3, NOW), 0);
	fill_queue(device, DEVICE_QUEUE_MAX + 5);
	assert_int_equal(drop_get(&device->drops, DROP_QUEUE_FULL), 5);
	while ((count = device_dequeue(device, messages, 3, NOW))) {
		for (unsigned i = 0; i < count; ++i, ++taken) {
			assert_int_equal(messages[i].bytes[0] << 8 | messages[i].bytes[1], taken);
			assert_int_equal(messages[i].len, 92);
			assert_int_equal(messages[i].from.ifindex, 3);
		}
	}
	assert_int_equal(taken, DEVICE_QUEUE_MAX);
}

/* A long queue is a load, and is remembered for a second. */
static void test_load(void **state)
{
	struct device *device = &((struct pair *)*state)->a;
	struct device_message messages[32];

	fill_queue(device, DEVICE_QUEUE_LOADED - 1);
	assert_int_equal(device_dequeue(device, messages, 32, NOW), 32);
	assert_false(device_under_load(device, NOW));
	fill_queue(device, 32 + 1);
	assert_int_equal(device_dequeue(device, messages, 32, NOW), 32);
	assert_true(device_under_load(device, NOW));
	while (device_dequeue(device, messages, 32, NOW))
		;
	assert_true(device_under_load(device, NOW + SECOND - 1));
	assert_false(device_under_load(device, NOW + SECOND));
}

/* So are too many messages for nothing, however short the queue. */
static void test_wasted(void **state)
{
	struct device *device = &((struct pair *)*state)->a;
	uint64_t now = NOW, step = SECOND / DEVICE_WASTED_PER_SECOND;

	for (unsigned i = 0; i < 10 * DEVICE_WASTED_PER_SECOND; ++i, now += step)
		device_wasted(device, now);
	assert_false(device_under_load(device, now));
	for (unsigned i = 0; i < DEVICE_WASTED_PER_SECOND; ++i, now += step / 2)
		device_wasted(device, now);
	assert_true(device_under_load(device, now));
	assert_false(device_under_load(device, now + SECOND));
}

/* What waits was made for the old key. */
static void test_queue_and_key(void **state)
{
	struct device *device = &((struct pair *)*state)->a;
	struct device_message message;
	struct key key = {{9}};

	fill_queue(device, 7);
	device_set_private_key(device, &key);
	assert_int_equal(device_dequeue(device, &message, 1, NOW), 0);
	assert_int_equal(drop_get(&device->drops, DROP_BAD_MAC1), 7);
	fill_queue(device, 1);
	device_set_private_key(device, &key); /* the same one */
	assert_int_equal(device_dequeue(device, &message, 1, NOW), 1);
}

static void test_allowed(void **state)
{
	struct device *device = &((struct pair *)*state)->a;
	struct peer *peer = ((struct pair *)*state)->b_at_a;
	struct prefix prefix = {.addr = {10}, .family = AF_INET, .cidr = 8};
	const uint8_t inside[4] = {10, 1, 2, 3};

	assert_int_equal(device_insert_allowed(device, peer, &prefix), 0);
	assert_ptr_equal(allowedips_lookup4(&device->allowed, inside), &peer->allowed);
	device_remove_allowed(device, peer, &prefix);
	assert_null(allowedips_lookup4(&device->allowed, inside));
	assert_int_equal(device_insert_allowed(device, peer, &prefix), 0);
	device_clear_allowed(device, peer);
	assert_null(allowedips_lookup4(&device->allowed, inside));
	assert_int_equal(device_insert_allowed(device, peer, &prefix), 0);
	device_remove_peer(device, peer);
	assert_null(allowedips_lookup4(&device->allowed, inside));
}

/* What waits is bounded for all peers together, and given back. */
static void test_staged(void **state)
{
	struct device *device = &((struct pair *)*state)->a;
	struct peer *first = ((struct pair *)*state)->b_at_a, *peer;
	static uint8_t packet[65000];
	unsigned staged = 0;

	for (uint8_t i = 0; device->staged_bytes + sizeof(packet) <= DEVICE_STAGED_MAX; ++i) {
		struct key key = {.bytes = {100, i}};
		assert_int_equal(device_add_peer(device, &key, &peer), 0);
		for (unsigned k = 0; k < 10; ++k)
			staged += device_stage(device, peer, packet, sizeof(packet)) == DROP_NONE;
	}
	assert_int_equal(staged, DEVICE_STAGED_MAX / sizeof(packet));
	assert_int_equal(device->staged_bytes, staged * sizeof(packet));
	assert_int_equal(device_stage(device, first, packet, sizeof(packet)), DROP_STAGED_FULL);
	peer_free_staged(device_take_staged(device, peer));
	assert_int_equal(device_stage(device, first, packet, sizeof(packet)), DROP_NONE);
	for (unsigned i = 0; i < PEER_STAGED_MAX; ++i)
		device_stage(device, first, packet, 100);
	assert_int_equal(first->staged_bytes, PEER_STAGED_MAX * 100);
	while ((peer = device_first_peer(device)))
		device_remove_peer(device, peer);
	assert_int_equal(device->staged_bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_places),      TEST(test_crossed), TEST(test_zero_keys),
		TEST(test_private_key), TEST(test_wishes),  TEST(test_queue),
		TEST(test_load),        TEST(test_wasted),  TEST(test_queue_and_key),
		TEST(test_allowed),     TEST(test_staged),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
