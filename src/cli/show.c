/* SPDX-License-Identifier: MIT
 * Live state, in the words, the fields and with the exit codes of `wg show` (wg(8)), so that
 * scripts can call either. Compared with the wg of wireguard-tools 1.0.20260223. */
#include "cli/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sodium.h>
#include "cli/args.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/pretty.h"
#include "cli/say.h"
#include "conf/error.h"
#include "conf/model.h"
#include "conf/text.h"

static void put_key(struct text *out, const struct key *key)
{
	char text[KEY_BASE64_LEN + 1];

	if (key_is_zero(key)) {
		text_puts(out, "(none)");
		return;
	}
	key_to_base64(text, key);
	text_puts(out, text);
	sodium_memzero(text, sizeof(text));
}

static void put_private_key(struct text *out, const struct model *model)
{
	put_key(out, &model->private_key);
}

static void put_public_key(struct text *out, const struct model *model)
{
	struct key public = {0};

	if (!key_is_zero(&model->private_key))
		key_derive_public(&public, &model->private_key);
	put_key(out, &public);
}

static void put_listen_port(struct text *out, const struct model *model)
{
	text_printf(out, "%u", model->listen_port);
}

static void put_fwmark(struct text *out, const struct model *model)
{
	if (model->fwmark)
		text_printf(out, "0x%x", model->fwmark);
	else
		text_puts(out, "off");
}

static void put_peer_key(struct text *out, const struct model_peer *peer)
{
	char text[KEY_BASE64_LEN + 1];

	key_to_base64(text, &peer->public_key);
	text_puts(out, text);
}

static void put_preshared_key(struct text *out, const struct model_peer *peer)
{
	put_key(out, &peer->preshared_key);
}

static void put_endpoint(struct text *out, const struct model_peer *peer)
{
	char text[ENDPOINT_TEXT_MAX];

	if (peer->endpoint.sa.sa_family == AF_UNSPEC)
		text_puts(out, "(none)");
	else
		text_puts(out, endpoint_format(text, &peer->endpoint));
}

static void put_prefixes(struct text *out, const struct model_peer *peer, const char *between)
{
	char text[PREFIX_TEXT_MAX];

	if (!peer->allowed_count)
		text_puts(out, "(none)");
	for (size_t i = 0; i < peer->allowed_count; i++) {
		text_puts(out, i ? between : "");
		text_puts(out, prefix_format(text, &peer->allowed[i].prefix));
	}
}

static void put_allowed_ips(struct text *out, const struct model_peer *peer)
{
	put_prefixes(out, peer, " ");
}

static void put_handshake(struct text *out, const struct model_peer *peer)
{
	text_printf(out, "%lld", (long long)peer->handshake_sec);
}

static void put_transfer(struct text *out, const struct model_peer *peer)
{
	text_printf(out, "%llu\t%llu", (unsigned long long)peer->rx_bytes,
		    (unsigned long long)peer->tx_bytes);
}

static void put_keepalive(struct text *out, const struct model_peer *peer)
{
	if (peer->keepalive)
		text_printf(out, "%u", peer->keepalive);
	else
		text_puts(out, "off");
}

/* Printed about the device, else about each peer behind its key; with neither function: the
 * peers' keys alone. */
struct field {
	const char *name;
	void (*device)(struct text *out, const struct model *model);
	void (*peer)(struct text *out, const struct model_peer *peer);
};

static const struct field fields[] = {
	{"public-key", put_public_key, NULL},
	{"private-key", put_private_key, NULL},
	{"listen-port", put_listen_port, NULL},
	{"fwmark", put_fwmark, NULL},
	{"peers", NULL, NULL},
	{"preshared-keys", NULL, put_preshared_key},
	{"endpoints", NULL, put_endpoint},
	{"allowed-ips", NULL, put_allowed_ips},
	{"latest-handshakes", NULL, put_handshake},
	{"transfer", NULL, put_transfer},
	{"persistent-keepalive", NULL, put_keepalive},
};

/* lead: the interface's name and a tab, or "". */
static void put_field(struct text *out, const struct model *model, const struct field *field,
		      const char *lead)
{
	if (field->device) {
		text_puts(out, lead);
		field->device(out, model);
		text_puts(out, "\n");
		return;
	}
	for (size_t i = 0; i < model->peer_count; i++) {
		text_puts(out, lead);
		put_peer_key(out, &model->peers[i]);
		if (field->peer) {
			text_puts(out, "\t");
			field->peer(out, &model->peers[i]);
		}
		text_puts(out, "\n");
	}
}

