/* SPDX-License-Identifier: MIT
 * The schema in the header: names and types are never changed, only added to. */
#include "cli/show_json.h"

#include <stddef.h>
#include <string.h>
#include <sodium.h>
#include "cli/json.h"
#include "conf/model.h"

struct request {
	struct json *json;
	const char *field; /* NULL: all */
	bool reveal;
};

static bool wants(const struct request *request, const char *field)
{
	return !request->field || !strcmp(request->field, field);
}

static void put_key(struct json *json, const char *name, const struct key *key, bool reveal)
{
	char text[KEY_BASE64_LEN + 1];

	key_to_base64(text, key);
	json_string(json, name, reveal && !key_is_zero(key) ? text : NULL);
	sodium_memzero(text, sizeof(text));
}

static void put_public_key(struct json *json, const struct model *model)
{
	struct key public = {0};

	if (!key_is_zero(&model->private_key))
		key_derive_public(&public, &model->private_key);
	put_key(json, "public_key", &public, true);
}

static void put_allowed_ips(struct json *json, const struct model_peer *peer)
{
	char text[PREFIX_TEXT_MAX];

	json_open(json, "allowed_ips", '[');
	for (size_t i = 0; i < peer->allowed_count; i++)
		json_string(json, NULL, prefix_format(text, &peer->allowed[i].prefix));
	json_close(json, ']');
}

static void put_endpoint(struct json *json, const struct model_peer *peer)
{
	char text[ENDPOINT_TEXT_MAX];
	bool known = peer->endpoint.sa.sa_family != AF_UNSPEC;

	json_string(json, "endpoint", known ? endpoint_format(text, &peer->endpoint) : NULL);
}

static void put_handshake(struct json *json, const struct model_peer *peer)
{
	json_number_if(json, "latest_handshake", peer->handshake_sec > 0,
		       (uint64_t)peer->handshake_sec);
}

static void open_peer(struct json *json, const struct model_peer *peer)
{
	char text[KEY_BASE64_LEN + 1];

	key_to_base64(text, &peer->public_key);
	json_open(json, NULL, '{');
	json_string(json, "public_key", text);
}

void show_json_open_peer(struct json *json, const struct model_peer *peer)
{
	open_peer(json, peer);
	json_string(json, "name", peer->name);
	put_endpoint(json, peer);
	put_handshake(json, peer);
}

static void put_peer(const struct request *request, const struct model_peer *peer)
{
	struct json *json = request->json;

	open_peer(json, peer);
	if (wants(request, "names"))
		json_string(json, "name", peer->name);
	if (wants(request, "preshared-keys")) {
		put_key(json, "preshared_key", &peer->preshared_key, request->reveal);
		json_bool(json, "has_preshared_key", !key_is_zero(&peer->preshared_key));
	}
	if (wants(request, "endpoints"))
		put_endpoint(json, peer);
	if (wants(request, "allowed-ips"))
		put_allowed_ips(json, peer);
	if (wants(request, "latest-handshakes"))
		put_handshake(json, peer);
	if (wants(request, "transfer")) {
		json_number(json, "rx_bytes", peer->rx_bytes);
		json_number(json, "tx_bytes", peer->tx_bytes);
	}
	if (wants(request, "persistent-keepalive"))
		json_number(json, "persistent_keepalive", peer->keepalive);
	json_close(json, '}');
}

/* Whether the field is one of the device alone. */
static bool is_scalar(const char *field)
{
	return field && (!strcmp(field, "public-key") || !strcmp(field, "private-key") ||
			 !strcmp(field, "listen-port") || !strcmp(field, "fwmark"));
}

void show_json_device(struct json *json, const char *name, const struct model *model,
		      const char *field, bool reveal)
{
	const bool dump = field && !strcmp(field, "dump");
	const struct request request = {
		.json = json,
		.field = dump ? NULL : field,
		.reveal = reveal || field,
	};

	json_open(json, NULL, '{');
	json_string(json, "name", name);
	if (wants(&request, "public-key"))
		put_public_key(json, model);
	if (wants(&request, "private-key")) {
		put_key(json, "private_key", &model->private_key, request.reveal);
		json_bool(json, "has_private_key", !key_is_zero(&model->private_key));
	}
	if (wants(&request, "listen-port"))
		json_number_if(json, "listen_port", model->listen_port, model->listen_port);
	if (wants(&request, "fwmark"))
		json_number(json, "fwmark", model->fwmark);
	if (!is_scalar(request.field)) {
		json_open(json, "peers", '[');
		for (size_t i = 0; i < model->peer_count; i++)
			put_peer(&request, &model->peers[i]);
		json_close(json, ']');
	}
	json_close(json, '}');
}
