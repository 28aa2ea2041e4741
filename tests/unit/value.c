/* SPDX-License-Identifier: MIT
 * Values by themselves: where in the value a mistake is, and what of it may be repeated. What is
 * valid is tested with the file that holds it. */
#include "conf/value.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/error.h"
#include "conf/model.h"

#define KEY "SFVga3aBjJeirbjDztnk7/oFEBsmMTxHUl1oc36JlF8="

static unsigned warnings;
static struct conf_error last_warning;

static int warn(void *user, const struct conf_error *warning)
{
	(void)user;
	warnings++;
	last_warning = *warning;
	return 0;
}

static int read_value(struct model *model, enum keyword key, const char *text,
		      struct conf_error *error)
{
	const struct value_part part = {.text = text, .len = strlen(text)};
	const struct value_report report = {.error = error, .warn = warn};

	return value_read(model, key, &part, &report);
}

static void mistakes_have_a_place(void **state)
{
	static const struct {
		enum keyword key;
		const char *text, *what; /* a part of the message */
		unsigned column;
	} cases[] = {
		{KEYWORD_LISTEN_PORT, "65536", "'65536' is no port", 1},
		{KEYWORD_FWMARK, "0X10", "'0X10' is no firewall mark", 1},
		{KEYWORD_PRIVATE_KEY, KEY "A", "PrivateKey has 45 characters", 1},
		{KEYWORD_PUBLIC_KEY, "x", "PublicKey has 1 characters", 1},
		{KEYWORD_PRESHARED_KEY, "", "PresharedKey has 0 characters", 1},
		{KEYWORD_ALLOWED_IPS, "10.0.0.0/8,,::/0", "an empty element", 12},
		{KEYWORD_ALLOWED_IPS, "10.0.0.0/8,10.0.0.0/33", "'10.0.0.0/33' is no prefix", 12},
		{KEYWORD_ENDPOINT, "192.0.2.1", "is no endpoint", 10},
		{KEYWORD_ENDPOINT, "192.0.2.1:nosuchservice", "'nosuchservice' is no port", 11},
		{KEYWORD_KEEPALIVE, "25s", "'25s' is no keepalive interval", 1},
		/* Nothing is said of what may be a key. */
		{KEYWORD_LISTEN_PORT, KEY, "this is no port", 1},
		{KEYWORD_ENDPOINT, KEY, "this is no endpoint", 45},
		{KEYWORD_ALLOWED_IPS, KEY, "this is no prefix", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model model = MODEL_EMPTY;
		struct conf_error error = {0};

		assert_non_null(model_add_peer(&model));
		assert_int_equal(read_value(&model, cases[i].key, cases[i].text, &error), -EINVAL);
		assert_int_equal(read_value(&model, cases[i].key, cases[i].text, NULL), -EINVAL);
		assert_int_equal(error.line, 0);
		assert_int_equal(error.column, cases[i].column);
		if (!strstr(error.what, cases[i].what))
			fail_msg("'%s' gives: %s", cases[i].text, error.what);
		model_wipe(&model);
	}
}

static void values_go_to_the_last_peer(void **state)
{
	struct model model = MODEL_EMPTY;
	const struct model_peer *peers;

	(void)state;
	assert_non_null(model_add_peer(&model));
	assert_non_null(model_add_peer(&model));
	assert_int_equal(read_value(&model, KEYWORD_KEEPALIVE, "25", NULL), 0);
	assert_int_equal(read_value(&model, KEYWORD_ENDPOINT, "192.0.2.1:5", NULL), 0);
	peers = model.peers;
	assert_false(peers[0].has_keepalive);
	assert_int_equal(peers[1].keepalive, 25);
	assert_string_equal(peers[1].host, "192.0.2.1");
	model_wipe(&model);
}

/* As wg(8): whoever writes one sign does not replace the list. */
static void signs(void **state)
{
	struct model model = MODEL_EMPTY;
	struct model_peer *peer = model_add_peer(&model);

	(void)state;
	assert_non_null(peer);
	peer->replace_allowed = true;
	assert_int_equal(read_value(&model, KEYWORD_ALLOWED_IPS, "10.0.0.0/8", NULL), 0);
	assert_true(peer->replace_allowed);
	assert_int_equal(read_value(&model, KEYWORD_ALLOWED_IPS, "+10.1.0.0/16,-::/0", NULL), 0);
	assert_false(peer->replace_allowed);
	assert_int_equal(peer->allowed_count, 3);
	assert_int_equal(peer->allowed[1].op, MODEL_ALLOWED_ADD);
	assert_int_equal(peer->allowed[2].op, MODEL_ALLOWED_REMOVE);
	model_wipe(&model);
}

static void host_bits_are_a_warning(void **state)
{
	struct model model = MODEL_EMPTY;

	(void)state;
	assert_non_null(model_add_peer(&model));
	warnings = 0;
	assert_int_equal(read_value(&model, KEYWORD_ALLOWED_IPS, "::/0,10.1.2.3/8", NULL), 0);
	assert_int_equal(warnings, 1);
	assert_int_equal(last_warning.column, 6);
	assert_string_equal(last_warning.what,
			    "AllowedIPs 10.1.2.3/8 has host bits set: 10.0.0.0/8 is used instead");
	model_wipe(&model);
}

/* getaddrinfo(3) has the last word on these, as it has in wg(8). */
static void scope_of_a_global_address_is_left_to_the_resolver(void **state)
{
	struct model model = MODEL_EMPTY;
	struct model_peer *peer = model_add_peer(&model);

	(void)state;
	assert_non_null(peer);
	assert_int_equal(read_value(&model, KEYWORD_ENDPOINT, "[fe80::1%lo]:5", NULL), 0);
	assert_int_equal(peer->endpoint.sa.sa_family, AF_INET6);
	assert_int_equal(read_value(&model, KEYWORD_ENDPOINT, "[2001:db8::1%lo]:5", NULL), 0);
	assert_int_equal(peer->endpoint.sa.sa_family, AF_UNSPEC);
	model_wipe(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mistakes_have_a_place),
		cmocka_unit_test(values_go_to_the_last_peer),
		cmocka_unit_test(signs),
		cmocka_unit_test(host_bits_are_a_warning),
		cmocka_unit_test(scope_of_a_global_address_is_left_to_the_resolver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
