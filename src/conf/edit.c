/* SPDX-License-Identifier: MIT
 * First what differs, key by key, then the lines: each stays, goes, or has its value replaced; keys
 * that have no line yet get one at the end of the interface's keys, or behind the peer's own. */
#include "conf/edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include "conf/exclude.h"
#include "conf/file.h"
#include "conf/outline.h"
#include "conf/prefixset.h"
#include "conf/text.h"

#define BIT(key) (1u << (key))

_Static_assert(KEYWORD_COUNT <= 32, "a bit each");

/* What is to be done with a section; the interface is one, however often it is opened. */
struct section {
	const struct model_peer *now; /* the peer as it is; NULL: it is gone, or the interface */
	uint32_t changed;             /* keys, as bits; a key's file counts as the key */
	uint32_t present;             /* they have a line */
	uint32_t written;
	size_t last; /* new lines come behind this one; OUTLINE_NO_PEER: there is none */
};

struct edit {
	struct text *out;             /* borrowed */
	const struct file *file;      /* borrowed */
	const struct edit_state *now; /* borrowed */
	struct outline outline;
	struct section *sections; /* of the file's peers, then of the interface; owned */
	bool *dropped;            /* lines; owned */
	const char *newline;
};

static enum keyword plain_key(enum keyword key)
{
	if (key == KEYWORD_PRIVATE_KEY_FILE)
		return KEYWORD_PRIVATE_KEY;
	return key == KEYWORD_PRESHARED_KEY_FILE ? KEYWORD_PRESHARED_KEY : key;
}

static struct section *section_of(const struct edit *edit, const struct outline_line *line)
{
	if (line->section == KEYWORD_INTERFACE)
		return &edit->sections[edit->file->device.peer_count];
	return line->peer == OUTLINE_NO_PEER ? NULL : &edit->sections[line->peer];
}

/* The prefixes that a peer's list adds, without host bits; owned by the caller. */
static struct prefix *copy_allowed(const struct model_peer *peer, size_t *count)
{
	struct prefix *prefixes = calloc(peer->allowed_count + 1, sizeof(*prefixes));

	*count = 0;
	for (size_t i = 0; prefixes && i < peer->allowed_count; i++) {
		if (peer->allowed[i].op != MODEL_ALLOWED_ADD)
			continue;
		prefixes[*count] = peer->allowed[i].prefix;
		prefix_mask(&prefixes[(*count)++]);
	}
	return prefixes;
}

static int differ_in_allowed(bool *result, const struct model_peer *a, const struct model_peer *b)
{
	size_t a_count, b_count;
	struct prefix *first = copy_allowed(a, &a_count), *second = copy_allowed(b, &b_count);
	int rc = first && second ? prefixset_differ(result, first, a_count, second, b_count)
				 : -ENOMEM;

	free(first);
	free(second);
	return rc;
}

/* What differs */

static int compare_peer(struct section *section, const struct model_peer *then)
{
	const struct model_peer *now = section->now;
	bool is_changed = false;
	int rc = differ_in_allowed(&is_changed, then, now);

	if (is_changed)
		section->changed |= BIT(KEYWORD_ALLOWED_IPS);
	if (!key_equal(&then->preshared_key, &now->preshared_key))
		section->changed |= BIT(KEYWORD_PRESHARED_KEY);
	if (then->keepalive != now->keepalive)
		section->changed |= BIT(KEYWORD_KEEPALIVE);
	/* Numeric, or none: what is known of a peer that moved is worth keeping, as for
	 * wg-quick(8). */
	if (now->endpoint.sa.sa_family != AF_UNSPEC &&
	    (!then->host || then->endpoint.sa.sa_family != AF_UNSPEC) &&
	    !endpoint_equal(&then->endpoint, &now->endpoint))
		section->changed |= BIT(KEYWORD_ENDPOINT);
	return rc;
}

/* The mark is chosen at `up', and not the file's to name. */
static bool has_chosen_mark(const struct file *file)
{
	if (file->device.fwmark || (file->table && strcmp(file->table, "auto") != 0))
		return false;
	for (size_t i = 0; i < file->device.peer_count; i++)
		for (size_t j = 0; j < file->device.peers[i].allowed_count; j++)
			if (!file->device.peers[i].allowed[j].prefix.cidr)
				return true;
	return false;
}

static int compare_device(const struct edit *edit, struct section *section, bool is_marked)
{
	const struct model *then = &edit->file->device, *now = edit->now->device;
	bool is_changed = false;
	int rc = 0;

	/* Some engines do not tell their key; none is not a change. */
	if (!key_is_zero(&now->private_key) && !key_equal(&then->private_key, &now->private_key))
		section->changed |= BIT(KEYWORD_PRIVATE_KEY);
	if (now->listen_port && then->listen_port != now->listen_port)
		section->changed |= BIT(KEYWORD_LISTEN_PORT);
	if (then->fwmark != now->fwmark && !is_marked)
		section->changed |= BIT(KEYWORD_FWMARK);
	if (edit->file->mtu && edit->now->mtu && edit->file->mtu != edit->now->mtu)
		section->changed |= BIT(KEYWORD_MTU);
	if (edit->now->knows_addresses)
		rc = prefixset_differ(&is_changed, edit->file->addresses, edit->file->address_count,
				      edit->now->addresses, edit->now->address_count);
	if (is_changed)
		section->changed |= BIT(KEYWORD_ADDRESS);
	return rc;
}

