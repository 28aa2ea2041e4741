/* SPDX-License-Identifier: MIT
 * The names in a configuration file; compare wg(8) and wg-quick(8). */
#include "conf/keyword.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include "conf/nearest.h"

#define ECHO_MAX 20 /* bytes of an unknown name that are repeated: less than half a key */

static const struct {
	const char *name;
	size_t len;
	enum keyword_section section;
	enum keyword_origin origin;
} KEYS[KEYWORD_COUNT] = {
#define KEYWORD_ROW(id, text, home, whose)                                                         \
	[KEYWORD_##id] = {.name = (text),                                                          \
			  .len = sizeof(text) - 1,                                                 \
			  .section = KEYWORD_##home,                                               \
			  .origin = KEYWORD_OF_##whose},
	KEYWORD_KEYS(KEYWORD_ROW)
#undef KEYWORD_ROW
};

static const char *const SECTIONS[] = {
	[KEYWORD_NO_SECTION] = "",
	[KEYWORD_INTERFACE] = "Interface",
	[KEYWORD_PEER] = "Peer",
};

const char *keyword_name(enum keyword key)
{
	return KEYS[key].name;
}

enum keyword_origin keyword_origin(enum keyword key)
{
	return KEYS[key].origin;
}

bool keyword_may_be_empty(enum keyword key)
{
	return keyword_origin(key) == KEYWORD_OF_QUICK && key != KEYWORD_MTU &&
	       key != KEYWORD_TABLE && key != KEYWORD_SAVE_CONFIG;
}

const char *keyword_section_name(enum keyword_section section)
{
	return SECTIONS[section];
}

static bool same(const char *known, const char *name, size_t len)
{
	return strlen(known) == len && strncasecmp(known, name, len) == 0;
}

static bool find_anywhere(enum keyword *key, const char *name, size_t len)
{
	for (enum keyword i = 0; i < KEYWORD_COUNT; i++) {
		if (KEYS[i].len == len && strncasecmp(KEYS[i].name, name, len) == 0) {
			*key = i;
			return true;
		}
	}
	return false;
}

bool keyword_find(enum keyword *key, enum keyword_section section, const char *name, size_t len)
{
	enum keyword found;

	if (!find_anywhere(&found, name, len) || KEYS[found].section != section)
		return false;
	*key = found;
	return true;
}

bool keyword_find_section(enum keyword_section *section, const char *name, size_t len)
{
	for (enum keyword_section i = KEYWORD_INTERFACE; i <= KEYWORD_PEER; i++) {
		if (same(SECTIONS[i], name, len)) {
			*section = i;
			return true;
		}
	}
	return false;
}

static bool is_near(const char *known, const char *name, size_t len, unsigned *best)
{
	unsigned d;

	if (len > NEAREST_MAX)
		return false;
	d = nearest_distance(known, strlen(known), name, len);
	/* A third of the name may be wrong. */
	if (d >= *best || d > (strlen(known) + 2) / 3 || d >= len)
		return false;
	*best = d;
	return true;
}

/* The nearest key, of the same section if there is one. */
static bool nearest(enum keyword *key, const struct keyword_stray *stray)
{
	bool found = false;

	for (int own = 1; own >= 0 && !found; own--) {
		unsigned best = UINT32_MAX;

		for (enum keyword i = 0; i < KEYWORD_COUNT; i++) {
			if ((KEYS[i].section == stray->section) != own)
				continue;
			if (is_near(KEYS[i].name, stray->name, stray->len, &best)) {
				*key = i;
				found = true;
			}
		}
	}
	return found;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* The longest known key that the name begins with, where its '=' was probably forgotten: a '=' that
 * follows may be the end of the value. */
static const char *beginning(const struct keyword_stray *stray)
{
	const char *longest = NULL;

	for (enum keyword i = 0; i < KEYWORD_COUNT; i++) {
		size_t len = strlen(KEYS[i].name);

		if (len > stray->len || strncasecmp(KEYS[i].name, stray->name, len) != 0)
			continue;
		if (stray->has_value && is_word(stray->name[len]))
			continue;
		if (!longest || len > strlen(longest))
			longest = KEYS[i].name;
	}
	return longest;
}

/* What stands alone before a '=', or on its line, may be a piece of a wrapped key. */
static bool may_echo(const struct keyword_stray *stray)
{
	if (!stray->len || stray->len > ECHO_MAX || !stray->has_value)
		return false;
	for (size_t i = 0; i < stray->len; i++)
		if (!is_word(stray->name[i]))
			return false;
	return true;
}

/* The error says: " 'NAME'" or nothing. */
struct quote {
	char text[ECHO_MAX + 4];
};

static struct quote quote(const struct keyword_stray *stray, bool safe)
{
	struct quote quote = {""};

	if (!safe || stray->len > ECHO_MAX)
		return quote;
	quote.text[0] = ' ';
	quote.text[1] = '\'';
	memcpy(quote.text + 2, stray->name, stray->len);
	quote.text[2 + stray->len] = '\'';
	return quote;
}

#define STRAY_ERROR(error, stray, ...)                                                             \
	conf_error_set(error, EINVAL, (stray)->line, (stray)->column, __VA_ARGS__)

static const char *expected(const struct keyword_stray *stray)
{
	if (stray->section == KEYWORD_PEER)
		return stray->is_comment ? "Name or PresharedKeyFile"
					 : "PublicKey, PresharedKey, AllowedIPs, Endpoint, "
					   "PersistentKeepalive or Name";
	return stray->is_comment ? "PrivateKeyFile or KillSwitch"
				 : "PrivateKey, ListenPort, FwMark, Address, MTU, DNS, Table or "
				   "another key of wg-quick";
}

static int unknown_line(struct conf_error *error, const struct keyword_stray *stray)
{
	const char *known = beginning(stray);

	if (stray->len && stray->name[0] == ';')
		return STRAY_ERROR(error, stray, "a comment begins with '#', not with ';'");
	if (known)
		return STRAY_ERROR(error, stray, "expected '=' after '%s'", known);
	if (!stray->has_equals)
		return STRAY_ERROR(error, stray,
				   "no '=' on this line: expected 'Key = value' or a section such "
				   "as '[Peer]'");
	return STRAY_ERROR(error, stray, "unknown key%s in [%s]: expected %s",
			   quote(stray, may_echo(stray)).text, SECTIONS[stray->section],
			   expected(stray));
}

int keyword_unknown(struct conf_error *error, const struct keyword_stray *stray)
{
	const char *home;
	enum keyword key;

	if (stray->has_equals && stray->section == KEYWORD_NO_SECTION)
		return STRAY_ERROR(error, stray,
				   "a key before any section: write '[Interface]' or '[Peer]' "
				   "above it");
	if (!stray->has_equals)
		return unknown_line(error, stray);
	if (find_anywhere(&key, stray->name, stray->len))
		return STRAY_ERROR(error, stray, "'%s' belongs in [%s], not in [%s]",
				   KEYS[key].name, SECTIONS[KEYS[key].section],
				   SECTIONS[stray->section]);
	if (!nearest(&key, stray))
		return unknown_line(error, stray);
	home = SECTIONS[KEYS[key].section];
	if (KEYS[key].section != stray->section)
		return STRAY_ERROR(error, stray,
				   "unknown key%s in [%s]: did you mean '%s', which belongs in "
				   "[%s]?",
				   quote(stray, may_echo(stray)).text, SECTIONS[stray->section],
				   KEYS[key].name, home);
	return STRAY_ERROR(error, stray, "unknown key%s in [%s]: did you mean '%s'?",
			   quote(stray, may_echo(stray)).text, home, KEYS[key].name);
}

int keyword_misplaced(struct conf_error *error, const struct keyword_stray *stray, enum keyword key)
{
	return STRAY_ERROR(error, stray, "'%s' is not wgctl's own: write it without '#wgctl:'",
			   KEYS[key].name);
}

int keyword_unknown_section(struct conf_error *error, const struct keyword_stray *stray)
{
	const char *meant = NULL;
	unsigned best = UINT32_MAX;

	for (enum keyword_section i = KEYWORD_INTERFACE; i <= KEYWORD_PEER; i++)
		if (is_near(SECTIONS[i], stray->name, stray->len, &best))
			meant = SECTIONS[i];
	if (meant)
		return STRAY_ERROR(error, stray, "unknown section%s: did you mean '[%s]'?",
				   quote(stray, may_echo(stray)).text, meant);
	return STRAY_ERROR(error, stray, "unknown section%s: expected '[Interface]' or '[Peer]'",
			   quote(stray, may_echo(stray)).text);
}
