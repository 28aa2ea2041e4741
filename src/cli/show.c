/* SPDX-License-Identifier: MIT
 * Live state, in the words, the fields and with the exit codes of `wg show` (wg(8)), so that
 * scripts can call either. Compared with the wg of wireguard-tools 1.0.20260223. */
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sodium.h>
#include "cli/access.h"
#include "cli/args.h"
#include "cli/device.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/peername.h"
#include "cli/pretty.h"
#include "cli/say.h"
#include "cli/self.h"
#include "cli/show_json.h"
#include "conf/model.h"
#include "conf/text.h"

#define FIELD_NAMES "names" /* not one of wg(8)'s */

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
	text_number(out, model->listen_port);
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
	text_number(out, (uint64_t)peer->handshake_sec);
}

static void put_transfer(struct text *out, const struct model_peer *peer)
{
	text_number(out, peer->rx_bytes);
	text_puts(out, "\t");
	text_number(out, peer->tx_bytes);
}

static void put_keepalive(struct text *out, const struct model_peer *peer)
{
	if (peer->keepalive)
		text_number(out, peer->keepalive);
	else
		text_puts(out, "off");
}

static void put_name(struct text *out, const struct model_peer *peer)
{
	text_puts(out, peer->name ? peer->name : "(none)");
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
	{FIELD_NAMES, NULL, put_name},
};

#define FIELDS (sizeof(fields) / sizeof(*fields))

const char *show_field(size_t i, bool as_wg)
{
	size_t count = as_wg ? FIELDS - 1 : FIELDS; /* without the last, FIELD_NAMES */

	if (i < count)
		return fields[i].name;
	return i == count ? "dump" : NULL;
}

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

/* What the words ask for. */
struct question {
	const char *field; /* NULL: all, for people */
	bool named;        /* about each of several: name it */
	bool json;
};

/* False, said: there is no such field. Asked only of an interface that answers, as wg(8) does. */
static bool is_field(const char *field)
{
	const char *known;

	if (!field)
		return true;
	for (size_t i = 0; (known = show_field(i, self_is_wg())); i++)
		if (!strcmp(field, known))
			return true;
	say_plain("Invalid parameter: `%s'", field);
	return false;
}

/* Asks for names only where they are shown. */
static void fill_names(const char *name, struct model *model, const struct question *question)
{
	const char *field = question->field;

	if (!field || !strcmp(field, FIELD_NAMES) || (question->json && !strcmp(field, "dump")))
		peername_fill(name, model);
}

static void put_text(struct text *out, const char *name, const struct model *model,
		     const struct question *question)
{
	char lead[IFNAMSIZ + 1] = "";

	if (!question->field) {
		put_pretty(out, name, model);
		return;
	}
	if (question->named)
		strcat(strcpy(lead, name), "\t");
	if (!strcmp(question->field, "dump"))
		put_dump(out, model, lead);
	for (size_t i = 0; i < FIELDS; i++)
		if (!strcmp(question->field, fields[i].name))
			put_field(out, model, &fields[i], lead);
}

static void put_device(struct json *json, const char *name, struct model *model,
		       const struct question *question)
{
	fill_names(name, model, question);
	if (question->json)
		show_json_device(json, name, model, question->field,
				 is_set("WG_HIDE_KEYS", "never"));
	else
		put_text(json->out, name, model, question);
}

/* Around the devices. */
static void put_begin(struct json *json, const struct question *question)
{
	if (!question->json)
		return;
	json_open(json, NULL, '{');
	json_open(json, "interfaces", '[');
}

static int put_end(struct json *json, const struct question *question)
{
	if (question->json) {
		json_close(json, ']');
		json_close(json, '}');
		text_puts(json->out, "\n");
	}
	return output_finish(json->out);
}

static enum command_result show_one(const char *name, const struct question *question)
{
	struct model model = MODEL_EMPTY;
	int write_err = 0;
	struct text out = OUTPUT_TEXT(&write_err);
	struct json json = {.out = &out};
	enum command_result result = COMMAND_FAILED;
	int err = access_get(name, &model);

	if (!err && !is_field(question->field)) {
		result = COMMAND_USAGE;
	} else if (!err) {
		put_begin(&json, question);
		put_device(&json, name, &model, question);
		if (!put_end(&json, question))
			result = COMMAND_OK;
	}
	model_wipe(&model);
	text_wipe(&out);
	return result;
}

static enum command_result show_all(const struct question *question)
{
	enum command_result result = COMMAND_OK;
	int write_err = 0;
	struct text out = OUTPUT_TEXT(&write_err);
	struct json json = {.out = &out};
	char(*names)[IFNAMSIZ];
	size_t count, readable = 0;
	int err = device_list(&names, &count);

	if (err)
		say_plain("Unable to list interfaces: %s", strerror(-err));
	put_begin(&json, question);
	for (size_t i = 0; i < count && result == COMMAND_OK; i++) {
		struct model model = MODEL_EMPTY;

		err = access_get_named(names[i], &model);
		if (!err && !is_field(question->field)) {
			result = COMMAND_USAGE;
		} else if (!err) {
			readable++;
			put_device(&json, names[i], &model, question);
			if (!question->field && !question->json && i + 1 < count)
				text_puts(&out, "\n");
		}
		model_wipe(&model);
	}
	if (result == COMMAND_OK && (put_end(&json, question) || (err && !readable)))
		result = COMMAND_FAILED;
	text_wipe(&out);
	free(names);
	return result;
}

static enum command_result show_interfaces(const struct question *question)
{
	int write_err = 0;
	struct text out = OUTPUT_TEXT(&write_err);
	struct json json = {.out = &out};
	char(*names)[IFNAMSIZ];
	size_t count;
	int err = device_list(&names, &count);

	if (err)
		say_plain("Unable to list interfaces: %s", strerror(-err));
	put_begin(&json, question);
	for (size_t i = 0; i < count; i++) {
		if (!question->json) {
			text_printf(&out, "%s%c", names[i], i + 1 < count ? ' ' : '\n');
			continue;
		}
		json_open(&json, NULL, '{');
		json_string(&json, "name", names[i]);
		json_close(&json, '}');
	}
	if (!err)
		err = put_end(&json, question);
	text_wipe(&out);
	free(names);
	return err ? COMMAND_FAILED : COMMAND_OK;
}

enum command_result show_run(int argc, char **argv)
{
	struct question question = {0};
	struct args args;

	if (args_parse(&args, argc, argv, ARGS_JSON) || args.count > 2)
		return COMMAND_USAGE;
	question.json = args.json;
	question.named = !args.count || !strcmp(args.words[0], "all");
	question.field = args.count > 1 ? args.words[1] : NULL;
	if (args.count && !strcmp(args.words[0], "interfaces"))
		return question.field ? COMMAND_USAGE : show_interfaces(&question);
	return question.named ? show_all(&question) : show_one(args.words[0], &question);
}
