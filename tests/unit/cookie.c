/* SPDX-License-Identifier: MIT
 * MACs and cookies: the bytes as another program made them (tests/vectors/derive), and what must be
 * refused. */
#include "engine/cookie.h"

#include <errno.h>
#include <arpa/inet.h>
#include "../vectors/vectors.h"

#define NOW (1000 * SECOND)
#define INITIATION_LEN sizeof(struct wire_initiation)

#define assert_wiped(thing) assert_true(sodium_is_zero((const uint8_t *)&(thing), sizeof(thing)))
#define assert_same(one, two) assert_memory_equal(&(one), &(two), sizeof(one))

static const uint8_t NONCE[COOKIE_NONCE_LEN] = {7};
static const uint8_t SECRET[COOKIE_SECRET_LEN] = {8};
static const uint8_t OTHER_SECRET[COOKIE_SECRET_LEN] = {9};

static union sockaddr_ip source4(const char *address, uint16_t port)
{
	union sockaddr_ip source = {.in4 = {.sin_family = AF_INET, .sin_port = htons(port)}};

	assert_int_equal(inet_pton(AF_INET, address, &source.in4.sin_addr), 1);
	return source;
}

static union sockaddr_ip source6(const char *address, uint16_t port)
{
	union sockaddr_ip source = {.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};

	assert_int_equal(inet_pton(AF_INET6, address, &source.in6.sin6_addr), 1);
	return source;
}

/* The responder, and the initiator's view of it; one message between them */
struct pair {
	struct cookie_checker checker;
	struct cookie_maker maker;
	struct wire_initiation initiation;
	struct wire_cookie_reply reply;
	union sockaddr_ip source;
};

static uint8_t *message_of(struct pair *pair)
{
	return (uint8_t *)&pair->initiation;
}

static void pair_init(struct pair *pair)
{
	struct key public = {{1, 2, 3}};

	memset(pair, 0, sizeof(*pair));
	cookie_checker_init(&pair->checker, &public);
	cookie_maker_init(&pair->maker, &public);
	for (size_t i = 0; i < INITIATION_LEN; i++)
		message_of(pair)[i] = (uint8_t)i;
	pair->source = source4("192.0.2.1", 51820);
}

static void add_macs(struct pair *pair, uint64_t now)
{
	cookie_add_macs(&pair->maker, message_of(pair), INITIATION_LEN, now);
}

static bool check_mac1(struct pair *pair)
{
	return cookie_check_mac1(&pair->checker, message_of(pair), INITIATION_LEN);
}

static bool check_mac2(struct pair *pair, uint64_t now)
{
	return cookie_check_mac2(&pair->checker, message_of(pair), INITIATION_LEN, &pair->source,
				 now);
}

static void create_reply(struct pair *pair, const uint8_t *secret, uint64_t now)
{
	cookie_create_reply(&pair->checker, &pair->reply, message_of(pair), INITIATION_LEN,
			    0x11223344, &pair->source, NONCE, secret, now);
}

/* A cookie is with the initiator, made and taken at NOW. */
static void hand_out_cookie(struct pair *pair)
{
	pair_init(pair);
	add_macs(pair, NOW);
	create_reply(pair, SECRET, NOW);
	assert_int_equal(cookie_consume_reply(&pair->maker, &pair->reply, NOW), 0);
}

