/* SPDX-License-Identifier: MIT
 * The timers by simulated time, one scenario a rule. See also timers_life.c. */
#include "engine/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define T0 (1000 * SECOND)
#define J (111 * MILLISECOND)

static unsigned check(struct timers *timers, uint64_t now, uint64_t *next)
{
	unsigned due = timers_check(timers, now, J, true, next);

	assert_true(*next > now);
	return due;
}

/* Nothing is due before at, by every *next until then; due is at at. Returns the *next of then. */
static uint64_t expect(struct timers *timers, uint64_t from, uint64_t at, unsigned due)
{
	uint64_t now = from, next;

	while (now < at) {
		assert_int_equal(check(timers, now, &next), 0);
		now = next;
	}
	assert_int_equal(now, at);
	assert_int_equal(check(timers, now, &next), due);
	return next;
}

static void expect_nothing(struct timers *timers, uint64_t from)
{
	uint64_t now = from, next;

	for (unsigned i = 0; i < 4 && now != TIMERS_NEVER; i++) {
		assert_int_equal(check(timers, now, &next), 0);
		now = next;
	}
	assert_int_equal(now, TIMERS_NEVER);
}

static void send_data(struct timers *timers, uint64_t now)
{
	timers_authenticated_sent(timers, now);
	timers_data_sent(timers, now);
}

static void receive_data(struct timers *timers, uint64_t now)
{
	timers_authenticated_received(timers, now);
	timers_data_received(timers, now);
}

static void test_idle(void **state)
{
	struct timers timers = {0};
	uint64_t next;

	(void)state;
	assert_int_equal(check(&timers, T0, &next), 0);
	assert_int_equal(next, TIMERS_NEVER);
	/* A keepalive, either way, asks for no answer. */
	timers_authenticated_received(&timers, T0);
	timers_authenticated_sent(&timers, T0);
	expect_nothing(&timers, T0);
}

static void test_passive_keepalive(void **state)
{
	struct timers timers = {0};

	(void)state;
	receive_data(&timers, T0);
	expect(&timers, T0, T0 + 10 * SECOND, TIMERS_KEEPALIVE);
	timers_authenticated_sent(&timers, T0 + 10 * SECOND);
	expect_nothing(&timers, T0 + 10 * SECOND);
	/* Nor a second time when it could not be sent. */
	receive_data(&timers, T0 + 50 * SECOND);
	expect(&timers, T0 + 50 * SECOND, T0 + 60 * SECOND, TIMERS_KEEPALIVE);
	expect_nothing(&timers, T0 + 60 * SECOND);
	/* Whatever we send is answer enough, also in the same batch. */
	receive_data(&timers, T0 + 100 * SECOND);
	timers_authenticated_sent(&timers, T0 + 100 * SECOND);
	expect_nothing(&timers, T0 + 100 * SECOND);
	receive_data(&timers, T0 + 150 * SECOND);
	timers_authenticated_sent(&timers, T0 + 160 * SECOND - 1);
	expect_nothing(&timers, T0 + 160 * SECOND);
}

static void test_another_keepalive(void **state)
{
	struct timers timers = {0};
	uint64_t now = T0 + 10 * SECOND;

	(void)state;
	receive_data(&timers, T0);
	receive_data(&timers, T0 + 3 * SECOND);
	receive_data(&timers, T0 + 4 * SECOND);
	expect(&timers, T0 + 4 * SECOND, now, TIMERS_KEEPALIVE);
	timers_authenticated_sent(&timers, now);
	expect(&timers, now, now + 10 * SECOND, TIMERS_KEEPALIVE);
	timers_authenticated_sent(&timers, now + 10 * SECOND);
	expect_nothing(&timers, now + 10 * SECOND);

	/* The second is settled by what is sent after the first, and the memory of it goes too. */
	receive_data(&timers, T0 + 100 * SECOND);
	receive_data(&timers, T0 + 101 * SECOND);
	now = T0 + 110 * SECOND;
	expect(&timers, T0 + 101 * SECOND, now, TIMERS_KEEPALIVE);
	timers_authenticated_sent(&timers, now);
	receive_data(&timers, now + SECOND);
	timers_authenticated_sent(&timers, now + 2 * SECOND);
	receive_data(&timers, now + 3 * SECOND);
	expect(&timers, now + 3 * SECOND, now + 13 * SECOND, TIMERS_KEEPALIVE);
	timers_authenticated_sent(&timers, now + 13 * SECOND);
	expect_nothing(&timers, now + 13 * SECOND);
}

