/* SPDX-License-Identifier: MIT
 * A keypair's life: its ages, its last counters, and threads that race for them. */
#include "engine/keypair.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define BORN (1000 * SECOND)
#define THREADS 4
#define LEFT 200000u

static struct keypair *make(bool initiator)
{
	struct noise_session session = {
		.local_index = 0x11223344, .remote_index = 0x55667788, .initiator = initiator};
	struct keypair *keypair;

	memset(session.send.bytes, 0x5e, KEY_LEN);
	memset(session.receive.bytes, 0x4c, KEY_LEN);
	keypair = keypair_new(NULL, &session, BORN);
	assert_non_null(keypair);
	return keypair;
}

static void test_new(void **state)
{
	static const struct noise_session none;
	static char somebody;
	struct noise_session session = {
		.local_index = 0x11223344, .remote_index = 0x55667788, .initiator = true};
	struct peer *peer = (struct peer *)(void *)&somebody;
	struct keypair *keypair;
	uint8_t expected[KEY_LEN];

	(void)state;
	memset(session.send.bytes, 0x5e, KEY_LEN);
	memset(session.receive.bytes, 0x4c, KEY_LEN);
	keypair = keypair_new(peer, &session, BORN);
	assert_non_null(keypair);
	assert_memory_equal(&session.send, &none.send, sizeof(none.send));
	assert_memory_equal(&session.receive, &none.receive, sizeof(none.receive));
	memset(expected, 0x5e, KEY_LEN);
	assert_memory_equal(keypair->send.bytes, expected, KEY_LEN);
	memset(expected, 0x4c, KEY_LEN);
	assert_memory_equal(keypair->receive.bytes, expected, KEY_LEN);
	assert_int_equal(keypair->index.index, 0x11223344);
	assert_int_equal(keypair->index.kind, 0);
	assert_int_equal(keypair->remote_index, 0x55667788);
	assert_int_equal(keypair->born, BORN);
	assert_ptr_equal(keypair->peer, peer);
	assert_true(keypair->initiator);
	assert_false(keypair->heard);
	assert_int_equal(keypair->sent, 0);
	assert_true(replay_accept(&keypair->replay, 0));
	keypair_free(keypair);
	keypair_free(NULL);
}

static void test_alive(void **state)
{
	struct keypair *keypair = make(false);

	(void)state;
	/* A worker's time may be from before. */
	assert_true(keypair_alive(keypair, BORN - 1));
	assert_true(keypair_alive(keypair, 0));
	assert_true(keypair_alive(keypair, BORN));
	assert_true(keypair_alive(keypair, BORN + REJECT_AFTER_TIME - 1));
	assert_true(keypair_accepts(keypair, BORN + REJECT_AFTER_TIME - 1));
	assert_false(keypair_alive(keypair, BORN + REJECT_AFTER_TIME));
	assert_false(keypair_accepts(keypair, BORN + REJECT_AFTER_TIME));
	keypair->sent = REJECT_AFTER_MESSAGES - 1;
	assert_true(keypair_alive(keypair, BORN));
	keypair->sent = REJECT_AFTER_MESSAGES;
	assert_false(keypair_alive(keypair, BORN));
	keypair_free(keypair);
}

static void test_expire(void **state)
{
	struct keypair *keypair = make(true);
	uint64_t first;

	(void)state;
	assert_true(keypair_reserve(keypair, 3, &first));
	keypair_expire(keypair);
	assert_false(keypair_alive(keypair, BORN));
	assert_true(keypair_accepts(keypair, BORN));
	assert_false(keypair_reserve(keypair, 1, &first));
	keypair_free(keypair);
}

static void test_stale(void **state)
{
	const uint64_t last_minute = BORN + 165 * SECOND;
	struct keypair *initiator = make(true), *responder = make(false);

	(void)state;
	assert_false(keypair_stale_to_sender(initiator, BORN - 1));
	assert_false(keypair_stale_to_sender(initiator, BORN + REKEY_AFTER_TIME - 1));
	assert_true(keypair_stale_to_sender(initiator, BORN + REKEY_AFTER_TIME));
	assert_false(keypair_stale_to_sender(responder, BORN + REJECT_AFTER_TIME));
	responder->sent = REKEY_AFTER_MESSAGES;
	assert_false(keypair_stale_to_sender(responder, BORN));
	responder->sent = REKEY_AFTER_MESSAGES + 1;
	assert_true(keypair_stale_to_sender(responder, BORN));

	assert_false(keypair_stale_to_receiver(initiator, BORN - 1));
	assert_false(keypair_stale_to_receiver(initiator, last_minute));
	assert_true(keypair_stale_to_receiver(initiator, last_minute + 1));
	assert_false(keypair_stale_to_receiver(initiator, last_minute + 1));
	assert_false(keypair_stale_to_receiver(initiator, last_minute + SECOND));
	assert_false(keypair_stale_to_receiver(responder, last_minute + SECOND));
	keypair_free(initiator);
	keypair_free(responder);
}

