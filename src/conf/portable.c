/* SPDX-License-Identifier: MIT
 * Line by line. wg(8) looks at whatever wg-quick(8) leaves of a line. */
#include "conf/portable.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include "conf/findings.h"
#include "conf/outline.h"

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The white space in what wg-quick(8) compares as it is: a name up to its '=', a header. */
static bool has_gap(const struct outline_line *line, char last)
{
	const char *end = memchr(line->text, last, line->len);
	const char *c = line->text;

	while (c < end && is_white(*c))
		c++;
	while (end > c && is_white(end[-1]))
		end--;
	while (c < end && !is_white(*c))
		c++;
	return c < end;
}

static void check_own(struct findings *findings, const struct outline_line *line, unsigned number)
{
	const char *name = keyword_name(line->key);

	if (line->form == LINES_PLAIN)
		FINDINGS_ERROR(findings, "portable-key", number, (unsigned)line->value + 1,
			       "wg-quick does not know %s: put '#wgctl: ' in front of the line",
			       name);
	else if (line->key != KEYWORD_NAME)
		FINDINGS_WARNING(findings, "portable-ignored", number, (unsigned)line->value + 1,
				 "wg-quick passes over this comment, and goes on without %s", name);
}

static void check_signs(struct findings *findings, const struct outline_line *line, unsigned number)
{
	struct outline_element element;

	for (size_t at = line->value; outline_next(line, &at, &element);) {
		if (element.text[0] == '!')
			FINDINGS_ERROR(findings, "portable-exclusion", number, element.column,
				       "wg-quick does not know '!': write what the list comes to, "
				       "as `wgctl strip' prints it");
		else if (element.text[0] == '+' || element.text[0] == '-')
			FINDINGS_ERROR(findings, "portable-sign", number, element.column,
				       "wg before 1.0.20260223 refuses '%c' in a file: write the "
				       "whole list without it",
				       element.text[0]);
	}
}

static void check_entry(struct findings *findings, const struct outline_line *line, unsigned number)
{
	const bool is_hook = line->key >= KEYWORD_PRE_UP && line->key <= KEYWORD_POST_DOWN;
	const char *hash = memchr(line->text, '#', line->len);

	if (keyword_origin(line->key) == KEYWORD_OF_WGCTL)
		check_own(findings, line, number);
	if (keyword_origin(line->key) == KEYWORD_OF_QUICK && has_gap(line, '='))
		FINDINGS_ERROR(findings, "portable-space", number, 1,
			       "wg-quick does not know %s with white space in its name: remove it",
			       keyword_name(line->key));
	if (line->key == KEYWORD_ALLOWED_IPS)
		check_signs(findings, line, number);
	if (is_hook && hash)
		FINDINGS_WARNING(findings, "portable-hash", number,
				 (unsigned)(hash - line->text) + 1,
				 "wg-quick before 1.0.20260223 ends the command at the '#': keep "
				 "it in a script");
}

void portable_check(struct findings *findings, const struct outline *outline, bool has_mark)
{
	if (has_mark)
		FINDINGS_ERROR(findings, "portable-mark", 1, 1,
			       "wg-quick takes the byte order mark in front of this line for a "
			       "part of it: save the file without one");
	for (size_t i = 0; i < outline->count; i++) {
		const struct outline_line *line = &outline->lines[i];
		const unsigned number = (unsigned)i + 1;

		if (line->kind == OUTLINE_ENTRY)
			check_entry(findings, line, number);
		else if (line->kind == OUTLINE_HEADER && line->section == KEYWORD_INTERFACE &&
			 has_gap(line, ']'))
			FINDINGS_ERROR(findings, "portable-space", number, 1,
				       "wg-quick does not know this header: write '[Interface]' "
				       "without white space");
	}
}
