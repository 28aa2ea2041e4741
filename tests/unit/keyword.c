/* SPDX-License-Identifier: MIT
 * The names in a configuration file: found whatever their case; a stray one is explained, and never
 * repeated where it might be part of a key. */
#include "conf/keyword.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void finds(void **state)
{
	(void)state;
	for (enum keyword key = 0; key < KEYWORD_COUNT; key++) {
		enum keyword_section home =
			key < KEYWORD_PUBLIC_KEY ? KEYWORD_INTERFACE : KEYWORD_PEER;
		enum keyword found = KEYWORD_COUNT;
		char name[KEYWORD_NAME_MAX];
		size_t len = strlen(keyword_name(key));

		assert_true(len < sizeof(name));
		assert_true(keyword_find(&found, home, keyword_name(key), len));
		assert_int_equal(found, key);
		for (size_t i = 0; i < len; i++)
			name[i] = (char)toupper((unsigned char)keyword_name(key)[i]);
		assert_true(keyword_find(&found, home, name, len));
		assert_int_equal(found, key);
		assert_false(keyword_find(&found, home, name, len - 1));
		assert_false(keyword_find(&found, KEYWORD_NO_SECTION, name, len));
		assert_false(
			keyword_find(&found, KEYWORD_INTERFACE + KEYWORD_PEER - home, name, len));
	}
}

static void finds_sections(void **state)
{
	enum keyword_section section = KEYWORD_NO_SECTION;

	(void)state;
	assert_true(keyword_find_section(&section, "interFACE", 9));
	assert_int_equal(section, KEYWORD_INTERFACE);
	assert_true(keyword_find_section(&section, "peer", 4));
	assert_int_equal(section, KEYWORD_PEER);
	assert_false(keyword_find_section(&section, "peer", 3));
	assert_false(keyword_find_section(&section, "", 0));
	assert_string_equal(keyword_section_name(KEYWORD_INTERFACE), "Interface");
	assert_string_equal(keyword_section_name(KEYWORD_PEER), "Peer");
}

static const char *explain(struct conf_error *error, enum keyword_section section, const char *name,
			   const char *rest)
{
	struct keyword_stray stray = {
		.name = name,
		.len = strlen(name),
		.section = section,
		.has_equals = rest[0] == '=',
		.has_value = rest[0] == '=' && rest[1],
		.line = 3,
		.column = 5,
	};

	assert_int_equal(keyword_unknown(error, &stray), -EINVAL);
	assert_int_equal(error->err, EINVAL);
	assert_int_equal(error->line, 3);
	assert_int_equal(error->column, 5);
	return error->what;
}

