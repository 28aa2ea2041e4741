/* SPDX-License-Identifier: MIT
 * Line by line. Compare wg-quick(8), `strip'. */
#include "conf/plain.h"

#include <errno.h>
#include <stdbool.h>
#include <sodium.h>
#include "conf/exclude.h"
#include "conf/file.h"
#include "conf/outline.h"
#include "conf/text.h"

static bool is_blank(const struct outline_line *line)
{
	for (size_t i = 0; i < line->len; i++)
		if (line->text[i] != ' ' && line->text[i] != '\t')
			return false;
	return true;
}

static void put_line(struct text *out, const struct outline_line *line)
{
	const char *text = line->text;
	size_t len = line->len;

	while (len && (*text == ' ' || *text == '\t')) {
		text++;
		len--;
	}
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		len--;
	text_append(out, text, len);
	text_puts(out, "\n");
}

static void put_key(struct text *out, enum keyword name, const struct key *key)
{
	char base64[KEY_BASE64_LEN + 1];

	key_to_base64(base64, key);
	text_printf(out, "%s = %s\n", keyword_name(name), base64);
	sodium_memzero(base64, sizeof(base64));
}

static void put_allowed(struct text *out, const struct model_peer *peer)
{
	const char *sign = peer->replace_allowed ? "" : "+";
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < peer->allowed_count; i++) {
		const struct model_allowed *allowed = &peer->allowed[i];

		text_puts(out, i ? ", " : "AllowedIPs = ");
		text_puts(out, allowed->op == MODEL_ALLOWED_REMOVE ? "-" : sign);
		text_puts(out, prefix_format(text, &allowed->prefix));
	}
	text_puts(out, peer->allowed_count ? "\n" : "");
}

static void put_own(struct text *out, const struct outline_line *line, const struct model *device)
{
	if (line->form == LINES_REMARK)
		put_line(out, line);
	else if (line->key == KEYWORD_PRIVATE_KEY_FILE)
		put_key(out, KEYWORD_PRIVATE_KEY, &device->private_key);
	else if (line->key == KEYWORD_PRESHARED_KEY_FILE)
		put_key(out, KEYWORD_PRESHARED_KEY, &device->peers[line->peer].preshared_key);
}

/* next: the first peer whose list was not put yet. */
static int put_list(struct text *out, const struct outline_line *line, struct model_peer *peer,
		    size_t *next)
{
	int rc = 0;

	if (exclude_is_used(peer)) {
		rc = exclude_apply(peer);
		if (rc == 0)
			put_allowed(out, peer);
		*next = line->peer + 1;
	} else if (line->peer >= *next) {
		put_line(out, line);
	}
	return rc;
}

static int put_entry(struct text *out, const struct outline_line *line, struct model *device,
		     size_t *next)
{
	switch (keyword_origin(line->key)) {
	case KEYWORD_OF_QUICK:
		return 0;
	case KEYWORD_OF_WGCTL:
		put_own(out, line, device);
		return 0;
	case KEYWORD_OF_WG:
		break;
	}
	if (line->key == KEYWORD_ALLOWED_IPS)
		return put_list(out, line, &device->peers[line->peer], next);
	put_line(out, line);
	return 0;
}

int plain_put(struct text *out, struct file *file, const char *text, size_t len)
{
	struct outline outline;
	size_t next = 0;
	int rc = outline_read(&outline, text, len);

	if (outline.is_open && is_blank(&outline.lines[outline.count - 1]))
		outline.count--;
	for (size_t i = 0; i < outline.count && rc == 0; i++) {
		if (outline.lines[i].kind == OUTLINE_ENTRY)
			rc = put_entry(out, &outline.lines[i], &file->device, &next);
		else
			put_line(out, &outline.lines[i]);
	}
	text_puts(out, "\n");
	outline_free(&outline);
	return rc == 0 && out->failed ? -ENOMEM : rc;
}
