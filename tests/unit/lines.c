/* SPDX-License-Identifier: MIT
 * The lines of a configuration file: what comes through inih, and where it was. */
#include "conf/lines.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "conf/text.h"

/* The events, one a line: "LINE [Section]" or "LINE Name=value COLUMN", of the value's first byte.
 */
static int on_section(void *user, struct lines *lines, enum keyword_section section)
{
	text_printf(user, "%u [%s] %u\n", lines_number(lines), keyword_section_name(section),
		    lines_column(lines, 0));
	return 0;
}

static int on_value(void *user, struct lines *lines, enum keyword key, const char *value,
		    size_t len)
{
	assert_int_equal(strlen(value), len);
	text_printf(user, "%u %s=%s %u\n", lines_number(lines), keyword_name(key), value,
		    lines_column(lines, 0));
	return 0;
}

static const struct lines_events events = {.section = on_section, .value = on_value};

static void reads(void **state)
{
	static const struct {
		const char *text, *events;
	} cases[] = {
		{"", ""},
		{"\n\n", ""},
		{"# only a comment", ""},
		{" \t# [Peer]\n#\n", ""},
		{"[Interface]", "1 [Interface] 1\n"},
		{"[Peer]\n[Peer]\n\n[Peer]", "1 [Peer] 1\n2 [Peer] 1\n4 [Peer] 1\n"},
		{"\t[ p E e r ] # x\r\n", "1 [Peer] 2\n"},
		{"[Interface]\nMTU=1420", "1 [Interface] 1\n2 MTU=1420 5\n"},
		{"[Interface]\nm t u = 1 4 20 \n", "1 [Interface] 1\n2 MTU=1420 9\n"},
		{"[Interface]\r\nMTU = 1420\r\n", "1 [Interface] 1\n2 MTU=1420 7\n"},
		{"\xef\xbb\xbf[Interface]\nMTU=1", "1 [Interface] 1\n2 MTU=1 5\n"},
		{"[Interface]\nMTU=1#2\nMTU = 3 # 4\n", "1 [Interface] 1\n2 MTU=1 5\n3 MTU=3 7\n"},
		/* Indented: no continuation of the line before. */
		{"[Peer]\n  Endpoint=a\n  Endpoint=b\n  [Peer]\n",
		 "1 [Peer] 1\n2 Endpoint=a 12\n3 Endpoint=b 12\n4 [Peer] 3\n"},
		/* What inih would take for a comment, a separator, a section or a quote. */
		{"[Peer]\nEndpoint=;a ;b\n", "1 [Peer] 1\n2 Endpoint=;a;b 10\n"},
		{"[Peer]\nEndpoint==[a]=:b\"\n", "1 [Peer] 1\n2 Endpoint==[a]=:b\" 10\n"},
		{"[Peer]\nEndpoint=a\n[Interface]\nMTU=1\n[Peer]\nEndpoint=b\n",
		 "1 [Peer] 1\n2 Endpoint=a 10\n3 [Interface] 1\n4 MTU=1 5\n5 [Peer] 1\n"
		 "6 Endpoint=b 10\n"},
		/* Only in Address does white space separate. */
		{"[Interface]\nAddress = a b,\tc  d \n",
		 "1 [Interface] 1\n2 Address=a,b,,c,,d 11\n"},
		{"[Peer]\nAllowedIPs = a b, c\n", "1 [Peer] 1\n2 AllowedIPs=ab,c 14\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conf_error error = {0};
		struct text seen = TEXT_EMPTY;

		text_puts(&seen, "");
		assert_int_equal(
			lines_read(cases[i].text, strlen(cases[i].text), &events, &seen, &error),
			0);
		assert_string_equal(seen.data, cases[i].events);
		assert_int_equal(error.err, 0);
		text_wipe(&seen);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		size_t len; /* 0: of the string */
		unsigned line, column;
		const char *what;
	} cases[] = {
		{"[Peer", 0, 1, 1, "expected ']' at the end of the section's name"},
		{"\n [Peer # ]", 0, 2, 2, "expected ']' at the end of the section's name"},
		{"[Peer] [Peer]", 0, 1, 8, "expected the end of the line after ']'"},
		{"[Peer]\rPublicKey=x", 0, 1, 8, "expected the end of the line after ']'"},
		{"[Peers]", 0, 1, 1, "unknown section 'Peers': did you mean '[Peer]'?"},
		{"[]", 0, 1, 1, "unknown section: expected '[Interface]' or '[Peer]'"},
		{"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]", 0, 1, 1,
		 "unknown section: expected '[Interface]' or '[Peer]'"},
		{"\n  MTU=1", 0, 2, 3,
		 "a key before any section: write '[Interface]' or '[Peer]' above it"},
		{"[Interface]\nMTU =  # 1", 0, 2, 5,
		 "'MTU' has no value: write one or remove the line"},
		{"[Interface]\nMTU 1", 0, 2, 1, "expected '=' after 'MTU'"},
		{"[Interface]\n MT=1", 0, 2, 2,
		 "unknown key 'MT' in [Interface]: did you mean 'MTU'?"},
		{"[Peer]\n# a\0b", 12, 2, 4,
		 "a NUL byte: this is not a text file, or it is damaged"},
		{"[Peer]\nEndpoint=a\x1b[m", 0, 2, 11, "a control character (0x1b): remove it"},
		{"\x01[Peer]", 0, 1, 1, "a control character (0x01): remove it"},
		{"\xff\xfe[\0P\0", 6, 1, 1, "the file is UTF-16 text: save it as UTF-8"},
		{"\xfe\xff\0[\0P", 6, 1, 1, "the file is UTF-16 text: save it as UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
		struct conf_error error = {0};
		struct text seen = TEXT_EMPTY;

		assert_int_equal(lines_read(cases[i].text, len, &events, &seen, &error), -EINVAL);
		assert_string_equal(error.what, cases[i].what);
		assert_int_equal(error.err, EINVAL);
		assert_int_equal(error.line, cases[i].line);
		assert_int_equal(error.column, cases[i].column);
		assert_int_equal(lines_read(cases[i].text, len, &events, &seen, NULL), -EINVAL);
		text_wipe(&seen);
	}
}

struct expectation {
	const char *value;
	size_t len, spread; /* spread: the columns from byte to byte */
};

static int on_long(void *user, struct lines *lines, enum keyword key, const char *value, size_t len)
{
	const struct expectation *expected = user;
	unsigned first = 10;

	assert_int_equal(key, KEYWORD_ENDPOINT);
	assert_int_equal(len, expected->len);
	assert_memory_equal(value, expected->value, len);
	for (size_t i = 0; i < len; i += 7)
		assert_int_equal(lines_column(lines, i), first + i * expected->spread);
	assert_int_equal(lines_column(lines, len - 1), first + (len - 1) * expected->spread);
	assert_int_equal(lines_column(lines, 0), first);
	return 0;
}

static int on_any(void *user, struct lines *lines, enum keyword_section section)
{
	(void)user;
	(void)lines;
	(void)section;
	return 0;
}

/* Values of each length around the line buffer of inih, plain and with white space between the
 * bytes. */
static void long_values(void **state)
{
	static const struct lines_events longs = {.section = on_any, .value = on_long};

	(void)state;
	for (size_t len = 1; len < 1000; len++) {
		for (size_t spread = 1; spread < 4; spread++) {
			char *value = malloc(len);
			struct expectation expected = {value, len, spread};
			struct text text = TEXT_EMPTY;

			assert_non_null(value);
			text_puts(&text, "[Peer]\nEndpoint=");
			for (size_t i = 0; i < len; i++) {
				value[i] = "abcdef;:=[],"[i * 7 % 12];
				text_append(&text, value + i, 1);
				if (i + 1 < len)
					text_append(&text, "  ", spread - 1);
			}
			text_puts(&text, len & 1 ? " \n" : "");
			assert_int_equal(lines_read(text.data, text.len, &longs, &expected, NULL),
					 0);
			text_wipe(&text);
			free(value);
		}
	}
}

static int on_value_fail(void *user, struct lines *lines, enum keyword key, const char *value,
			 size_t len)
{
	(void)key;
	(void)value;
	(void)len;
	++*(unsigned *)user;
	return lines_number(lines) == 3 ? -ENOTSUP : 0;
}

static void an_event_ends_it(void **state)
{
	static const struct lines_events failing = {.section = on_any, .value = on_value_fail};
	static const char text[] = "[Peer]\nEndpoint=a\nEndpoint=b\nEndpoint=c\n[Nonsense]\n";
	unsigned count = 0;

	(void)state;
	assert_int_equal(lines_read(text, strlen(text), &failing, &count, NULL), -ENOTSUP);
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(refuses),
		cmocka_unit_test(long_values),
		cmocka_unit_test(an_event_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
