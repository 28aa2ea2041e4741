/* SPDX-License-Identifier: MIT
 * The lines of a configuration file, through inih. A plain ini_parse() would damage them: it cuts
 * at " ;", takes an indented line for a continuation, splits lines at 200 bytes and overlooks NUL
 * bytes. So a reader of our own applies the grammar of wg(8) and hands inih only what every build
 * of it reads alike: headers and names. It never sees a value, for that may be a key. inih calls
 * the handler before it reads on, so that the reader's own counters are exact. */
#include "conf/lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <ini.h>
#include <sodium.h>
#include "conf/text.h"

#define FEED_MIN 32                            /* bytes of inih's line buffer: a header */
#define LETTER(key) ((char)('A' + (int)(key))) /* what inih is told of a key's name */
#define GUARD '1'                              /* and of its value */
#define PREFIX "wgctl:"
#define PREFIX_LEN (sizeof(PREFIX) - 1)

_Static_assert(KEYWORD_COUNT <= 26, "letters");

struct lines {
	const struct lines_events *events; /* borrowed */
	void *user;                        /* borrowed */
	struct conf_error *error;          /* borrowed; may be NULL */
	const char *text;                  /* borrowed */
	size_t len, next;                  /* next: where the next line starts */
	unsigned number;                   /* of the present line */
	const char *line;                  /* borrowed */
	size_t size;                       /* without its comment */
	size_t whole;                      /* with it */
	enum lines_form form;
	enum keyword_section section;
	enum keyword key;
	size_t value; /* where in the line its value starts; at size: there is none */
	bool is_header;
	struct text squeezed;   /* the value as the handler gets it */
	size_t seen, place;     /* lines_column(): byte seen of the value is at place in the line */
	enum lines_fault fault; /* what would be wrong now */
	bool skips;             /* the header was broken: to the next one */
	int rc;
};

#define LINE_ERROR(lines, at, ...)                                                                 \
	conf_error_set((lines)->error, EINVAL, (lines)->number, (unsigned)(at) + 1, __VA_ARGS__)

static bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What white space within a value means. */
enum white {
	WHITE_NOTHING, /* wg(8)'s and most others */
	WHITE_COMMA,   /* it separates, for wg-quick(8) */
	WHITE_KEPT,
};

static enum white white_in(enum keyword key)
{
	static const enum white meaning[KEYWORD_COUNT] = {
		[KEYWORD_ADDRESS] = WHITE_COMMA,
		[KEYWORD_DNS] = WHITE_COMMA,
		[KEYWORD_PRE_UP] = WHITE_KEPT,
		[KEYWORD_POST_UP] = WHITE_KEPT,
		[KEYWORD_PRE_DOWN] = WHITE_KEPT,
		[KEYWORD_POST_DOWN] = WHITE_KEPT,
		[KEYWORD_PRIVATE_KEY_FILE] = WHITE_KEPT,
		[KEYWORD_PRESHARED_KEY_FILE] = WHITE_KEPT,
		[KEYWORD_NAME] = WHITE_KEPT,
	};

	return meaning[key];
}

/* A '#' is the shell's. */
static bool is_command(enum keyword key)
{
	return key == KEYWORD_PRE_UP || key == KEYWORD_POST_UP || key == KEYWORD_PRE_DOWN ||
	       key == KEYWORD_POST_DOWN;
}

static bool is_skipped(const struct lines *lines, size_t at)
{
	return is_white(lines->line[at]) && white_in(lines->key) == WHITE_NOTHING;
}

static size_t skip_white(const struct lines *lines, size_t at)
{
	while (at < lines->size && is_white(lines->line[at]))
		at++;
	return at;
}

/* Copies what is not white from start to end, as far as it fits; the length of the whole. */
static size_t squeeze(char name[KEYWORD_NAME_MAX], const struct lines *lines, size_t start,
		      size_t end)
{
	size_t len = 0;

	for (size_t i = start; i < end; i++) {
		if (is_white(lines->line[i]))
			continue;
		if (len < KEYWORD_NAME_MAX)
			name[len] = lines->line[i];
		len++;
	}
	return len;
}