/* One that only receives sends one keepalive each KEEPALIVE_TIMEOUT. */
static void test_one_way(void **state)
{
	struct timers timers = {0};
	uint64_t now = T0, next;
	unsigned keepalives = 0;

	(void)state;
	receive_data(&timers, now);
	check(&timers, now, &next);
	for (unsigned i = 1; i <= 1000; i++) {
		now = T0 + i * 100 * MILLISECOND;
		receive_data(&timers, now);
		if (now < next)
			continue;
		assert_int_equal(now, next);
		if (check(&timers, now, &next)) {
			keepalives++;
			assert_int_equal((now - T0) % (10 * SECOND), 0);
			timers_authenticated_sent(&timers, now);
		}
	}
	assert_int_equal(keepalives, 10);
}

static void test_unheard(void **state)
{
	struct timers timers = {0};
	uint64_t now = T0 + 15 * SECOND + J, next;

	(void)state;
	send_data(&timers, T0);
	timers_check(&timers, T0, J, true, &next);
	send_data(&timers, T0 + SECOND); /* does not put it off */
	/* The jitter is drawn once for a wait. */
	assert_int_equal(timers_check(&timers, T0 + SECOND, 7, true, &next), 0);
	expect(&timers, T0 + SECOND, now, TIMERS_INITIATE);
	expect_nothing(&timers, now);
	/* Data after that begins another wait; any authenticated packet ends it. */
	send_data(&timers, now);
	assert_int_equal(timers_check(&timers, now, 7, true, &next), 0);
	expect(&timers, now, now + 15 * SECOND + 7, TIMERS_INITIATE);
	send_data(&timers, now + 20 * SECOND);
	timers_authenticated_received(&timers, now + 35 * SECOND);
	expect_nothing(&timers, now + 35 * SECOND);
}

static void test_retries(void **state)
{
	struct timers timers = {0};
	uint64_t now = T0;

	(void)state;
	timers_handshake_wanted(&timers);
	timers_handshake_initiated(&timers, now, J);
	for (unsigned initiations = 1; initiations < 20; initiations++) {
		expect(&timers, now, now + 5 * SECOND + J, TIMERS_RETRY);
		now += 5 * SECOND + J;
		timers_authenticated_sent(&timers, now);
		timers_handshake_initiated(&timers, now, J);
	}
	/* With a keepalive pending, which giving up drops. */
	receive_data(&timers, now);
	expect(&timers, now, now + 5 * SECOND + J, TIMERS_GIVE_UP);
	now += 5 * SECOND + J;
	expect(&timers, now, now + 540 * SECOND, TIMERS_ZERO_KEYS);
	expect_nothing(&timers, now + 540 * SECOND);
}

static void test_wanted_again(void **state)
{
	struct timers timers = {0};
	uint64_t now = T0;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		if (i % 19 == 0)
			timers_handshake_wanted(&timers);
		timers_handshake_initiated(&timers, now, J);
		expect(&timers, now, now + 5 * SECOND + J, TIMERS_RETRY);
		now += 5 * SECOND + J;
	}
	timers_handshake_initiated(&timers, now, J);
	assert_int_not_equal(timers.attempts, 0);
	timers_handshake_complete(&timers);
	assert_int_equal(timers.attempts, 0);
	expect_nothing(&timers, now);
	/* A retry that the caller could not make is not asked for over and over. */
	timers_handshake_initiated(&timers, now, J);
	expect(&timers, now, now + 5 * SECOND + J, TIMERS_RETRY);
	expect_nothing(&timers, now + 5 * SECOND + J);
}

