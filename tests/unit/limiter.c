/* SPDX-License-Identifier: MIT
 * The limiter: its rates, who shares a bucket, and that a full table neither lets anybody through
 * too often nor stays full. */
#include "engine/limiter.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>

#define NOW (1000 * SECOND)
#define COST (SECOND / LIMITER_PER_SECOND)

static const uint8_t HASH_KEY[16] = {1, 2, 3};
static struct limiter limiter;
static uint64_t seed;

static uint32_t next_random(uint32_t bound)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % bound;
}

static int set_up(void **state)
{
	(void)state;
	seed = 0x9e3779b97f4a7c15;
	limiter_init(&limiter, HASH_KEY);
	return 0;
}

static union sockaddr_ip source4(uint32_t address)
{
	union sockaddr_ip source = {.in4 = {.sin_family = AF_INET}};

	source.in4.sin_addr.s_addr = htonl(address);
	return source;
}

static union sockaddr_ip source6(const char *address)
{
	union sockaddr_ip source = {.in6 = {.sin6_family = AF_INET6}};

	assert_int_equal(inet_pton(AF_INET6, address, &source.in6.sin6_addr), 1);
	return source;
}

/* How many of so many requests at the same moment pass? */
static unsigned allowed(union sockaddr_ip source, unsigned requests, uint64_t now)
{
	unsigned count = 0;

	for (unsigned i = 0; i < requests; i++)
		count += limiter_allow(&limiter, &source, now);
	return count;
}

static void burst_then_rate(void **state)
{
	union sockaddr_ip source = source4(0xc0000201);

	(void)state;
	assert_int_equal(allowed(source, 100, NOW), LIMITER_BURST);
	assert_int_equal(allowed(source, 100, NOW + COST - 1), 0);
	assert_int_equal(allowed(source, 100, NOW + COST), 1);
	assert_int_equal(allowed(source, 100, NOW + 3 * COST), 2);
	/* Standing still earns no more than the burst. */
	assert_int_equal(allowed(source, 100, NOW + 3 * COST + LIMITER_BURST * COST - 1),
			 LIMITER_BURST - 1);
	assert_int_equal(allowed(source, 100, NOW + 100 * SECOND), LIMITER_BURST);
	assert_int_equal(allowed(source, 2, NOW + 3600 * SECOND), 2);
	assert_int_equal(allowed(source, 100, NOW + 7200 * SECOND), LIMITER_BURST);
}

/* However the requests lie in time. */
static void never_above_the_rate(void **state)
{
	union sockaddr_ip source = source4(0xc0000201);
	uint64_t now = NOW, steps[] = {1, MILLISECOND, 20 * MILLISECOND, 200 * MILLISECOND};

	(void)state;
	for (unsigned i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		uint64_t start = now;
		unsigned count = 0;

		for (unsigned j = 0; j < 20000; j++) {
			now += steps[i] / 2 + next_random((uint32_t)steps[i]);
			count += limiter_allow(&limiter, &source, now);
			assert_true(count <= LIMITER_BURST + (now - start) / COST);
		}
		if (steps[i] ==
		    20 * MILLISECOND) /* asking more than allowed gets all that is allowed */
			assert_true(count + 1 >= (now - start) / COST);
	}
}

static void a_steady_source_passes(void **state)
{
	union sockaddr_ip source = source4(0xc0000201);

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		assert_true(limiter_allow(&limiter, &source, NOW + i * COST));
}

