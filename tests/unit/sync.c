/* SPDX-License-Identifier: MIT
 * The difference of two configurations: written as set lines, and by a model of its own on random
 * ones: the change leads from the one to the other. */
#include "cli/sync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "conf/model.h"
#include "conf/text.h"
#include "conf/uapi.h"

#define PEERS 5
#define PREFIXES 6

/* The key of 32 equal bytes. */
static struct key key_of(unsigned byte)
{
	struct key key;

	memset(key.bytes, (int)byte, sizeof(key.bytes));
	return key;
}

static struct model_peer *add_peer(struct model *model, unsigned number)
{
	struct model_peer *peer = model_add_peer(model);

	assert_non_null(peer);
	peer->public_key = key_of(number);
	peer->replace_allowed = true;
	return peer;
}

static void allow_as(struct model_peer *peer, const char *text, enum model_allowed_op op)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(&prefix, text, strlen(text)), 0);
	assert_int_equal(model_peer_add_allowed(peer, &prefix, op), 0);
}

static void allow(struct model_peer *peer, const char *text)
{
	allow_as(peer, text, MODEL_ALLOWED_ADD);
}

static void endpoint(struct model_peer *peer, const char *text)
{
	assert_int_equal(endpoint_parse_numeric(&peer->endpoint, text, strlen(text)), 0);
}

static struct model_peer *full_peer(struct model *model, unsigned number)
{
	struct model_peer *peer = add_peer(model, number);

	peer->has_preshared_key = peer->has_keepalive = true;
	peer->preshared_key = key_of(0xee);
	peer->keepalive = 25;
	endpoint(peer, "192.0.2.1:1");
	allow(peer, "10.0.0.0/8");
	allow(peer, "fd00::/64");
	return peer;
}

/* The change is these set lines (with %K for the key of the peer, 64 digits each). */
static void expect(struct model *wanted, const struct model *now, const char *lines)
{
	struct text text = TEXT_EMPTY;

	assert_int_equal(sync_reduce(wanted, now), 0);
	uapi_write_set(&text, wanted);
	assert_string_equal(text.data, lines);
	text_wipe(&text);
}

#define HEX(two)                                                                                   \
	two two two two two two two two two two two two two two two two two two two two two two    \
		two two two two two two two two two two

static void same(void **state)
{
	struct model wanted = {.has_private_key = true,
			       .has_listen_port = true,
			       .has_fwmark = true,
			       .listen_port = 7,
			       .fwmark = 8,
			       .private_key = key_of(1)};
	struct model now = wanted;

	(void)state;
	full_peer(&wanted, 0x11);
	full_peer(&now, 0x11);
	expect(&wanted, &now, "set=1\npublic_key=" HEX("11") "\n\n");
	model_wipe(&wanted);
	model_wipe(&now);
}

static void device_keeps_what_is_not_named(void **state)
{
	struct model now = {.has_private_key = true,
			    .has_listen_port = true,
			    .has_fwmark = true,
			    .listen_port = 7,
			    .fwmark = 8,
			    .private_key = key_of(1)};
	struct model nothing = MODEL_EMPTY;
	struct model other = {.has_private_key = true,
			      .has_listen_port = true,
			      .has_fwmark = true,
			      .private_key = key_of(0x22)};

	(void)state;
	expect(&nothing, &now, "set=1\n\n");
	expect(&other, &now, "set=1\nprivate_key=" HEX("22") "\nlisten_port=0\nfwmark=0\n\n");
}

static void peers_come_change_and_go(void **state)
{
	struct model wanted = MODEL_EMPTY, now = MODEL_EMPTY;
	struct model_peer *peer;

	(void)state;
	full_peer(&now, 0x11);
	allow(add_peer(&now, 0x22), "10.2.0.0/16");
	peer = full_peer(&wanted, 0x11);
	peer->preshared_key = key_of(0xdd);
	peer->keepalive = 0;
	peer->allowed_count = 1;
	endpoint(peer, "192.0.2.1:2");
	allow(add_peer(&wanted, 0x33), "10.2.0.0/16");
	expect(&wanted, &now,
	       "set=1\n"
	       "public_key=" HEX("11") "\npreshared_key=" HEX(
		       "dd") "\nendpoint=192.0.2.1:2\n"
			     "persistent_keepalive_interval=0\nreplace_allowed_ips=true\n"
			     "allowed_ip=10.0.0.0/8\n"
			     "public_key=" HEX(
				     "33") "\nreplace_allowed_ips=true\nallowed_ip=10.2.0.0/16\n"
					   "public_key=" HEX("22") "\nremove=true\n\n");
	model_wipe(&wanted);
	model_wipe(&now);
}

static void peer_loses_what_is_not_named(void **state)
{
	struct model wanted = MODEL_EMPTY, now = MODEL_EMPTY;

	(void)state;
	full_peer(&now, 0x11);
	add_peer(&wanted, 0x11);
	/* But not its endpoint, which can only be replaced. */
	expect(&wanted, &now,
	       "set=1\npublic_key=" HEX("11") "\npreshared_key=" HEX(
		       "00") "\n"
			     "persistent_keepalive_interval=0\nreplace_allowed_ips=true\n\n");
	model_wipe(&wanted);
	model_wipe(&now);
}

static void order_and_host_bits_are_no_difference(void **state)
{
	struct model wanted = MODEL_EMPTY, now = MODEL_EMPTY;
	struct model_peer *peer;

	(void)state;
	full_peer(&now, 0x11);
	peer = full_peer(&wanted, 0x11);
	peer->allowed_count = 0;
	allow(peer, "fd00::1/64");
	allow(peer, "10.9.9.9/8");
	expect(&wanted, &now, "set=1\npublic_key=" HEX("11") "\n\n");
	model_wipe(&wanted);
	model_wipe(&now);
}