static void test_zero_keys(void **state)
{
	struct timers timers = {0};

	(void)state;
	timers_session_derived(&timers, T0);
	timers_session_derived(&timers, T0 + 120 * SECOND);
	expect(&timers, T0 + 120 * SECOND, T0 + 660 * SECOND, TIMERS_ZERO_KEYS);
	expect_nothing(&timers, T0 + 660 * SECOND);
	/* Giving up does not put off what is planned. */
	timers_session_derived(&timers, T0);
	timers.attempts = REKEY_ATTEMPTS_MAX + 1;
	timers_handshake_initiated(&timers, T0 + 100 * SECOND, 0);
	expect(&timers, T0 + 100 * SECOND, T0 + 105 * SECOND, TIMERS_GIVE_UP);
	expect(&timers, T0 + 105 * SECOND, T0 + 540 * SECOND, TIMERS_ZERO_KEYS);
}

static void test_persistent(void **state)
{
	struct timers timers = {.keepalive_interval = 25 * SECOND};
	uint64_t now = T0 + 25 * SECOND, next;

	(void)state;
	assert_int_equal(timers_check(&timers, T0, J, false, &next), 0);
	assert_int_equal(next, TIMERS_NEVER);
	expect(&timers, T0, now, TIMERS_KEEPALIVE);
	expect(&timers, now, now + 25 * SECOND, TIMERS_KEEPALIVE); /* the first was not sent */
	now += 25 * SECOND;
	timers_authenticated_sent(&timers, now);
	expect(&timers, now, now + 25 * SECOND, TIMERS_KEEPALIVE);
	now += 25 * SECOND;
	timers_authenticated_sent(&timers, now);
	timers_authenticated_received(&timers, now + 3 * SECOND);
	expect(&timers, now, now + 28 * SECOND, TIMERS_KEEPALIVE);
	assert_int_equal(timers_check(&timers, now + 29 * SECOND, J, false, &next), 0);
	timers_check(&timers, now + 129 * SECOND, J, false, &next);
	assert_int_equal(next, TIMERS_NEVER);
	/* The one at the start is the caller's. */
	now += 200 * SECOND;
	expect(&timers, now, now + 25 * SECOND, TIMERS_KEEPALIVE);
	timers.keepalive_interval = 0;
	expect_nothing(&timers, now + 25 * SECOND);
}

static void test_stop(void **state)
{
	struct timers timers = {.keepalive_interval = 25 * SECOND};
	uint64_t next;

	(void)state;
	receive_data(&timers, T0);
	receive_data(&timers, T0);
	send_data(&timers, T0 + 1);
	timers_handshake_initiated(&timers, T0, J);
	timers_session_derived(&timers, T0);
	check(&timers, T0 + 1, &next);
	timers_stop(&timers);
	assert_int_equal(timers_check(&timers, T0 + 1, J, false, &next), 0);
	assert_int_equal(next, TIMERS_NEVER);
	assert_int_equal(timers.keepalive_interval, 25 * SECOND);
}

/* Whatever a worker stamps after a check that saw traffic, *next comes in time; a worker's time may
 * be a batch old. */
static void test_active(void **state)
{
	struct timers timers = {0};
	uint64_t next;

	(void)state;
	assert_int_equal(check(&timers, T0, &next), 0);
	timers_authenticated_received(&timers, T0 - MILLISECOND);
	assert_int_equal(check(&timers, T0 + 1, &next), 0);
	assert_int_equal(next, T0 + 1 + KEEPALIVE_TIMEOUT);
	receive_data(&timers, T0 + 2);
	expect(&timers, next, T0 + 2 + KEEPALIVE_TIMEOUT, TIMERS_KEEPALIVE);
	/* A deadline that is known and sooner goes before. */
	send_data(&timers, T0 + 20 * SECOND);
	receive_data(&timers, T0 + 21 * SECOND);
	assert_int_equal(check(&timers, T0 + 25 * SECOND, &next), 0);
	assert_int_equal(next, T0 + 31 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_passive_keepalive),
		cmocka_unit_test(test_another_keepalive),
		cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_unheard),
		cmocka_unit_test(test_retries),
		cmocka_unit_test(test_wanted_again),
		cmocka_unit_test(test_zero_keys),
		cmocka_unit_test(test_persistent),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