static void whole_exchange(struct vectors *vectors, struct cookie_checker *checker,
			   struct cookie_maker *maker, struct wire_initiation initiation,
			   const union sockaddr_ip *source)
{
	bool v4 = source->sa.sa_family == AF_INET;
	struct wire_cookie_reply expected, reply;
	uint8_t secret[COOKIE_SECRET_LEN], nonce[COOKIE_NONCE_LEN], mac2[WIRE_MAC_LEN];
	struct wire_initiation again = initiation;

	vectors_expect(vectors, "secret", secret, sizeof(secret));
	vectors_expect(vectors, "nonce", nonce, sizeof(nonce));
	vectors_expect(vectors, v4 ? "reply4" : "reply6", &expected, sizeof(expected));
	vectors_expect(vectors, v4 ? "mac2_4" : "mac2_6", mac2, sizeof(mac2));
	cookie_add_macs(maker, (uint8_t *)&again, sizeof(again), NOW + 1000 * SECOND);
	assert_same(again, initiation); /* no cookie is left from before */
	cookie_create_reply(checker, &reply, (uint8_t *)&initiation, sizeof(initiation),
			    wire_get32(initiation.sender), source, nonce, secret, NOW);
	assert_same(reply, expected);
	assert_int_equal(cookie_consume_reply(maker, &expected, NOW), 0);
	cookie_add_macs(maker, (uint8_t *)&again, sizeof(again), NOW);
	assert_memory_equal(again.mac1, initiation.mac1, WIRE_MAC_LEN);
	assert_memory_equal(again.mac2, mac2, WIRE_MAC_LEN);
	assert_true(cookie_check_mac2(checker, (uint8_t *)&again, sizeof(again), source, NOW));
}

static void one_peer(struct vectors *vectors)
{
	struct key initiator, responder, public, skipped;
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];
	struct wire_initiation initiation;
	struct wire_response response, again;
	struct cookie_checker checker;
	struct cookie_maker maker;
	union sockaddr_ip source;

	vectors_expect(vectors, "psk", skipped.bytes, KEY_LEN);
	vectors_expect(vectors, "si", initiator.bytes, KEY_LEN);
	vectors_expect(vectors, "sr", responder.bytes, KEY_LEN);
	vectors_expect(vectors, "ei", skipped.bytes, KEY_LEN);
	vectors_expect(vectors, "er", skipped.bytes, KEY_LEN);
	vectors_expect(vectors, "timestamp", timestamp, sizeof(timestamp));
	vectors_expect(vectors, "initiation", &initiation, sizeof(initiation));
	vectors_expect(vectors, "response", &response, sizeof(response));
	vectors_expect(vectors, "t1", skipped.bytes, KEY_LEN);
	vectors_expect(vectors, "t2", skipped.bytes, KEY_LEN);

	key_derive_public(&public, &initiator);
	cookie_checker_init(&checker, &public);
	assert_true(cookie_check_mac1(&checker, (uint8_t *)&response, sizeof(response)));
	cookie_maker_init(&maker, &public);
	again = response;
	memset(again.mac1, 0xaa, WIRE_MAC_LEN);
	memset(again.mac2, 0xaa, WIRE_MAC_LEN);
	cookie_add_macs(&maker, (uint8_t *)&again, sizeof(again), NOW);
	assert_same(again, response);

	key_derive_public(&public, &responder);
	cookie_checker_init(&checker, &public);
	assert_false(cookie_check_mac1(&checker, (uint8_t *)&response, sizeof(response)));
	assert_true(cookie_check_mac1(&checker, (uint8_t *)&initiation, sizeof(initiation)));
	cookie_maker_init(&maker, &public);
	source = source4("192.0.2.1", 51820);
	whole_exchange(vectors, &checker, &maker, initiation, &source);
	source = source6("2001:db8::1", 51820);
	whole_exchange(vectors, &checker, &maker, initiation, &source);
}

static void second_implementation(void **state)
{
	struct vectors vectors;

	(void)state;
	vectors_open(&vectors, "wireguard.txt");
	one_peer(&vectors);
	one_peer(&vectors);
	assert_false(vectors_next(&vectors));
	vectors_close(&vectors);
}

/* MAC1 covers all before it, and MAC2 that and MAC1. */
static void every_bit_counts(void **state)
{
	struct pair pair;

	(void)state;
	hand_out_cookie(&pair);
	add_macs(&pair, NOW);
	assert_true(check_mac1(&pair));
	assert_true(check_mac2(&pair, NOW));
	for (size_t bit = 0; bit < 8 * INITIATION_LEN; bit++) {
		uint8_t *byte = message_of(&pair) + bit / 8;

		*byte ^= 1 << bit % 8;
		assert_int_equal(check_mac1(&pair),
				 bit / 8 >= offsetof(struct wire_initiation, mac2));
		assert_false(check_mac2(&pair, NOW));
		*byte ^= 1 << bit % 8;
	}
}

