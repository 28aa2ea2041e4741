/* SPDX-License-Identifier: MIT
 * Layout, units and colours of `wg show`. */
#include "cli/pretty.h"

#include <stdlib.h>
#include <sodium.h>
#include "conf/model.h"
#include "conf/text.h"

#define RESET "\x1b[0m"
#define BOLD "\x1b[1m"
#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define CYAN "\x1b[36m"

struct page {
	struct text *out;
	const struct pretty_style *style;
};

static void paint(const struct page *page, const char *colour)
{
	if (page->style->colour)
		text_puts(page->out, colour);
}

static void put_painted(const struct page *page, const char *colour, const char *what)
{
	paint(page, colour);
	text_puts(page->out, what);
	paint(page, RESET);
}

/* "  label: " */
static void put_label(const struct page *page, const char *label)
{
	text_puts(page->out, "  ");
	put_painted(page, BOLD, label);
	text_puts(page->out, ": ");
}

/* "interface: wg0\n" */
static void put_heading(const struct page *page, const char *colour, const char *kind,
			const char *name)
{
	paint(page, colour);
	put_painted(page, BOLD, kind);
	text_puts(page->out, ": ");
	put_painted(page, colour, name);
	text_puts(page->out, "\n");
}

static void put_key(const struct page *page, const char *label, const struct key *key, bool hide)
{
	char text[KEY_BASE64_LEN + 1];

	put_label(page, label);
	key_to_base64(text, key);
	text_puts(page->out, hide ? "(hidden)" : text);
	text_puts(page->out, "\n");
	sodium_memzero(text, sizeof(text));
}

/* "1 day, 2 hours, 1 second"; nothing for 0. */
static void put_duration(const struct page *page, uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		const char *one, *many;
	} units[] = {
		{365 * 24 * 3600, "year", "years"},
		{24 * 3600, "day", "days"},
		{3600, "hour", "hours"},
		{60, "minute", "minutes"},
		{1, "second", "seconds"},
	};
	bool first = true;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		uint64_t n = seconds / units[i].seconds;

		seconds %= units[i].seconds;
		if (!n)
			continue;
		text_printf(page->out, "%s%llu ", first ? "" : ", ", (unsigned long long)n);
		put_painted(page, CYAN, n == 1 ? units[i].one : units[i].many);
		first = false;
	}
}

static void put_handshake(const struct page *page, int64_t then)
{
	put_label(page, "latest handshake");
	if (then == page->style->now) {
		text_puts(page->out, "Now");
	} else if (then > page->style->now) {
		text_puts(page->out, "(");
		put_painted(page, RED,
			    "System clock wound backward; connection problems may ensue.");
		text_puts(page->out, ")");
	} else {
		put_duration(page, (uint64_t)page->style->now - (uint64_t)then);
		text_puts(page->out, " ago");
	}
	text_puts(page->out, "\n");
}

static void put_bytes(const struct page *page, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double amount = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		text_printf(page->out, "%u ", (unsigned)bytes);
		put_painted(page, CYAN, "B");
		return;
	}
	for (; unit < 3 && bytes >> (10 * (unit + 2)); unit++)
		amount /= 1024;
	text_printf(page->out, "%.2f ", amount);
	put_painted(page, CYAN, units[unit]);
}

static void put_allowed(const struct page *page, const struct model_peer *peer)
{
	put_label(page, "allowed ips");
	if (!peer->allowed_count)
		text_puts(page->out, "(none)");
	for (size_t i = 0; i < peer->allowed_count; i++) {
		struct prefix prefix = peer->allowed[i].prefix;
		char text[PREFIX_TEXT_MAX], *slash = prefix_format(text, &prefix);

		while (*slash != '/')
			slash++;
		*slash = '\0';
		text_puts(page->out, i ? ", " : "");
		text_puts(page->out, text);
		put_painted(page, CYAN, "/");
		text_puts(page->out, slash + 1);
	}
	text_puts(page->out, "\n");
}

static void put_peer(const struct page *page, const struct model_peer *peer)
{
	char text[KEY_BASE64_LEN + ENDPOINT_TEXT_MAX];

	key_to_base64(text, &peer->public_key);
	text_puts(page->out, "\n");
	put_heading(page, YELLOW, "peer", peer->name ? peer->name : text);
	if (peer->name)
		put_key(page, "public key", &peer->public_key, false);
	if (!key_is_zero(&peer->preshared_key))
		put_key(page, "preshared key", &peer->preshared_key, page->style->hide_keys);
	if (peer->endpoint.sa.sa_family != AF_UNSPEC) {
		put_label(page, "endpoint");
		text_printf(page->out, "%s\n", endpoint_format(text, &peer->endpoint));
	}
	put_allowed(page, peer);
	if (peer->handshake_sec)
		put_handshake(page, peer->handshake_sec);
	if (peer->rx_bytes || peer->tx_bytes) {
		put_label(page, "transfer");
		put_bytes(page, peer->rx_bytes);
		text_puts(page->out, " received, ");
		put_bytes(page, peer->tx_bytes);
		text_puts(page->out, " sent\n");
	}
	if (peer->keepalive) {
		put_label(page, "persistent keepalive");
		text_puts(page->out, "every ");
		put_duration(page, peer->keepalive);
		text_puts(page->out, "\n");
	}
}

static void put_device(const struct page *page, const char *name, const struct model *model)
{
	paint(page, RESET);
	put_heading(page, GREEN, "interface", name);
	if (!key_is_zero(&model->private_key)) {
		struct key public;

		key_derive_public(&public, &model->private_key);
		put_key(page, "public key", &public, false);
		put_key(page, "private key", &model->private_key, page->style->hide_keys);
	}
	if (model->listen_port) {
		put_label(page, "listening port");
		text_printf(page->out, "%u\n", model->listen_port);
	}
	if (model->fwmark) {
		put_label(page, "fwmark");
		text_printf(page->out, "0x%x\n", model->fwmark);
	}
}

/* Each with its place, so that those of one second keep their order. */
struct place {
	const struct model_peer *peer;
	size_t index;
};

static int compare(const void *left, const void *right)
{
	const struct place *a = left, *b = right;

	if (a->peer->handshake_sec != b->peer->handshake_sec)
		return a->peer->handshake_sec > b->peer->handshake_sec ? -1 : 1;
	if (a->peer->handshake_nsec != b->peer->handshake_nsec)
		return a->peer->handshake_nsec > b->peer->handshake_nsec ? -1 : 1;
	return a->index < b->index ? -1 : 1;
}

void pretty_print(struct text *out, const char *name, const struct model *model,
		  const struct pretty_style *style)
{
	const struct page page = {.out = out, .style = style};
	struct place *places = calloc(model->peer_count + 1, sizeof(*places));

	if (!places) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < model->peer_count; i++)
		places[i] = (struct place){.peer = &model->peers[i], .index = i};
	qsort(places, model->peer_count, sizeof(*places), compare);
	put_device(&page, name, model);
	for (size_t i = 0; i < model->peer_count; i++)
		put_peer(&page, places[i].peer);
	free(places);
}