static void test_reserve(void **state)
{
	struct keypair *keypair = make(true);
	uint64_t first = 99;

	(void)state;
	assert_true(keypair_reserve(keypair, 1, &first));
	assert_int_equal(first, 0);
	assert_true(keypair_reserve(keypair, 64, &first));
	assert_int_equal(first, 1);
	assert_true(keypair_reserve(keypair, 1, &first));
	assert_int_equal(first, 65);
	keypair->sent = REJECT_AFTER_MESSAGES - 10;
	assert_false(keypair_reserve(keypair, 11, &first));
	assert_int_equal(first, 65);
	assert_false(keypair_reserve(keypair, UINT32_MAX, &first));
	assert_true(keypair_reserve(keypair, 10, &first));
	assert_int_equal(first, REJECT_AFTER_MESSAGES - 10);
	assert_false(keypair_reserve(keypair, 1, &first));
	assert_int_equal(keypair->sent, REJECT_AFTER_MESSAGES);
	keypair->sent = UINT64_MAX;
	assert_false(keypair_reserve(keypair, 1, &first));
	keypair_free(keypair);
}

struct racer {
	struct keypair *keypair;
	pthread_barrier_t *start;
	_Atomic unsigned char *handed; /* by distance from the first counter of the race */
	unsigned run;                  /* counters at a time; 0: of all sizes */
	uint64_t taken;
	unsigned wrong, asked;
};

static void *race(void *argument)
{
	struct racer *racer = argument;
	unsigned count = racer->run ? racer->run : 64, refused = 0;
	uint64_t first;

	pthread_barrier_wait(racer->start);
	racer->asked += keypair_stale_to_receiver(racer->keypair, BORN + 170 * SECOND);
	while (refused < 1000) {
		if (!keypair_reserve(racer->keypair, count, &first)) {
			refused++;
			count = racer->run || count == 1 ? count : count / 2;
			continue;
		}
		racer->taken += count;
		for (unsigned i = 0; i < count; i++) {
			uint64_t at = first + i - (REJECT_AFTER_MESSAGES - LEFT);

			if (at >= LEFT || atomic_fetch_add(&racer->handed[at], 1))
				racer->wrong++;
		}
	}
	return NULL;
}

/* However they race, each counter goes to one thread and none is beyond the limit. Returns how many
 * were handed out. */
static uint64_t run_race(unsigned run, unsigned *asked)
{
	struct keypair *keypair = make(true);
	struct racer racers[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t start;
	void *handed = calloc(LEFT, sizeof(_Atomic unsigned char));
	uint64_t taken = 0;

	assert_non_null(handed);
	keypair->sent = REJECT_AFTER_MESSAGES - LEFT;
	assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
	*asked = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){
			.keypair = keypair, .start = &start, .handed = handed, .run = run};
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(racers[i].wrong, 0);
		taken += racers[i].taken;
		*asked += racers[i].asked;
	}
	assert_int_equal(keypair->sent, REJECT_AFTER_MESSAGES - LEFT + taken);
	pthread_barrier_destroy(&start);
	free(handed);
	keypair_free(keypair);
	return taken;
}

static void test_threads(void **state)
{
	unsigned asked;

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		assert_int_equal(run_race(1, &asked), LEFT);
		assert_int_equal(asked, 1);
		assert_int_equal(run_race(0, &asked), LEFT);
		assert_int_equal(asked, 1);
		/* A run that does not fit takes nothing: the rest stays. */
		assert_int_equal(run_race(63, &asked), LEFT - LEFT % 63);
		assert_int_equal(asked, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),     cmocka_unit_test(test_alive),
		cmocka_unit_test(test_expire),  cmocka_unit_test(test_stale),
		cmocka_unit_test(test_reserve), cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