static void put_dump(struct text *out, const struct model *model, const char *lead)
{
	static void (*const device[])(struct text *, const struct model *) = {
		put_private_key, put_public_key, put_listen_port, put_fwmark};

	for (size_t i = 0; i < sizeof(device) / sizeof(*device); i++) {
		text_puts(out, i ? "\t" : lead);
		device[i](out, model);
	}
	text_puts(out, "\n");
	for (size_t i = 0; i < model->peer_count; i++) {
		const struct model_peer *peer = &model->peers[i];

		text_puts(out, lead);
		put_peer_key(out, peer);
		text_puts(out, "\t");
		put_preshared_key(out, peer);
		text_puts(out, "\t");
		put_endpoint(out, peer);
		text_puts(out, "\t");
		put_prefixes(out, peer, ",");
		text_puts(out, "\t");
		put_handshake(out, peer);
		text_puts(out, "\t");
		put_transfer(out, peer);
		text_puts(out, "\t");
		put_keepalive(out, peer);
		text_puts(out, "\n");
	}
}

static bool is_set(const char *name, const char *value)
{
	const char *is = getenv(name);

	return is && !strcmp(is, value);
}

static void put_pretty(struct text *out, const char *name, const struct model *model)
{
	const struct pretty_style style = {
		.colour = is_set("WG_COLOR_MODE", "always") ||
			  (!is_set("WG_COLOR_MODE", "never") && isatty(STDOUT_FILENO)),
		.hide_keys = !is_set("WG_HIDE_KEYS", "never"),
		.now = time(NULL),
	};

	pretty_print(out, name, model, &style);
}

/* What is asked about one interface; field NULL: all, for people. False: there is no such field. */
static bool put_device(struct text *out, const char *name, const struct model *model,
		       const char *field, bool named)
{
	char lead[IFNAMSIZ + 1] = "";

	if (!field) {
		put_pretty(out, name, model);
		return true;
	}
	if (named)
		strcat(strcpy(lead, name), "\t");
	if (!strcmp(field, "dump")) {
		put_dump(out, model, lead);
		return true;
	}
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		if (strcmp(field, fields[i].name) != 0)
			continue;
		put_field(out, model, &fields[i], lead);
		return true;
	}
	say_plain("Invalid parameter: `%s'", field);
	return false;
}

static const char *reason(int err)
{
	return strerror(err == -ENOENT || err == -ECONNREFUSED ? ENODEV : -err);
}

static enum command_result show_one(const char *name, const char *field)
{
	enum command_result result = COMMAND_FAILED;
	struct model model = MODEL_EMPTY;
	struct text out = TEXT_EMPTY;
	int err = client_get(name, &model, NULL);

	if (err)
		say_plain("Unable to access interface: %s", reason(err));
	else if (!put_device(&out, name, &model, field, false))
		result = COMMAND_USAGE;
	else if (!output_write(&out))
		result = COMMAND_OK;
	model_wipe(&model);
	text_wipe(&out);
	return result;
}

static enum command_result show_all(const char *field)
{
	enum command_result result = COMMAND_OK;
	struct text out = TEXT_EMPTY;
	char (*names)[IFNAMSIZ];
	size_t count, readable = 0;
	int err = client_list(&names, &count);

	if (err)
		say_plain("Unable to list interfaces: %s", strerror(-err));
	for (size_t i = 0; i < count && result == COMMAND_OK; i++) {
		struct model model = MODEL_EMPTY;

		err = client_get(names[i], &model, NULL);
		if (err) {
			say_plain("Unable to access interface %s: %s", names[i], reason(err));
		} else {
			readable++;
			if (!put_device(&out, names[i], &model, field, true))
				result = COMMAND_USAGE;
			else if (!field && i + 1 < count)
				text_puts(&out, "\n");
		}
		model_wipe(&model);
	}
	if (output_write(&out) || (err && !readable))
		result = result == COMMAND_OK ? COMMAND_FAILED : result;
	text_wipe(&out);
	free(names);
	return result;
}

static enum command_result show_interfaces(void)
{
	struct text out = TEXT_EMPTY;
	char (*names)[IFNAMSIZ];
	size_t count;
	int err = client_list(&names, &count);

	if (err)
		say_plain("Unable to list interfaces: %s", strerror(-err));
	for (size_t i = 0; i < count; i++)
		text_printf(&out, "%s%c", names[i], i + 1 < count ? ' ' : '\n');
	if (!err)
		err = output_write(&out);
	text_wipe(&out);
	free(names);
	return err ? COMMAND_FAILED : COMMAND_OK;
}

enum command_result show_run(int argc, char **argv)
{
	const char *field;
	struct args args;

	if (args_parse(&args, argc, argv, 0) || args.count > 2)
		return COMMAND_USAGE;
	field = args.count > 1 ? args.words[1] : NULL;
	if (!args.count || !strcmp(args.words[0], "all"))
		return show_all(field);
	if (strcmp(args.words[0], "interfaces") != 0)
		return show_one(args.words[0], field);
	return field ? COMMAND_USAGE : show_interfaces();
}