/* Who names a prefix last has it: then each peer has to say again what it wants. */
static void shared_prefixes_are_sent_in_order(void **state)
{
	struct model wanted = MODEL_EMPTY, now = MODEL_EMPTY;

	(void)state;
	add_peer(&now, 0x11);
	allow(add_peer(&now, 0x22), "10.0.0.0/8");
	allow(add_peer(&wanted, 0x11), "10.0.0.0/8");
	allow(add_peer(&wanted, 0x22), "10.0.0.0/8");
	expect(&wanted, &now,
	       "set=1\n"
	       "public_key=" HEX(
		       "11") "\nreplace_allowed_ips=true\nallowed_ip=10.0.0.0/8\n"
			     "public_key=" HEX(
				     "22") "\nreplace_allowed_ips=true\nallowed_ip=10.0.0.0/8\n\n");
	model_wipe(&wanted);
	model_wipe(&now);
}

static void signs_are_sent(void **state)
{
	struct model wanted = MODEL_EMPTY, now = MODEL_EMPTY;
	struct model_peer *peer;

	(void)state;
	full_peer(&now, 0x11);
	peer = full_peer(&wanted, 0x11);
	peer->replace_allowed = false;
	peer->allowed_count = 0;
	peer->has_preshared_key = peer->has_keepalive = true;
	allow_as(peer, "10.0.0.0/8", MODEL_ALLOWED_REMOVE);
	expect(&wanted, &now,
	       "set=1\npublic_key=" HEX("11") "\npreshared_key=" HEX(
		       "ee") "\n"
			     "endpoint=192.0.2.1:1\npersistent_keepalive_interval=25\nallowed_ip=-"
			     "10.0.0.0/8\n\n");
	model_wipe(&wanted);
	model_wipe(&now);
}

static void twins_are_sent(void **state)
{
	struct model wanted = MODEL_EMPTY, now = MODEL_EMPTY;

	(void)state;
	allow(add_peer(&now, 0x11), "10.1.0.0/16");
	allow(add_peer(&wanted, 0x11), "10.1.0.0/16");
	allow(add_peer(&wanted, 0x11), "10.2.0.0/16");
	expect(&wanted, &now,
	       "set=1\n"
	       "public_key=" HEX("11") "\nreplace_allowed_ips=true\nallowed_ip=10.1.0.0/16\n"
				       "public_key=" HEX("11") "\nreplace_allowed_ips="
							       "true\nallowed_ip=10.2.0.0/16\n\n");
	model_wipe(&wanted);
	model_wipe(&now);
}

/* Who has each of the prefixes; 0: nobody; -1: there is no such peer. */
struct owners {
	bool there[PEERS];
	int of[PREFIXES];
};

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

static void randomize(struct model *model, unsigned *seed)
{
	for (unsigned i = 0; i < PEERS; i++) {
		struct model_peer *peer = next(seed) % 3 ? add_peer(model, i + 1) : NULL;

		for (unsigned j = 0; peer && j < PREFIXES; j++) {
			struct prefix prefix = {.family = AF_INET, .addr = {10, (uint8_t)j}};

			prefix.cidr = 16;
			if (next(seed) % 4 == 0)
				assert_int_equal(model_peer_add_allowed(peer, &prefix, 0), 0);
		}
	}
}

/* What an engine does with a set. */
static void apply(struct owners *owners, const struct model *model)
{
	for (size_t i = 0; i < model->peer_count; i++) {
		const struct model_peer *peer = &model->peers[i];
		int number = peer->public_key.bytes[0];

		owners->there[number - 1] = !peer->remove;
		for (size_t j = 0; j < PREFIXES; j++)
			if ((peer->replace_allowed || peer->remove) && owners->of[j] == number)
				owners->of[j] = 0;
		for (size_t j = 0; j < peer->allowed_count; j++)
			owners->of[peer->allowed[j].prefix.addr[1]] = number;
	}
}

/* The present state as an engine reports it: each prefix with its owner alone. */
static void report(struct model *model, const struct owners *owners)
{
	for (unsigned i = 0; i < PEERS; i++) {
		struct model_peer *peer = owners->there[i] ? add_peer(model, i + 1) : NULL;

		for (unsigned j = 0; peer && j < PREFIXES; j++) {
			struct prefix prefix = {.family = AF_INET, .addr = {10, (uint8_t)j}};

			prefix.cidr = 16;
			if (owners->of[j] == (int)i + 1)
				assert_int_equal(model_peer_add_allowed(peer, &prefix, 0), 0);
		}
	}
}

static void random_changes_lead_there(void **state)
{
	unsigned seed = 6;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct model before = MODEL_EMPTY, now = MODEL_EMPTY, wanted = MODEL_EMPTY;
		struct owners present = {0}, expected = {0};

		randomize(&before, &seed);
		apply(&present, &before);
		report(&now, &present);
		randomize(&wanted, &seed);
		apply(&expected, &wanted);
		assert_int_equal(sync_reduce(&wanted, &now), 0);
		apply(&present, &wanted);
		assert_memory_equal(&present, &expected, sizeof(present));
		model_wipe(&before);
		model_wipe(&now);
		model_wipe(&wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same),
		cmocka_unit_test(device_keeps_what_is_not_named),
		cmocka_unit_test(peers_come_change_and_go),
		cmocka_unit_test(peer_loses_what_is_not_named),
		cmocka_unit_test(order_and_host_bits_are_no_difference),
		cmocka_unit_test(shared_prefixes_are_sent_in_order),
		cmocka_unit_test(signs_are_sent),
		cmocka_unit_test(twins_are_sent),
		cmocka_unit_test(random_changes_lead_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