static void too_short(void **state)
{
	struct pair pair;

	(void)state;
	hand_out_cookie(&pair);
	for (size_t len = 0; len < 2 * WIRE_MAC_LEN; len++) {
		uint8_t *message = calloc(1, len);

		assert_true(message || len == 0);
		assert_false(cookie_check_mac1(&pair.checker, message, len));
		assert_false(cookie_check_mac2(&pair.checker, message, len, &pair.source, NOW));
		free(message);
	}
}

static void no_cookie_yet(void **state)
{
	static const uint8_t zeros[COOKIE_SECRET_LEN];
	struct pair pair;

	(void)state;
	pair_init(&pair);
	add_macs(&pair, NOW);
	assert_true(check_mac1(&pair));
	assert_wiped(pair.initiation.mac2);
	assert_false(check_mac2(&pair, NOW)); /* no secret */
	create_reply(&pair, SECRET, NOW);
	assert_false(check_mac2(&pair, NOW)); /* zeros */
	/* A secret of zeros that was never made lets nobody in. */
	pair_init(&pair);
	add_macs(&pair, SECOND);
	create_reply(&pair, zeros, SECOND);
	assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, SECOND), 0);
	add_macs(&pair, SECOND);
	assert_true(check_mac2(&pair, SECOND));
	pair.checker.secret_born = 0;
	assert_false(check_mac2(&pair, SECOND));
}

static void another_source(void **state)
{
	const union sockaddr_ip others[] = {
		source4("192.0.2.1", 51821),
		source4("192.0.2.2", 51820),
		source6("::ffff:192.0.2.1", 51820),
		source6("2001:db8::1", 51820),
	};
	struct pair pair;

	(void)state;
	hand_out_cookie(&pair);
	add_macs(&pair, NOW);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		pair.source = others[i];
		assert_false(check_mac2(&pair, NOW));
	}
	pair.source = source4("192.0.2.1", 51820);
	assert_true(check_mac2(&pair, NOW));
	/* IPv6: all 16 bytes count, the scope and flow do not. */
	pair_init(&pair);
	pair.source = source6("fe80::1", 51820);
	add_macs(&pair, NOW);
	create_reply(&pair, SECRET, NOW);
	assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, NOW), 0);
	add_macs(&pair, NOW);
	pair.source.in6.sin6_scope_id = 5;
	pair.source.in6.sin6_flowinfo = 6;
	assert_true(check_mac2(&pair, NOW));
	pair.source = source6("fe80::2", 51820);
	assert_false(check_mac2(&pair, NOW));
}

static void ages(void **state)
{
	uint64_t used = COOKIE_SECRET_MAX_AGE - COOKIE_SECRET_LATENCY;
	struct pair pair;

	(void)state;
	hand_out_cookie(&pair);
	add_macs(&pair, NOW + used - 1);
	assert_true(check_mac2(&pair, NOW + used - 1));
	assert_true(check_mac2(&pair, NOW + COOKIE_SECRET_MAX_AGE - 1)); /* was long under way */
	assert_false(check_mac2(&pair, NOW + COOKIE_SECRET_MAX_AGE));
	add_macs(&pair, NOW + used);
	assert_wiped(pair.initiation.mac2);
	assert_wiped(pair.maker.cookie);
	add_macs(&pair, NOW + 1); /* it is forgotten, not only unused */
	assert_wiped(pair.initiation.mac2);
}

/* Whether or not they are asked for. */
static void ends(void **state)
{
	const uint64_t maker_end = NOW + COOKIE_SECRET_MAX_AGE - COOKIE_SECRET_LATENCY;
	const uint64_t checker_end = NOW + COOKIE_SECRET_MAX_AGE;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	assert_int_equal(cookie_checker_expire(&pair.checker, NOW), UINT64_MAX);
	assert_int_equal(cookie_maker_expire(&pair.maker, NOW), UINT64_MAX);
	hand_out_cookie(&pair);
	assert_int_equal(cookie_checker_expire(&pair.checker, checker_end - 1), checker_end);
	assert_int_equal(cookie_maker_expire(&pair.maker, maker_end - 1), maker_end);
	assert_memory_equal(pair.checker.secret, SECRET, sizeof(SECRET));
	assert_int_equal(cookie_checker_expire(&pair.checker, checker_end), UINT64_MAX);
	assert_int_equal(cookie_maker_expire(&pair.maker, maker_end), UINT64_MAX);
	assert_wiped(pair.checker.secret);
	assert_wiped(pair.maker.cookie);
	/* The keys for MACs stay. */
	add_macs(&pair, NOW);
	assert_true(check_mac1(&pair));
	hand_out_cookie(&pair);
	cookie_checker_forget(&pair.checker);
	cookie_maker_forget(&pair.maker);
	assert_wiped(pair.checker.secret);
	assert_wiped(pair.maker.cookie);
	assert_int_equal(cookie_checker_expire(&pair.checker, NOW), UINT64_MAX);
	assert_int_equal(cookie_maker_expire(&pair.maker, NOW), UINT64_MAX);
}

