/* SPDX-License-Identifier: MIT
 * Lines and what is on them. */
#include "conf/outline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/text.h"

/* A line each: "o" for other, "h SECTION", "e NAME|VALUE", with the peer's number in front. */
static void describe(struct text *out, const struct outline *outline)
{
	for (size_t i = 0; i < outline->count; i++) {
		const struct outline_line *line = &outline->lines[i];

		if (line->peer != OUTLINE_NO_PEER)
			text_printf(out, "%zu", line->peer);
		if (line->kind == OUTLINE_OTHER)
			text_puts(out, "o");
		else if (line->kind == OUTLINE_HEADER)
			text_printf(out, "h%s", keyword_section_name(line->section));
		else
			text_printf(out, "e%s|%.*s|%s", keyword_name(line->key),
				    (int)line->value_len, line->text + line->value,
				    line->form == LINES_PLAIN       ? ""
				    : line->form == LINES_EXTENSION ? "x"
								    : "r");
		text_puts(out, "\n");
	}
}

static void reads(void **state)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{"", ""},
		{"\n", "o\n"},
		{"# a\n\nx", "o\no\no\n"},
		{"[Peer]\nx\n[y]\nEndpoint=a\n[Peer]\nEndpoint=b",
		 "0hPeer\n0o\n0o\n0o\n1hPeer\n1eEndpoint|b|\n"},
		{"[Interface]\nMTU=", "hInterface\no\n"},
		{"# a", "o\n"},
		{"[Interface]\r\nMTU = 1 2 # x\r\n", "hInterface\neMTU|1 2|\n"},
		{"\xef\xbb\xbf[Interface]\n  M TU=1\n", "hInterface\neMTU|1|\n"},
		{"[Interface]\nPostUp = a # b \t\n", "hInterface\nePostUp|a # b|\n"},
		{"# a\n[Peer]\n# b\nEndpoint=c\n\n[ peer ]\n[Interface]\nMTU=1\n[Peer]",
		 "o\n0hPeer\n0o\n0eEndpoint|c|\n0o\n1hPeer\nhInterface\neMTU|1|\n2hPeer\n"},
		{"[Peer]\n#wgctl: Name = a b # c\n # friendly_name = d \nName=e#f\n",
		 "0hPeer\n0eName|a b|x\n0eName|d|r\n0eName|e|\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const size_t len = strlen(cases[i].text);
		struct text text = TEXT_EMPTY;
		struct outline outline;

		assert_int_equal(outline_read(&outline, cases[i].text, len), 0);
		assert_int_equal(outline.is_open, len && cases[i].text[len - 1] != '\n');
		text_puts(&text, "");
		describe(&text, &outline);
		assert_string_equal(text.data, cases[i].lines);
		text_wipe(&text);
		outline_free(&outline);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
