/* SPDX-License-Identifier: MIT
 * AllowedIPs with exceptions: against every address of a small range, and known results. */
#include "conf/exclude.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "conf/model.h"
#include "draw.h"

#define ROUNDS 20000
#define BITS 6 /* of the range that is tried */
#define ADDRESSES (1u << BITS)

static void add(struct model_peer *peer, const char *text)
{
	enum model_allowed_op op = MODEL_ALLOWED_ADD;
	struct prefix prefix;

	if (*text == '!')
		op = MODEL_ALLOWED_EXCLUDE;
	if (*text == '-')
		op = MODEL_ALLOWED_REMOVE;
	text += op != MODEL_ALLOWED_ADD;
	assert_int_equal(prefix_parse(&prefix, text, strlen(text)), 0);
	assert_int_equal(model_peer_add_allowed(peer, &prefix, op), 0);
}

/* Lists are words between blanks. */
static void add_all(struct model_peer *peer, const char *list)
{
	char copy[400], *rest = NULL;

	strcpy(copy, list);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		add(peer, word);
}

static void known(void **state)
{
	static const struct {
		const char *list, *result;
	} cases[] = {
		{"0.0.0.0/0 !192.168.0.0/16",
		 "0.0.0.0/1 128.0.0.0/2 192.0.0.0/9 192.128.0.0/11 192.160.0.0/13 192.169.0.0/16 "
		 "192.170.0.0/15 192.172.0.0/14 192.176.0.0/12 192.192.0.0/10 193.0.0.0/8 "
		 "194.0.0.0/7 196.0.0.0/6 200.0.0.0/5 208.0.0.0/4 224.0.0.0/3"},
		{"!10.1.2.3 10.1.2.2/31 fd00::/64", "10.1.2.2/32 fd00::/64"},
		{"::/0 !8000::/1 !::/1 0.0.0.0/1", "0.0.0.0/1"},
		{"::/0 !0.0.0.0/0", "::/0"},
		{"fd00::/127 !fd00::1", "fd00::/128"},
		{"fd00::/126 !fd00::1/128 !fd00::1/127", "fd00::2/127"},
		{"10.0.0.1/8 !11.0.0.0/8", "10.0.0.1/8"},
		{"10.0.0.0/8 !10.5.5.5/8", ""},
		{"10.0.0.0/8 !0.0.0.0/0", ""},
		{"!10.0.0.0/8", ""},
		{"10.0.0.0/8 -10.0.0.0/8 !10.0.0.0/9 10.1.0.0/16", "10.128.0.0/9 -10.0.0.0/8"},
		{"10.0.0.1/8", "10.0.0.1/8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct model got = MODEL_EMPTY, wanted = MODEL_EMPTY;
		struct model_peer *peer = model_add_peer(&got), *other = model_add_peer(&wanted);

		add_all(peer, cases[i].list);
		add_all(other, cases[i].result);
		assert_int_equal(exclude_apply_all(&got), 0);
		assert_false(exclude_is_used(peer));
		assert_int_equal(peer->allowed_count, other->allowed_count);
		for (size_t j = 0; j < other->allowed_count; j++) {
			assert_true(
				prefix_equal(&peer->allowed[j].prefix, &other->allowed[j].prefix));
			assert_int_equal(peer->allowed[j].op, other->allowed[j].op);
		}
		model_wipe(&got);
		model_wipe(&wanted);
	}
}

/* Which addresses of the range are in any prefix of that operation. */
static void mark(bool set[ADDRESSES], const struct model_peer *peer, enum model_allowed_op op,
		 size_t byte, bool as)
{
	const uint8_t base = (uint8_t)(prefix_max(peer->allowed[0].prefix.family) - BITS);

	for (size_t i = 0; i < peer->allowed_count; i++) {
		const struct prefix *prefix = &peer->allowed[i].prefix;
		const unsigned shift = BITS - (prefix->cidr - base);

		if (peer->allowed[i].op != op)
			continue;
		for (unsigned a = 0; a < ADDRESSES; a++)
			if (a >> shift == (prefix->addr[byte] & (ADDRESSES - 1)) >> shift)
				set[a] = as;
	}
}

static void brute_force(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		const int family = round & 1 ? AF_INET : AF_INET6;
		const size_t byte = family == AF_INET ? 3 : 15;
		bool wanted[ADDRESSES] = {false}, got[ADDRESSES] = {false};
		struct model_peer peer = {.allowed = NULL};
		const uint64_t count = 1 + draw(8);

		for (unsigned i = 0; i < count; i++) {
			struct prefix prefix = {.family = family, .addr = {10}};

			prefix.cidr = (uint8_t)(prefix_max(family) - BITS + draw(BITS + 1));
			prefix.addr[byte] = (uint8_t)draw(ADDRESSES);
			assert_int_equal(model_peer_add_allowed(&peer, &prefix,
								draw(2) ? MODEL_ALLOWED_EXCLUDE
									: MODEL_ALLOWED_ADD),
					 0);
		}
		mark(wanted, &peer, MODEL_ALLOWED_ADD, byte, true);
		mark(wanted, &peer, MODEL_ALLOWED_EXCLUDE, byte, false);
		assert_int_equal(exclude_apply(&peer), 0);
		if (peer.allowed_count)
			mark(got, &peer, MODEL_ALLOWED_ADD, byte, true);
		assert_memory_equal(got, wanted, sizeof(got));
		free(peer.allowed);
	}
}

/* More than an engine should be asked for: the list stays as it was. */
static void too_many(void **state)
{
	struct model_peer peer = {.allowed = NULL};
	struct prefix prefix = {.family = AF_INET6, .cidr = 128};

	(void)state;
	add(&peer, "::/0");
	for (unsigned i = 0; i < EXCLUDE_MAX / 64; i++) {
		for (unsigned j = 0; j < 16; j++)
			prefix.addr[j] = (uint8_t)draw(256);
		assert_int_equal(model_peer_add_allowed(&peer, &prefix, MODEL_ALLOWED_EXCLUDE), 0);
	}
	assert_int_equal(exclude_apply(&peer), -E2BIG);
	assert_int_equal(peer.allowed_count, 1 + EXCLUDE_MAX / 64);
	assert_true(exclude_is_used(&peer));
	free(peer.allowed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(brute_force),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