static void secret_changes(void **state)
{
	struct pair pair;

	(void)state;
	hand_out_cookie(&pair);
	create_reply(&pair, OTHER_SECRET, NOW + COOKIE_SECRET_MAX_AGE - 1);
	assert_memory_equal(pair.checker.secret, SECRET, sizeof(SECRET));
	assert_int_equal(pair.checker.secret_born, NOW);
	add_macs(&pair, NOW + 1);
	assert_true(check_mac2(&pair, NOW + 1));
	create_reply(&pair, OTHER_SECRET, NOW + COOKIE_SECRET_MAX_AGE);
	assert_memory_equal(pair.checker.secret, OTHER_SECRET, sizeof(OTHER_SECRET));
	assert_int_equal(pair.checker.secret_born, NOW + COOKIE_SECRET_MAX_AGE);
	assert_false(check_mac2(&pair, NOW + COOKIE_SECRET_MAX_AGE));
	assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, NOW), 0);
	add_macs(&pair, NOW + 1);
	assert_true(check_mac2(&pair, NOW + COOKIE_SECRET_MAX_AGE));
}

static void forged_replies(void **state)
{
	struct cookie_maker before;
	struct pair pair;

	(void)state;
	pair_init(&pair);
	create_reply(&pair, SECRET, NOW);
	assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, NOW),
			 -EBADMSG); /* unasked */
	add_macs(&pair, NOW);
	create_reply(&pair, SECRET, NOW);
	assert_int_equal(wire_classify((uint8_t *)&pair.reply, sizeof(pair.reply)),
			 WIRE_COOKIE_REPLY);
	assert_int_equal(wire_get32(pair.reply.receiver), 0x11223344);
	before = pair.maker;
	for (size_t bit = 8 * offsetof(struct wire_cookie_reply, nonce);
	     bit < 8 * sizeof(pair.reply); bit++) {
		uint8_t *byte = (uint8_t *)&pair.reply + bit / 8;

		*byte ^= 1 << bit % 8;
		assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, NOW), -EBADMSG);
		assert_same(pair.maker, before);
		*byte ^= 1 << bit % 8;
	}
	/* an answer to the message before the last */
	message_of(&pair)[20] ^= 1;
	add_macs(&pair, NOW);
	before = pair.maker;
	assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, NOW), -EBADMSG);
	assert_same(pair.maker, before);
	/* one answer for each message */
	create_reply(&pair, SECRET, NOW);
	assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, NOW), 0);
	assert_false(pair.maker.mac1_sent);
	before = pair.maker;
	assert_int_equal(cookie_consume_reply(&pair.maker, &pair.reply, NOW + 1), -EBADMSG);
	assert_same(pair.maker, before);
}

static void wiping(void **state)
{
	struct pair pair;

	(void)state;
	hand_out_cookie(&pair);
	cookie_checker_wipe(&pair.checker);
	cookie_maker_wipe(&pair.maker);
	assert_wiped(pair.checker);
	assert_wiped(pair.maker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_implementation),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(too_short),
		cmocka_unit_test(no_cookie_yet),
		cmocka_unit_test(another_source),
		cmocka_unit_test(ages),
		cmocka_unit_test(ends),
		cmocka_unit_test(secret_changes),
		cmocka_unit_test(forged_replies),
		cmocka_unit_test(wiping),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