static int compare(struct edit *edit, bool is_marked)
{
	const struct model *then = &edit->file->device, *now = edit->now->device;
	struct model_index present;
	int rc = model_index_build(&present, now);

	if (rc == 0)
		rc = compare_device(edit, &edit->sections[then->peer_count], is_marked);
	for (size_t i = 0; i < then->peer_count && rc == 0; i++) {
		edit->sections[i].now = model_index_find(&present, &then->peers[i].public_key);
		if (edit->sections[i].now)
			rc = compare_peer(&edit->sections[i], &then->peers[i]);
	}
	free(present.peers);
	return rc;
}

/* Values */

static void put_key(struct text *out, const struct key *key)
{
	char base64[KEY_BASE64_LEN + 1];

	key_to_base64(base64, key);
	if (!key_is_zero(key))
		text_puts(out, base64);
	sodium_memzero(base64, sizeof(base64));
}

static void put_prefix(struct text *out, const struct prefix *prefix, bool is_first)
{
	char text[PREFIX_TEXT_MAX];

	text_puts(out, is_first ? "" : ", ");
	text_puts(out, prefix_format(text, prefix));
}

static void put_peer_value(struct text *out, enum keyword key, const struct model_peer *peer)
{
	char text[ENDPOINT_TEXT_MAX];

	if (key == KEYWORD_PUBLIC_KEY)
		put_key(out, &peer->public_key);
	if (key == KEYWORD_PRESHARED_KEY)
		put_key(out, &peer->preshared_key);
	if (key == KEYWORD_ENDPOINT && peer->endpoint.sa.sa_family != AF_UNSPEC)
		text_puts(out, endpoint_format(text, &peer->endpoint));
	if (key == KEYWORD_KEEPALIVE && peer->keepalive)
		text_printf(out, "%u", peer->keepalive);
	for (size_t i = 0; key == KEYWORD_ALLOWED_IPS && i < peer->allowed_count; i++)
		put_prefix(out, &peer->allowed[i].prefix, i == 0);
}

/* Nothing, where the key is to be left out. */
static void put_value(struct text *out, enum keyword key, const struct model_peer *peer,
		      const struct edit_state *now)
{
	const struct model *device = now->device;

	if (peer)
		put_peer_value(out, key, peer);
	if (key == KEYWORD_PRIVATE_KEY)
		put_key(out, &device->private_key);
	if (key == KEYWORD_LISTEN_PORT)
		text_printf(out, "%u", device->listen_port);
	if (key == KEYWORD_FWMARK && device->fwmark)
		text_printf(out, "0x%x", device->fwmark);
	if (key == KEYWORD_MTU)
		text_printf(out, "%u", (unsigned)now->mtu);
	for (size_t i = 0; key == KEYWORD_ADDRESS && i < now->address_count; i++)
		put_prefix(out, &now->addresses[i], i == 0);
}

/* Lines */

static void end_line(struct edit *edit)
{
	const struct text *out = edit->out;

	if (out->len && out->data[out->len - 1] != '\n')
		text_puts(edit->out, edit->newline);
}

static void put_entry(struct edit *edit, enum keyword key, const struct model_peer *peer)
{
	struct text value = TEXT_EMPTY;

	put_value(&value, key, peer, edit->now);
	if (value.len) {
		end_line(edit);
		text_printf(edit->out, "%s = ", keyword_name(key));
		text_append(edit->out, value.data, value.len);
		text_puts(edit->out, edit->newline);
	}
	edit->out->failed |= value.failed;
	text_wipe(&value);
}

/* Those that are new, in the order of wg(8)'s. */
static void put_new(struct edit *edit, struct section *section)
{
	const uint32_t keys = section->changed & ~section->present & ~section->written;

	section->written |= keys;
	for (enum keyword key = 0; key < KEYWORD_COUNT; key++)
		if (keys & BIT(key))
			put_entry(edit, key, section->now);
}

static void put_text(struct edit *edit, const struct outline_line *line, size_t from, size_t to)
{
	text_append(edit->out, line->text + from, to - from);
}

/* The first line of a key that changed gets its value, the others go. */
static void put_changed(struct edit *edit, const struct outline_line *line, struct section *section)
{
	const enum keyword key = plain_key(line->key);
	struct text value = TEXT_EMPTY;

	if (!(section->written & BIT(key)) && key != line->key) {
		put_entry(edit, key, section->now);
	} else if (!(section->written & BIT(key))) {
		put_value(&value, key, section->now, edit->now);
		if (value.len) {
			put_text(edit, line, 0, line->value);
			text_append(edit->out, value.data, value.len);
			put_text(edit, line, line->value + line->value_len, line->len);
			text_puts(edit->out, "\n");
		}
		edit->out->failed |= value.failed;
		text_wipe(&value);
	}
	section->written |= BIT(key);
}