static int read_header(struct lines *lines, size_t start)
{
	const char *close = memchr(lines->line, ']', lines->size);
	struct keyword_stray stray = {.line = lines->number, .column = (unsigned)start + 1};
	char name[KEYWORD_NAME_MAX];
	size_t rest;

	lines->fault = LINES_FAULT_SECTION;
	lines->skips = true;
	if (!close)
		return LINE_ERROR(lines, start, "expected ']' at the end of the section's name");
	rest = skip_white(lines, (size_t)(close - lines->line) + 1);
	if (rest < lines->size)
		return LINE_ERROR(lines, rest, "expected the end of the line after ']'");
	stray.name = name;
	stray.len = squeeze(name, lines, start + 1, (size_t)(close - lines->line));
	stray.has_value = true;
	if (stray.len > sizeof(name) || !keyword_find_section(&lines->section, name, stray.len)) {
		stray.len = stray.len > sizeof(name) ? sizeof(name) : stray.len;
		return keyword_unknown_section(lines->error, &stray);
	}
	lines->value = lines->place = start;
	lines->seen = 0;
	lines->skips = false;
	return lines->events->section(lines->user, lines, lines->section);
}

/* The first control character that is not white space, or to. */
static size_t find_control(const struct lines *lines, size_t from, size_t to)
{
	const char *at = lines->line + from, *end = lines->line + to;

	while (at < end && ((unsigned char)*at >= ' ' || is_white(*at)) && *at != 0x7f)
		at++;
	return (size_t)(at - lines->line);
}

static int check_control(struct lines *lines, size_t from, size_t to)
{
	size_t at = find_control(lines, from, to);

	if (at == to)
		return 0;
	return LINE_ERROR(lines, at, "a control character (0x%02x): remove it",
			  (unsigned char)lines->line[at]);
}

/* Takes what is behind the '=' at equals. */
static int take_value(struct lines *lines, size_t equals)
{
	size_t start;

	lines->fault = LINES_FAULT_VALUE;
	if (is_command(lines->key)) {
		int rc = check_control(lines, lines->size, lines->whole);

		if (rc < 0)
			return rc;
		lines->size = lines->whole;
	}
	start = skip_white(lines, equals + 1);
	if (start == lines->size && !keyword_may_be_empty(lines->key))
		return LINE_ERROR(lines, equals, "'%s' has no value: write one or remove the line",
				  keyword_name(lines->key));
	lines->value = lines->place = start;
	lines->seen = 0;
	/* What separates elements is not behind the last. */
	while (lines->size > start && is_white(lines->line[lines->size - 1]))
		lines->size--;
	return 0;
}

static int read_entry(struct lines *lines, size_t start)
{
	const char *equals = memchr(lines->line, '=', lines->size);
	size_t end = equals ? (size_t)(equals - lines->line) : lines->size;
	struct keyword_stray stray = {
		.section = lines->section,
		.has_equals = equals,
		.has_value = equals && skip_white(lines, end + 1) < lines->size,
		.is_comment = lines->form == LINES_EXTENSION,
		.line = lines->number,
		.column = (unsigned)start + 1,
	};
	char name[KEYWORD_NAME_MAX];

	lines->fault = LINES_FAULT_KEY;
	stray.name = name;
	stray.len = squeeze(name, lines, start, end);
	if (!equals || stray.len > sizeof(name) ||
	    !keyword_find(&lines->key, lines->section, name, stray.len)) {
		stray.len = stray.len > sizeof(name) ? sizeof(name) : stray.len;
		return keyword_unknown(lines->error, &stray);
	}
	if (stray.is_comment && keyword_origin(lines->key) != KEYWORD_OF_WGCTL)
		return keyword_misplaced(lines->error, &stray, lines->key);
	return take_value(lines, end);
}

