/* SPDX-License-Identifier: MIT
 * Names of peers: which peer a word means, and which names a file gives. */
#include "cli/peername.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "conf/error.h"
#include "conf/model.h"

#define ALICE "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
#define BOB "dwdtDwkYp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define CAROL "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
#define MANY 10000
#define PEER(key) "[Peer]\nPublicKey = " key "\n"

static void add(struct model *model, const char *key, const char *name)
{
	struct model_peer *peer = model_add_peer(model);

	assert_non_null(peer);
	assert_int_equal(key_from_base64(&peer->public_key, key, KEY_BASE64_LEN), 0);
	if (name)
		assert_int_equal(model_peer_set_name(peer, name), 0);
}

static void finds(void **state)
{
	static const struct {
		const char *word;
		int err, peer;
	} cases[] = {
		{"alice", 0, 0},
		{"dwdtD", 0, 1},
		{"3p7b", 0, 2},
		{ALICE, 0, 0},
		{BOB, 0, 1},
		{CAROL, 0, 2},
		{"dwdt", -ENOTUNIQ, 0},
		{"3p7", -ENOENT, 0},
		{"", -ENOENT, 0},
		{"Alice", -ENOENT, 0},
		{"alic", -ENOENT, 0},
		{"3P7B", -ENOENT, 0},
		{"dwdtC", 0, 1},
		{"dwdtCn", 0, 0},
		{"dwdtX", -ENOENT, 0},
		{ALICE "=", -ENOENT, 0},
		{"(none)", -ENOENT, 0},
	};
	struct model model = MODEL_EMPTY;

	(void)state;
	add(&model, ALICE, "alice");
	add(&model, BOB, "dwdtC"); /* a name goes before the beginning of a key */
	add(&model, CAROL, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct model_peer *peer = NULL;

		if (peername_find(&model, cases[i].word, &peer) != cases[i].err)
			fail_msg("'%s'", cases[i].word);
		if (!cases[i].err)
			assert_ptr_equal(peer, &model.peers[cases[i].peer]);
	}
	model_wipe(&model);
}

/* Puts t0.conf where it is looked for. */
static void write_file(const char *text)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/t0.conf", getenv("WGCTL_PATH"));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void assert_names(const char *first, const char *second)
{
	struct model model = MODEL_EMPTY;

	add(&model, ALICE, NULL);
	add(&model, BOB, NULL);
	peername_fill("t0", &model);
	if (first)
		assert_string_equal(model.peers[0].name, first);
	else
		assert_null(model.peers[0].name);
	if (second)
		assert_string_equal(model.peers[1].name, second);
	else
		assert_null(model.peers[1].name);
	model_wipe(&model);
}

static void fills(void **state)
{
	char *own = program_invocation_short_name;
	static char wg[] = "wg";

	(void)state;
	assert_names(NULL, NULL);
	/* What is for `up', or cannot be read here, does not matter. */
	write_file("[Interface]\nDNS = 9.9.9.9\nPrivateKeyFile = none\n" PEER(
		CAROL) "Name = carol\n" PEER(BOB) "# Name = bob\n" PEER(ALICE));
	assert_names(NULL, "bob");
	write_file(PEER(BOB) "Name = bob\n" PEER(ALICE) "Name = alice\n");
	assert_names("alice", "bob");
	program_invocation_short_name = wg;
	assert_names(NULL, NULL);
	program_invocation_short_name = own;
	write_file(PEER(BOB) "Name = bob\n" PEER(ALICE) "Nmae = alice\n");
	assert_names(NULL, NULL);
}

/* In another order than by key. */
static void many(void **state)
{
	struct model model = MODEL_EMPTY;
	char *text = malloc(MANY * 100), name[12];
	size_t at = 0;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < MANY; i++) {
		struct model_peer *peer = model_add_peer(&model);
		char key[KEY_BASE64_LEN + 1];

		assert_non_null(peer);
		memcpy(peer->public_key.bytes, &(uint32_t){(MANY - i) * 2654435761u}, 4);
		key_to_base64(key, &peer->public_key);
		at += (size_t)sprintf(text + at, "[Peer]\nPublicKey = %s\nName = %u\n", key, i);
	}
	write_file(text);
	peername_fill("t0", &model);
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_string_equal(model.peers[i].name, name);
	}
	model_wipe(&model);
	free(text);
}

static void looks_up(void **state)
{
	struct conf_error error = {0};
	struct key key, bob;

	(void)state;
	assert_int_equal(key_from_base64(&bob, BOB, KEY_BASE64_LEN), 0);
	write_file(PEER(BOB) "Name = bob\n" PEER(ALICE));
	assert_int_equal(peername_look_up("t0", "bob", &key, &error), 0);
	assert_true(key_equal(&key, &bob));
	assert_int_equal(peername_look_up("t0", "bop", &key, &error), -EINVAL);
	assert_non_null(strstr(error.what, "/t0.conf; did you mean `bob'?"));
	assert_int_equal(peername_look_up("t0", "alice", &key, &error), -EINVAL);
	assert_non_null(strstr(error.what, "'alice' is neither a key nor a name in "));
	assert_int_equal(peername_look_up("t0", ALICE "x", &key, &error), -ENOENT);
	assert_int_equal(peername_look_up("t1", "bob", &key, &error), -ENOENT);
	assert_int_equal(peername_look_up("../t0", "bob", &key, &error), -ENOENT);
	write_file(PEER(BOB));
	assert_int_equal(peername_look_up("t0", "bob", &key, &error), -ENOENT);
}

static int set_up(void **state)
{
	static char directory[] = "/tmp/peername-XXXXXX";

	*state = mkdtemp(directory);
	return *state ? setenv("WGCTL_PATH", directory, 1) : -1;
}

static int tear_down(void **state)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/t0.conf", (const char *)*state);
	return unlink(path) || rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(fills),
		cmocka_unit_test(many),
		cmocka_unit_test(looks_up),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
