/* SPDX-License-Identifier: MIT
 * A layer is a mark and its lines; below the first layer they have HIDDEN in front. A line without
 * it there is of somebody who appended to the file. */
#include "cli/dnstext.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYER "# wgctl: for the tunnel "
#define LAYER_BOOT ", boot "
#define BEFORE "# wgctl: before"
#define BEFORE_ABSENT BEFORE ", there was no such file"
#define BEFORE_LINK BEFORE ", a link to "
#define HIDDEN "#|"

struct line {
	const char *text;
	size_t len; /* with its end, if it has one */
};

static bool next_line(struct line *line, const char **data, size_t *len)
{
	const char *end = *len ? memchr(*data, '\n', *len) : NULL;

	line->text = *data;
	line->len = end ? (size_t)(end + 1 - *data) : *len;
	if (!line->len)
		return false;
	*data += line->len;
	*len -= line->len;
	return true;
}

static bool starts(const struct line *line, const char *with)
{
	return line->len >= strlen(with) && !memcmp(line->text, with, strlen(with));
}

/* Copies what follows skip, to the end of the line. */
static void cut(char *to, size_t size, const struct line *line, size_t skip)
{
	size_t len = line->len - skip;

	if (len && line->text[line->len - 1] == '\n')
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(to, line->text + skip, len);
	to[len] = '\0';
}

static void read_layer(struct dnstext_layer *layer, const struct line *line)
{
	char words[sizeof(layer->name) + sizeof(LAYER_BOOT) + sizeof(layer->boot)];
	char *boot;

	cut(words, sizeof(words), line, strlen(LAYER));
	boot = strstr(words, LAYER_BOOT);
	if (boot) {
		*boot = '\0';
		snprintf(layer->boot, sizeof(layer->boot), "%s", boot + strlen(LAYER_BOOT));
	}
	snprintf(layer->name, sizeof(layer->name), "%.*s", IFNAMSIZ - 1, words);
}

static int read_line(struct dnstext *dns, const struct line *line, struct text **into)
{
	const bool is_mark = starts(line, BEFORE);

	if (starts(line, LAYER)) {
		if (dns->count == DNSTEXT_LAYERS)
			return -EMLINK;
		read_layer(&dns->layers[dns->count], line);
		*into = &dns->layers[dns->count++].lines;
		return 0;
	}
	if (is_mark && starts(line, BEFORE_LINK))
		cut(dns->target, sizeof(dns->target), line, strlen(BEFORE_LINK));
	dns->is_absent |= is_mark && starts(line, BEFORE_ABSENT);
	if (is_mark)
		*into = &dns->before;
	else if (dns->count && starts(line, HIDDEN))
		text_append(*into, line->text + strlen(HIDDEN), line->len - strlen(HIDDEN));
	else if (dns->count && *into == &dns->layers[0].lines)
		text_append(*into, line->text, line->len);
	else
		text_append(&dns->before, line->text, line->len);
	return 0;
}

int dnstext_read(struct dnstext *dns, const char *data, size_t len)
{
	struct text *into = &dns->before;
	struct line line;
	int err = 0;

	*dns = (struct dnstext){0};
	while (!err && next_line(&line, &data, &len))
		err = read_line(dns, &line, &into);
	for (size_t i = 0; i < dns->count && !err; i++)
		err = dns->layers[i].lines.failed ? -ENOMEM : 0;
	return err ? err : dns->before.failed ? -ENOMEM : 0;
}

static struct dnstext_layer *find(struct dnstext *dns, const char *name)
{
	for (size_t i = 0; i < dns->count; i++)
		if (!strcmp(dns->layers[i].name, name))
			return &dns->layers[i];
	return NULL;
}

static void drop(struct dnstext *dns, struct dnstext_layer *layer)
{
	const size_t i = (size_t)(layer - dns->layers);

	text_wipe(&layer->lines);
	dns->count--;
	memmove(layer, layer + 1, (dns->count - i) * sizeof(*layer));
	dns->layers[dns->count] = (struct dnstext_layer){0};
}

int dnstext_put(struct dnstext *dns, const char *name, const char *boot, const char *lines)
{
	struct dnstext_layer *layer = find(dns, name);

	if (!layer && dns->count == DNSTEXT_LAYERS)
		return -EMLINK;
	if (!layer) {
		layer = dns->layers;
		memmove(layer + 1, layer, dns->count++ * sizeof(*layer));
		*layer = (struct dnstext_layer){0};
		snprintf(layer->name, sizeof(layer->name), "%s", name);
	}
	snprintf(layer->boot, sizeof(layer->boot), "%s", boot);
	text_wipe(&layer->lines);
	text_puts(&layer->lines, lines);
	return layer->lines.failed ? -ENOMEM : 0;
}

static bool has_line(const char *lines, const struct line *wanted)
{
	size_t len = strlen(lines);
	struct line line;

	while (next_line(&line, &lines, &len))
		if (line.len == wanted->len && !memcmp(line.text, wanted->text, line.len))
			return true;
	return false;
}

static void put_lines(struct text *out, const char *prefix, const struct text *lines)
{
	const char *data = lines->data;
	size_t len = lines->len;
	struct line line;

	while (next_line(&line, &data, &len)) {
		text_puts(out, prefix);
		text_append(out, line.text, line.len);
	}
}

/* Moves the lines of others to what was before. */
static void keep_others(struct dnstext *dns, const struct text *layer, const char *lines)
{
	const char *data = layer->data;
	size_t len = layer->len;
	struct text kept = TEXT_EMPTY;
	struct line line;

	while (next_line(&line, &data, &len)) {
		if (has_line(lines, &line))
			continue;
		text_append(&kept, line.text, line.len);
		if (line.text[line.len - 1] != '\n')
			text_puts(&kept, "\n");
	}
	put_lines(&kept, "", &dns->before);
	text_wipe(&dns->before);
	dns->before = kept;
}

bool dnstext_drop(struct dnstext *dns, const char *name, const char *lines)
{
	struct dnstext_layer *layer = find(dns, name);

	if (!layer)
		return false;
	if (lines && layer->lines.len)
		keep_others(dns, &layer->lines, lines);
	drop(dns, layer);
	return true;
}

bool dnstext_drop_old(struct dnstext *dns, const char *boot)
{
	const size_t count = dns->count;

	for (size_t i = dns->count; i-- > 0;)
		if (strcmp(dns->layers[i].boot, boot) != 0)
			drop(dns, &dns->layers[i]);
	return dns->count < count;
}

void dnstext_write(const struct dnstext *dns, struct text *out)
{
	for (size_t i = 0; i < dns->count; i++) {
		const struct dnstext_layer *layer = &dns->layers[i];

		text_printf(out, LAYER "%s" LAYER_BOOT "%s\n", layer->name, layer->boot);
		put_lines(out, i ? HIDDEN : "", &layer->lines);
	}
	if (dns->target[0] && dns->count)
		text_printf(out, BEFORE_LINK "%s\n", dns->target);
	else if (dns->count)
		text_puts(out, dns->is_absent ? BEFORE_ABSENT "\n" : BEFORE ":\n");
	put_lines(out, dns->count ? HIDDEN : "", &dns->before);
}

void dnstext_free(struct dnstext *dns)
{
	while (dns->count)
		drop(dns, &dns->layers[dns->count - 1]);
	text_wipe(&dns->before);
}
