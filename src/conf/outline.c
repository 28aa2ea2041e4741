/* SPDX-License-Identifier: MIT
 * Cuts the text into lines, and lets conf/lines say what is on them. */
#include "conf/outline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct sketch {
	struct outline *outline; /* borrowed */
	size_t peers;            /* so far */
};

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int on_section(void *user, struct lines *lines, enum keyword_section section)
{
	struct sketch *sketch = user;
	struct outline_line *line = &sketch->outline->lines[lines_number(lines) - 1];

	line->kind = OUTLINE_HEADER;
	line->section = section;
	if (section == KEYWORD_PEER)
		line->peer = sketch->peers++;
	return 0;
}

/* Up to the comment that follows, which a command cannot have. */
static size_t measure(const struct outline_line *line)
{
	const char *value = line->text + line->value;
	size_t len = line->len - line->value;
	const char *hash = memchr(value, '#', len);
	const bool is_command = line->key >= KEYWORD_PRE_UP && line->key <= KEYWORD_POST_DOWN;

	if (hash && !is_command)
		len = (size_t)(hash - value);
	while (len && is_white(value[len - 1]))
		len--;
	return len;
}

static int on_value(void *user, struct lines *lines, enum keyword key, const char *value,
		    size_t len)
{
	struct sketch *sketch = user;
	struct outline_line *line = &sketch->outline->lines[lines_number(lines) - 1];

	(void)value;
	(void)len;
	line->kind = OUTLINE_ENTRY;
	line->key = key;
	line->form = lines_form(lines);
	line->value = lines_column(lines, 0) - 1;
	line->value_len = measure(line);
	return 0;
}

static int on_fault(void *user, struct lines *lines, enum lines_fault fault,
		    const struct conf_error *error)
{
	(void)user;
	(void)lines;
	(void)fault;
	(void)error;
	return 0;
}

static int cut(struct outline *outline, const char *text, size_t len)
{
	const char *end = text + len;
	size_t count = 0;

	for (const char *c = text; (c = memchr(c, '\n', (size_t)(end - c))); c++)
		count++;
	outline->is_open = len && end[-1] != '\n';
	count += outline->is_open;
	outline->lines = calloc(count ? count : 1, sizeof(*outline->lines));
	if (!outline->lines)
		return -ENOMEM;
	outline->count = count;
	for (size_t i = 0; i < count; i++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		outline->lines[i] = (struct outline_line){
			.text = text,
			.len = (size_t)((newline ? newline : end) - text),
			.peer = OUTLINE_NO_PEER,
		};
		text += outline->lines[i].len + 1;
	}
	return 0;
}

/* A line is in the section whose header is above it. */
static void place(struct outline *outline)
{
	enum keyword_section section = KEYWORD_NO_SECTION;
	size_t peer = OUTLINE_NO_PEER;

	for (size_t i = 0; i < outline->count; i++) {
		struct outline_line *line = &outline->lines[i];

		if (line->kind == OUTLINE_HEADER) {
			section = line->section;
			peer = line->peer;
		}
		line->section = section;
		line->peer = peer;
	}
}

int outline_read(struct outline *outline, const char *text, size_t len)
{
	static const struct lines_events events = {
		.section = on_section,
		.value = on_value,
		.fault = on_fault,
	};
	const size_t mark = sizeof(BYTE_ORDER_MARK) - 1;
	struct sketch sketch = {.outline = outline};
	int rc;

	*outline = (struct outline)OUTLINE_EMPTY;
	if (len >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0) {
		text += mark;
		len -= mark;
	}
	rc = cut(outline, text, len);
	if (rc == 0)
		rc = lines_read(text, len, &events, &sketch, NULL);
	if (rc < 0)
		outline_free(outline);
	else
		place(outline);
	return rc;
}

bool outline_next(const struct outline_line *line, size_t *at, struct outline_element *element)
{
	const bool is_separator = line->key != KEYWORD_ALLOWED_IPS; /* white space */
	const size_t end = line->value + line->value_len;

	*element = (struct outline_element){0};
	for (; *at < end; ++*at) {
		const char c = line->text[*at];

		if (c == ',' || (is_white(c) && is_separator)) {
			if (element->column)
				break;
			continue;
		}
		if (is_white(c))
			continue;
		if (!element->column)
			element->column = (unsigned)*at + 1;
		if (element->len + 1 < sizeof(element->text))
			element->text[element->len++] = c;
	}
	return element->column;
}

void outline_free(struct outline *outline)
{
	free(outline->lines);
	*outline = (struct outline)OUTLINE_EMPTY;
}