static void put_line(struct edit *edit, size_t i)
{
	const struct outline *outline = &edit->outline;
	const struct outline_line *line = &outline->lines[i];
	struct section *section = section_of(edit, line);

	if (edit->dropped[i])
		return;
	if (line->kind == OUTLINE_ENTRY && section &&
	    section->changed & BIT(plain_key(line->key))) {
		put_changed(edit, line, section);
	} else {
		put_text(edit, line, 0, line->len);
		if (i + 1 < outline->count || !outline->is_open)
			text_puts(edit->out, "\n");
	}
	if (section && section->last == i)
		put_new(edit, section);
}

/* Behind which line new keys come: the last of the interface's keys or else its first header, the
 * peer's public key. */
static void place(struct edit *edit)
{
	for (size_t i = 0; i < edit->outline.count; i++) {
		const struct outline_line *line = &edit->outline.lines[i];
		struct section *section = section_of(edit, line);

		if (!section || line->kind == OUTLINE_OTHER)
			continue;
		if (line->kind == OUTLINE_HEADER) {
			if (section->last == OUTLINE_NO_PEER)
				section->last = i;
			continue;
		}
		section->present |= BIT(plain_key(line->key));
		if (line->section == KEYWORD_INTERFACE || line->key == KEYWORD_PUBLIC_KEY)
			section->last = i;
	}
}

static bool is_comment(const struct outline_line *line)
{
	size_t at = 0;

	while (at < line->len && strchr(" \t\r\v\f", line->text[at]))
		at++;
	return line->kind == OUTLINE_OTHER && at < line->len;
}

/* From the comments above one header to those above the next. */
static void drop(struct edit *edit)
{
	const struct outline *outline = &edit->outline;
	bool drops = false;
	size_t start = 0;

	for (size_t i = 0; i < outline->count; i++) {
		const struct outline_line *line = &outline->lines[i];

		if (line->kind == OUTLINE_HEADER) {
			drops = line->section == KEYWORD_PEER && !edit->sections[line->peer].now;
			for (; start < i; start++)
				edit->dropped[start] = drops;
		}
		edit->dropped[i] = drops;
		if (!is_comment(line))
			start = i + 1;
	}
}

static void append_peers(struct edit *edit, const struct model_index *known)
{
	static const enum keyword keys[] = {
		KEYWORD_PUBLIC_KEY, KEYWORD_PRESHARED_KEY, KEYWORD_ALLOWED_IPS,
		KEYWORD_ENDPOINT,   KEYWORD_KEEPALIVE,
	};
	const struct model *now = edit->now->device;

	for (size_t i = 0; i < now->peer_count; i++) {
		if (model_index_find(known, &now->peers[i].public_key))
			continue;
		end_line(edit);
		text_printf(edit->out, "%s[Peer]%s", edit->out->len ? edit->newline : "",
			    edit->newline);
		for (size_t j = 0; j < sizeof(keys) / sizeof(*keys); j++)
			put_entry(edit, keys[j], &now->peers[i]);
	}
}

static int put_all(struct edit *edit, const char *text)
{
	const struct model *then = &edit->file->device;
	struct section *interface = &edit->sections[then->peer_count];
	struct model_index known;

	if (model_index_build(&known, then))
		return -ENOMEM;
	if (edit->outline.count)
		text_append(edit->out, text, (size_t)(edit->outline.lines[0].text - text));
	if (interface->last == OUTLINE_NO_PEER && interface->changed) {
		text_printf(edit->out, "[Interface]%s", edit->newline);
		put_new(edit, interface);
		text_puts(edit->out, edit->newline);
	}
	for (size_t i = 0; i < edit->outline.count; i++)
		put_line(edit, i);
	append_peers(edit, &known);
	free(known.peers);
	return edit->out->failed ? -ENOMEM : 0;
}

static int prepare(struct edit *edit)
{
	const size_t count = edit->file->device.peer_count + 1;
	const struct outline *outline = &edit->outline;

	edit->sections = calloc(count, sizeof(*edit->sections));
	edit->dropped = calloc(outline->count + 1, sizeof(*edit->dropped));
	if (!edit->sections || !edit->dropped)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		edit->sections[i].last = OUTLINE_NO_PEER;
	edit->newline = "\n";
	if (outline->count && outline->lines[0].len &&
	    outline->lines[0].text[outline->lines[0].len - 1] == '\r')
		edit->newline = "\r\n";
	return 0;
}

int edit_apply(struct text *out, struct file *file, const char *text, size_t len,
	       const struct edit_state *now)
{
	struct edit edit = {.out = out, .file = file, .now = now};
	const bool is_marked = has_chosen_mark(file);
	int rc = exclude_apply_all(&file->device);

	if (rc == 0)
		rc = outline_read(&edit.outline, text, len);
	if (rc == 0)
		rc = prepare(&edit);
	if (rc == 0)
		rc = compare(&edit, is_marked);
	if (rc == 0) {
		place(&edit);
		drop(&edit);
		rc = put_all(&edit, text);
	}
	free(edit.sections);
	free(edit.dropped);
	outline_free(&edit.outline);
	return rc;
}