/* Whether a comment's words, from start on, are an entry that names a peer. */
static bool find_remark(const struct lines *lines, size_t start, size_t *equals)
{
	static const char *const names[] = {"Name", "friendly_name"};
	const char *sign = memchr(lines->line + start, '=', lines->size - start);
	size_t len;

	if (lines->section != KEYWORD_PEER || !sign)
		return false;
	*equals = (size_t)(sign - lines->line);
	for (len = *equals - start; len && is_white(lines->line[start + len - 1]);)
		len--;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (len == strlen(names[i]) && !strncasecmp(names[i], lines->line + start, len))
			return skip_white(lines, *equals + 1) < lines->size &&
			       find_control(lines, start, lines->size) == lines->size;
	return false;
}

/* A line that is a comment from its byte hash on may speak to us. 0 or -errno. */
static int read_comment(struct lines *lines, size_t hash)
{
	const char *second = memchr(lines->line + hash + 1, '#', lines->whole - hash - 1);
	size_t start, equals;
	int rc;

	lines->size = second ? (size_t)(second - lines->line) : lines->whole;
	start = skip_white(lines, hash + 1);
	if (lines->size - start >= PREFIX_LEN && !memcmp(lines->line + start, PREFIX, PREFIX_LEN)) {
		lines->form = LINES_EXTENSION;
		rc = check_control(lines, start, lines->size);
		return rc < 0 ? rc : read_entry(lines, skip_white(lines, start + PREFIX_LEN));
	}
	if (find_remark(lines, start, &equals)) {
		lines->form = LINES_REMARK;
		lines->key = KEYWORD_NAME;
		return take_value(lines, equals);
	}
	lines->size = lines->value = hash;
	return 0;
}

/* Takes the next line, its comment cut off. Neither a NUL byte nor another control character
 * passes. */
static int take_line(struct lines *lines)
{
	const char *line = lines->text + lines->next;
	size_t size = lines->len - lines->next;
	const char *end = memchr(line, '\n', size);

	if (end)
		size = (size_t)(end - line);
	lines->next += size + (end ? 1 : 0);
	lines->number++;
	lines->line = line;
	lines->form = LINES_PLAIN;
	lines->fault = LINES_FAULT_BYTES;
	lines->whole = size;
	end = memchr(line, '#', size);
	lines->size = lines->value = end ? (size_t)(end - line) : size;
	end = memchr(line, '\0', size);
	if (end)
		return LINE_ERROR(lines, end - line,
				  "a NUL byte: this is not a text file, or it is damaged");
	return check_control(lines, 0, lines->size);
}

/* Reads what is on the line. 0 or -errno; *found: there was something. */
static int read_line(struct lines *lines, bool *found)
{
	size_t start = skip_white(lines, 0);
	int rc;

	*found = true;
	lines->is_header = start < lines->size && lines->line[start] == '[';
	if (lines->is_header)
		return read_header(lines, start);
	if (lines->skips) {
		*found = false;
		return 0;
	}
	if (start < lines->size)
		return read_entry(lines, start);
	rc = start < lines->whole ? read_comment(lines, start) : 0;
	*found = lines->value < lines->size;
	return rc;
}

/* 0: the line is passed over. */
static int pass_over(struct lines *lines, int rc)
{
	if (!lines->events->fault || rc == -ENOMEM)
		return rc;
	return lines->events->fault(lines->user, lines, lines->fault, lines->error);
}

/* Goes on to the next line that is not blank. false: there is none, or lines->rc says why not. */
static bool next_line(struct lines *lines)
{
	bool found = false;

	while (!found && lines->rc == 0 && lines->next < lines->len) {
		lines->rc = take_line(lines);
		if (lines->rc == 0)
			lines->rc = read_line(lines, &found);
		if (lines->rc < 0) {
			found = false;
			lines->rc = pass_over(lines, lines->rc);
		}
	}
	return found && lines->rc == 0;
}

/* inih's reader, in the manner of fgets(). It looks at each character several times: the name of a
 * key is a letter. */