static void who_shares(void **state)
{
	union sockaddr_ip other_port = source4(0xc0000201);

	(void)state;
	other_port.in4.sin_port = htons(5);
	assert_int_equal(allowed(source4(0xc0000201), 9, NOW), LIMITER_BURST);
	assert_int_equal(allowed(other_port, 9, NOW), 0);
	assert_int_equal(allowed(source4(0xc0000202), 9, NOW), LIMITER_BURST);
	assert_int_equal(allowed(source6("2001:db8:0:1::1"), 9, NOW), LIMITER_BURST);
	assert_int_equal(allowed(source6("2001:db8:0:1::2"), 9, NOW), 0);
	assert_int_equal(allowed(source6("2001:db8:0:1:ffff:ffff:ffff:ffff"), 9, NOW), 0);
	assert_int_equal(allowed(source6("2001:db8:0:2::1"), 9, NOW), LIMITER_BURST);
	/* the same first bytes in the other family */
	assert_int_equal(allowed(source6("c000:201::"), 9, NOW), LIMITER_BURST);
	assert_int_equal(allowed(source4(0), 9, NOW), LIMITER_BURST);
	assert_int_equal(allowed(source6("::"), 9, NOW), LIMITER_BURST);
}

static void no_address(void **state)
{
	union sockaddr_ip none = {.sa = {.sa_family = AF_UNSPEC}};

	(void)state;
	assert_int_equal(allowed(none, 9, NOW), 0);
}

static void full_table(void **state)
{
	unsigned known = 0;

	(void)state;
	for (uint32_t i = 0; i < 10 * LIMITER_SLOTS; i++)
		known += allowed(source4(i), 1, NOW) == 1;
	assert_true(known > LIMITER_SLOTS * 99 / 100 && known <= LIMITER_SLOTS);
	/* Who is in keeps what it had; nobody new comes in. */
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(allowed(source4(i), 9, NOW), LIMITER_BURST - 1);
	assert_int_equal(allowed(source4(0xffffffff), 9, NOW + COST - 1), 0);
	/* All places can be had again when their buckets are full. */
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(allowed(source4(0xf0000000 + i), 9, NOW + LIMITER_BURST * COST),
				 LIMITER_BURST);
}

/* One who owns a /48 and may do 20,000 handshakes a second with it, more than we could answer, does
 * not keep others out. */
static void room_for_newcomers(void **state)
{
	uint64_t now = NOW;
	char text[64];

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		now += SECOND / 20000;
		(void)snprintf(text, sizeof(text), "2001:db8:bad:%x::1", next_random(1 << 16));
		(void)allowed(source6(text), 1, now);
		if (i % 100 == 0)
			assert_int_equal(allowed(source4(i), 1, now), 1);
	}
}

/* One who owns many addresses cannot have a bucket forgotten, and so refilled, early. */
static void eviction_gains_nothing(void **state)
{
	union sockaddr_ip source = source4(0xc0000201);
	uint64_t now = NOW;
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 2000000; i++) {
		now += next_random(MILLISECOND / 4);
		(void)allowed(source4(next_random(100000)), 1, now);
		if (i % 16 == 0)
			count += limiter_allow(&limiter, &source, now);
		assert_true(count <= LIMITER_BURST + (now - NOW) / COST);
	}
	assert_true(count > 0);
}

/* Places depend on the key: what collides under one does not under another. */
static void hash_key_matters(void **state)
{
	static struct limiter other;
	static const uint8_t other_key[16] = {4, 5, 6};
	unsigned same = 0;

	(void)state;
	limiter_init(&other, other_key);
	for (uint32_t i = 0; i < 1000; i++) {
		union sockaddr_ip source = source4(i);

		limiter_allow(&limiter, &source, NOW);
		limiter_allow(&other, &source, NOW);
	}
	for (unsigned i = 0; i < LIMITER_SLOTS; i++)
		same += limiter.slots[i].source != 0 &&
			limiter.slots[i].source == other.slots[i].source;
	assert_int_equal(same, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(burst_then_rate, set_up),
		cmocka_unit_test_setup(never_above_the_rate, set_up),
		cmocka_unit_test_setup(a_steady_source_passes, set_up),
		cmocka_unit_test_setup(who_shares, set_up),
		cmocka_unit_test_setup(no_address, set_up),
		cmocka_unit_test_setup(full_table, set_up),
		cmocka_unit_test_setup(room_for_newcomers, set_up),
		cmocka_unit_test_setup(eviction_gains_nothing, set_up),
		cmocka_unit_test_setup(hash_key_matters, set_up),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
