/* SPDX-License-Identifier: MIT
 * What may be a name, and what to do about two of the same. */
#include "conf/name.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "conf/array.h"
#include "conf/error.h"
#include "conf/model.h"

/* The length of the character that text begins with; 0: it is none, or a control character. */
static size_t char_len(const unsigned char *text, size_t len)
{
	static const uint32_t least[] = {0, 0x20, 0xa0, 0x800, 0x10000};
	uint32_t code = text[0];
	size_t n = 1;

	if (code >= 0xf0)
		n = 4;
	else if (code >= 0xe0)
		n = 3;
	else if (code >= 0x80)
		n = 2;
	if (n > len || (code >= 0x80 && code < 0xc0) || code >= 0xf8)
		return 0;
	if (n > 1)
		code &= 0xffu >> (n + 1);
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fu);
	}
	if (code < least[n] || code == 0x7f || code > 0x10ffff)
		return 0;
	return code >= 0xd800 && code < 0xe000 ? 0 : n;
}

bool name_is_valid(const char *text, size_t len)
{
	struct key key;
	bool is_key;

	if (!len || len > NAME_MAX_LEN)
		return false;
	for (size_t at = 0, n; at < len; at += n) {
		n = char_len((const unsigned char *)text + at, len - at);
		if (!n)
			return false;
	}
	is_key = key_from_base64(&key, text, len) == 0;
	key_wipe(&key);
	return !is_key;
}

int name_note(struct name_places *places, const struct name_place *place)
{
	struct name_place *items;

	if (places->count && places->items[places->count - 1].peer == place->peer)
		places->count--;
	items = array_room(places->items, places->count, &places->size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	places->items = items;
	places->items[places->count++] = *place;
	return 0;
}

static int compare(const void *left, const void *right)
{
	const struct name_place *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	if (order)
		return order;
	return a->line < b->line ? -1 : a->line > b->line;
}

/* All the count places have one name. */
static int settle_one(const struct name_place *places, size_t count, struct model *model,
		      const struct value_report *report)
{
	const struct name_place *owner = NULL;
	struct conf_error what;
	int rc = 0;

	for (size_t i = 0; i < count; i++) {
		if (places[i].is_remark)
			continue;
		if (owner)
			return conf_error_set(report->error, EINVAL, places[i].line,
					      places[i].column,
					      "the peer of line %u has this name already: choose "
					      "another one",
					      owner->line);
		owner = &places[i];
	}
	for (size_t i = 0; i < count && rc == 0; i++) {
		const struct name_place *other = owner ? owner : &places[i == 0];

		if (!places[i].is_remark)
			continue;
		free(model->peers[places[i].peer].name);
		model->peers[places[i].peer].name = NULL;
		conf_error_set(&what, EINVAL, places[i].line, places[i].column,
			       "the peer of line %u has this name, too: here it names none",
			       other->line);
		rc = report->warn(report->user, &what);
	}
	return rc;
}

int name_settle(struct name_places *places, struct model *model, const struct value_report *report)
{
	struct name_place *all = places->items;
	int rc = 0;

	for (size_t i = 0; i < places->count; i++)
		all[i].name = model->peers[all[i].peer].name;
	if (places->count)
		qsort(all, places->count, sizeof(*all), compare);
	for (size_t first = 0, next; first < places->count && rc == 0; first = next) {
		for (next = first + 1; next < places->count; next++)
			if (strcmp(all[first].name, all[next].name) != 0)
				break;
		if (next - first > 1)
			rc = settle_one(&all[first], next - first, model, report);
	}
	return rc;
}

void name_places_free(struct name_places *places)
{
	free(places->items);
	*places = (struct name_places){0};
}