static char *feed(char *buffer, int size, void *stream)
{
	struct lines *lines = stream;

	if (size < FEED_MIN) {
		lines->rc = conf_error_set(lines->error, ENOTSUP, 0, 0,
					   "inih was built with lines of %d bytes: %d are needed",
					   size, FEED_MIN);
		return NULL;
	}
	if (lines->rc < 0 || !next_line(lines))
		return NULL;
	if (lines->is_header)
		snprintf(buffer, (size_t)size, "[%s]\n", keyword_section_name(lines->section));
	else
		strcpy(buffer, (char[]){LETTER(lines->key), '=', GUARD, '\n', '\0'});
	return buffer;
}

/* The value with its white space as it should be, and a NUL behind it. */
static void squeeze_value(struct lines *lines)
{
	const char *at = lines->line + lines->value, *end = lines->line + lines->size;
	enum white white = white_in(lines->key);

	text_consume(&lines->squeezed, lines->squeezed.len);
	text_puts(&lines->squeezed, "");
	if (white == WHITE_KEPT) {
		text_append(&lines->squeezed, at, (size_t)(end - at));
		return;
	}
	while (at < end) {
		const char *start = at;

		while (at < end && !is_white(*at))
			at++;
		text_append(&lines->squeezed, start, (size_t)(at - start));
		for (; at < end && is_white(*at); at++)
			if (white == WHITE_COMMA)
				text_append(&lines->squeezed, ",", 1);
	}
}

/* inih's handler: nonzero to go on. Section, name and value are those that feed() gave. */
static int take(void *user, const char *section, const char *name, const char *value)
{
	struct lines *lines = user;

	if (lines->rc < 0)
		return 0;
	if (strcmp(section, keyword_section_name(lines->section)) != 0 ||
	    name[0] != LETTER(lines->key) || name[1] || !value || value[0] != GUARD || value[1]) {
		lines->rc = LINE_ERROR(lines, 0, "inih does not read this line as expected");
		return 0;
	}
	squeeze_value(lines);
	if (lines->squeezed.failed)
		lines->rc = conf_error_set(lines->error, ENOMEM, lines->number, 0, "out of memory");
	else
		lines->rc = lines->events->value(lines->user, lines, lines->key,
						 lines->squeezed.data, lines->squeezed.len);
	if (lines->rc < 0)
		lines->rc = pass_over(lines, lines->rc);
	return lines->rc == 0;
}

int lines_read(const char *text, size_t len, const struct lines_events *events, void *user,
	       struct conf_error *error)
{
	struct lines lines = {
		.events = events,
		.user = user,
		.error = error,
		.text = text,
		.len = len,
	};
	int rc;

	if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		return conf_error_set(error, EINVAL, 1, 1,
				      "the file is UTF-16 text: save it as UTF-8");
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		lines.text += 3;
		lines.len -= 3;
	}
	rc = ini_parse_stream(feed, &lines, take, &lines);
	if (rc != 0 && lines.rc == 0)
		lines.rc = conf_error_set(error, rc == -2 ? ENOMEM : EINVAL, lines.number, 0,
					  rc == -2 ? "out of memory"
						   : "inih does not read this line as expected");
	text_wipe(&lines.squeezed);
	return lines.rc;
}

enum lines_form lines_form(const struct lines *lines)
{
	return lines->form;
}

enum keyword lines_key(const struct lines *lines)
{
	return lines->key;
}

unsigned lines_number(const struct lines *lines)
{
	return lines->number;
}

/* Goes on from where the last call ended, as a line may hold a million elements. */
unsigned lines_column(struct lines *lines, size_t offset)
{
	if (offset < lines->seen) {
		lines->seen = 0;
		lines->place = lines->value;
	}
	while (lines->place < lines->size) {
		if (!is_skipped(lines, lines->place)) {
			if (lines->seen == offset)
				break;
			lines->seen++;
		}
		lines->place++;
	}
	return (unsigned)lines->place + 1;
}