static void explains(void **state)
{
	static const struct {
		enum keyword_section section;
		const char *name, *rest, *what;
	} cases[] = {
		{KEYWORD_PEER, "AlowedIPs", "=x",
		 "unknown key 'AlowedIPs' in [Peer]: did you mean 'AllowedIPs'?"},
		{KEYWORD_PEER, "allowed_ips", "=x",
		 "unknown key 'allowed_ips' in [Peer]: did you mean 'AllowedIPs'?"},
		{KEYWORD_PEER, "AllowedIP", "=",
		 "unknown key in [Peer]: did you mean 'AllowedIPs'?"},
		{KEYWORD_PEER, "PreSharedKeys", "=x",
		 "unknown key 'PreSharedKeys' in [Peer]: did you mean 'PresharedKey'?"},
		{KEYWORD_INTERFACE, "PublicKey", "=x",
		 "'PublicKey' belongs in [Peer], not in [Interface]"},
		{KEYWORD_PEER, "privatekey", "=x",
		 "'PrivateKey' belongs in [Interface], not in [Peer]"},
		{KEYWORD_INTERFACE, "Endpiont", "=x",
		 "unknown key 'Endpiont' in [Interface]: did you mean 'Endpoint', which belongs in "
		 "[Peer]?"},
		{KEYWORD_INTERFACE, "Postup2", "=x",
		 "unknown key 'Postup2' in [Interface]: did you mean 'PostUp'?"},
		{KEYWORD_NO_SECTION, "PrivateKey", "=x",
		 "a key before any section: write '[Interface]' or '[Peer]' above it"},
		{KEYWORD_PEER, "Colour", "=x",
		 "unknown key 'Colour' in [Peer]: expected PublicKey, PresharedKey, AllowedIPs, "
		 "Endpoint, PersistentKeepalive or Name"},
		{KEYWORD_INTERFACE, "Colour", "=x",
		 "unknown key 'Colour' in [Interface]: expected PrivateKey, ListenPort, FwMark, "
		 "Address, MTU, DNS, Table or another key of wg-quick"},
		{KEYWORD_INTERFACE, "PrivateKeyFile:/etc/key", "",
		 "expected '=' after 'PrivateKeyFile'"},
		{KEYWORD_PEER, "PublicKey", "", "expected '=' after 'PublicKey'"},
		{KEYWORD_PEER, "Endpoint:192.0.2.1:5", "", "expected '=' after 'Endpoint'"},
		{KEYWORD_PEER, "anything", "",
		 "no '=' on this line: expected 'Key = value' or a section such as '[Peer]'"},
		{KEYWORD_NO_SECTION, ";comment", "", "a comment begins with '#', not with ';'"},
		{KEYWORD_PEER, "", "=x",
		 "unknown key in [Peer]: expected PublicKey, PresharedKey, AllowedIPs, Endpoint, "
		 "PersistentKeepalive or Name"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_error error;

		assert_string_equal(explain(&error, cases[i].section, cases[i].name, cases[i].rest),
				    cases[i].what);
	}
}

static void explains_comments(void **state)
{
	struct keyword_stray stray = {
		.name = "Colour",
		.len = 6,
		.section = KEYWORD_PEER,
		.has_equals = true,
		.has_value = true,
		.is_comment = true,
	};
	struct conf_error error;

	(void)state;
	assert_int_equal(keyword_unknown(&error, &stray), -EINVAL);
	assert_string_equal(error.what, "unknown key 'Colour' in [Peer]: expected Name or "
					"PresharedKeyFile");
	stray.section = KEYWORD_INTERFACE;
	assert_int_equal(keyword_unknown(&error, &stray), -EINVAL);
	assert_string_equal(error.what, "unknown key 'Colour' in [Interface]: expected "
					"PrivateKeyFile or KillSwitch");
	assert_int_equal(keyword_misplaced(&error, &stray, KEYWORD_MTU), -EINVAL);
	assert_string_equal(error.what, "'MTU' is not wgctl's own: write it without '#wgctl:'");
	assert_int_equal(keyword_origin(KEYWORD_MTU), KEYWORD_OF_QUICK);
	assert_int_equal(keyword_origin(KEYWORD_ENDPOINT), KEYWORD_OF_WG);
	assert_int_equal(keyword_origin(KEYWORD_NAME), KEYWORD_OF_WGCTL);
}

/* Every piece of a key, as it comes where a line was wrapped or a '=' forgotten. */
static void keeps_keys(void **state)
{
	static const char key[] = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo";

	(void)state;
	for (size_t start = 0; start + 4 < strlen(key); start++) {
		for (size_t len = 4; start + len <= strlen(key); len++) {
			char piece[KEYWORD_NAME_MAX + sizeof(key)];
			struct conf_error error;

			snprintf(piece, sizeof(piece), "%.*s", (int)len, key + start);
			assert_null(strstr(explain(&error, KEYWORD_PEER, piece, "="), piece));
			assert_null(strstr(explain(&error, KEYWORD_PEER, piece, ""), piece));
			snprintf(piece, sizeof(piece), "PrivateKey%.*s", (int)len, key + start);
			assert_null(
				strstr(explain(&error, KEYWORD_INTERFACE, piece, "="), piece + 10));
			assert_non_null(strstr(error.what, "'PrivateKey"));
		}
	}
}

static void explains_sections(void **state)
{
	static const struct {
		const char *name, *what;
	} cases[] = {
		{"Peers", "unknown section 'Peers': did you mean '[Peer]'?"},
		{"Interfaec", "unknown section 'Interfaec': did you mean '[Interface]'?"},
		{"WireGuard", "unknown section 'WireGuard': expected '[Interface]' or '[Peer]'"},
		{"", "unknown section: expected '[Interface]' or '[Peer]'"},
		{"a\x1b[31m", "unknown section: expected '[Interface]' or '[Peer]'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct keyword_stray stray = {
			.name = cases[i].name,
			.len = strlen(cases[i].name),
			.has_value = true,
		};
		struct conf_error error;

		assert_int_equal(keyword_unknown_section(&error, &stray), -EINVAL);
		assert_string_equal(error.what, cases[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),      cmocka_unit_test(finds_sections),
		cmocka_unit_test(explains),   cmocka_unit_test(explains_comments),
		cmocka_unit_test(keeps_keys), cmocka_unit_test(explains_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
