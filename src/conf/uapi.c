/* SPDX-License-Identifier: MIT
 * The lines of the userspace configuration protocol: parse, write, and the two whole messages that
 * a client needs. Never touches a socket. */
#include "conf/uapi.h"

#include <errno.h>
#include <string.h>
#include <sodium.h>
#include "conf/number.h"

#define ERRNO_MAX 4095 /* the largest that the kernel ever returns */

enum kind {
	KIND_KEY,
	KIND_PORT,
	KIND_NUMBER32,
	KIND_NUMBER64,
	KIND_TRUE,
	KIND_ENDPOINT,
	KIND_ALLOWED_IP,
	KIND_ERRNO,
};

static const struct {
	const char *name;
	size_t len;
	enum kind kind;
} KEYS[] = {
#define UAPI_ROW(id, text, sort)                                                                   \
	[UAPI_##id] = {.name = (text), .len = sizeof(text) - 1, .kind = KIND_##sort},
	UAPI_KEYS(UAPI_ROW)
#undef UAPI_ROW
};

static enum uapi_key find_key(const char *name, size_t len)
{
	for (enum uapi_key key = 0; key < UAPI_UNKNOWN; key++)
		if (len == KEYS[key].len && memcmp(name, KEYS[key].name, len) == 0)
			return key;
	return UAPI_UNKNOWN;
}

static int parse_number32(struct uapi_line *line, const char *text, size_t len)
{
	uint32_t mark;
	int rc;

	/* Clients send decimal; the hexadecimal form is how marks are written everywhere else. */
	if (line->key != UAPI_FWMARK)
		return number_parse(&line->number, text, len, UINT32_MAX);
	rc = number_parse_mark(&mark, text, len);
	if (rc == 0)
		line->number = mark;
	return rc;
}

static int parse_errno(struct uapi_line *line, const char *text, size_t len)
{
	bool negative = len && text[0] == '-';
	uint64_t number;
	int rc;

	rc = number_parse(&number, text + negative, len - negative, INT32_MAX);
	if (rc == 0)
		line->code = negative ? -(int64_t)number : (int64_t)number;
	return rc;
}

static int parse_allowed_ip(struct uapi_line *line, const char *text, size_t len)
{
	struct prefix prefix;
	bool sign = len && (text[0] == '-' || text[0] == '+');
	int rc;

	rc = prefix_parse(&prefix, text + sign, len - sign);
	if (rc < 0)
		return rc;
	line->allowed.prefix = prefix;
	line->allowed.op = text[0] == '-' ? MODEL_ALLOWED_REMOVE : MODEL_ALLOWED_ADD;
	return 0;
}

static int parse_value(struct uapi_line *line, enum kind kind, const char *text, size_t len)
{
	switch (kind) {
	case KIND_KEY:
		return key_from_hex(&line->secret, text, len);
	case KIND_PORT:
		return number_parse(&line->number, text, len, UINT16_MAX);
	case KIND_NUMBER32:
		return parse_number32(line, text, len);
	case KIND_NUMBER64:
		return number_parse(&line->number, text, len, UINT64_MAX);
	case KIND_TRUE:
		line->number = len == 4 && memcmp(text, "true", 4) == 0;
		return line->number ? 0 : -EINVAL;
	case KIND_ENDPOINT:
		return endpoint_parse_numeric(&line->endpoint, text, len);
	case KIND_ALLOWED_IP:
		return parse_allowed_ip(line, text, len);
	case KIND_ERRNO:
		return parse_errno(line, text, len);
	}
	return -EINVAL;
}

int uapi_parse_line(struct uapi_line *line, const char *text, size_t len)
{
	const char *equals = len ? memchr(text, '=', len) : NULL;
	size_t size;

	memset(line, 0, sizeof(*line));
	line->key = UAPI_UNKNOWN;
	if (!equals || len > UAPI_LINE_MAX)
		return -EPROTO;
	size = (size_t)(equals - text);
	line->key = find_key(text, size);
	if (line->key == UAPI_UNKNOWN)
		return 0;
	return parse_value(line, KEYS[line->key].kind, equals + 1, len - size - 1);
}

void uapi_line_wipe(struct uapi_line *line)
{
	if (line->key != UAPI_UNKNOWN && KEYS[line->key].kind == KIND_KEY)
		key_wipe(&line->secret);
	line->key = UAPI_UNKNOWN;
}

static void put_name(struct text *out, enum uapi_key key)
{
	text_append(out, KEYS[key].name, KEYS[key].len);
	text_append(out, "=", 1);
}

void uapi_put_key(struct text *out, enum uapi_key key, const struct key *value)
{
	char hex[KEY_HEX_LEN + 1];

	key_to_hex(hex, value);
	put_name(out, key);
	text_append(out, hex, KEY_HEX_LEN);
	text_append(out, "\n", 1);
	sodium_memzero(hex, sizeof(hex));
}

void uapi_put_number(struct text *out, enum uapi_key key, uint64_t value)
{
	put_name(out, key);
	text_number(out, value);
	text_append(out, "\n", 1);
}

void uapi_put_true(struct text *out, enum uapi_key key)
{
	put_name(out, key);
	text_append(out, "true\n", 5);
}

void uapi_put_endpoint(struct text *out, const union sockaddr_ip *endpoint)
{
	char text[ENDPOINT_TEXT_MAX];

	put_name(out, UAPI_ENDPOINT);
	text_puts(out, endpoint_format(text, endpoint));
	text_append(out, "\n", 1);
}

void uapi_put_allowed_ip(struct text *out, const struct model_allowed *allowed)
{
	struct prefix prefix = allowed->prefix;
	char text[PREFIX_TEXT_MAX];

	prefix_mask(&prefix);
	put_name(out, UAPI_ALLOWED_IP);
	text_puts(out, allowed->op == MODEL_ALLOWED_REMOVE ? "-" : "");
	text_puts(out, prefix_format(text, &prefix));
	text_append(out, "\n", 1);
}

static void write_peer(struct text *out, const struct model_peer *peer)
{
	uapi_put_key(out, UAPI_PUBLIC_KEY, &peer->public_key);
	if (peer->remove)
		uapi_put_true(out, UAPI_REMOVE);
	if (peer->update_only)
		uapi_put_true(out, UAPI_UPDATE_ONLY);
	if (peer->has_preshared_key)
		uapi_put_key(out, UAPI_PRESHARED_KEY, &peer->preshared_key);
	if (peer->endpoint.sa.sa_family != AF_UNSPEC)
		uapi_put_endpoint(out, &peer->endpoint);
	if (peer->has_keepalive)
		uapi_put_number(out, UAPI_KEEPALIVE, peer->keepalive);
	if (peer->replace_allowed)
		uapi_put_true(out, UAPI_REPLACE_ALLOWED_IPS);
	for (size_t i = 0; i < peer->allowed_count; i++)
		uapi_put_allowed_ip(out, &peer->allowed[i]);
}

void uapi_write_set(struct text *out, const struct model *model)
{
	text_puts(out, "set=1\n");
	if (model->has_private_key)
		uapi_put_key(out, UAPI_PRIVATE_KEY, &model->private_key);
	if (model->has_listen_port)
		uapi_put_number(out, UAPI_LISTEN_PORT, model->listen_port);
	if (model->has_fwmark)
		uapi_put_number(out, UAPI_FWMARK, model->fwmark);
	if (model->replace_peers)
		uapi_put_true(out, UAPI_REPLACE_PEERS);
	for (size_t i = 0; i < model->peer_count; i++)
		write_peer(out, &model->peers[i]);
	text_puts(out, "\n");
}

static int reply_device(struct uapi_reply *reply, const struct uapi_line *line)
{
	struct model *model = reply->model;

	switch (line->key) {
	case UAPI_PRIVATE_KEY:
		model->private_key = line->secret;
		model->has_private_key = true;
		return 0;
	case UAPI_LISTEN_PORT:
		model->listen_port = (uint16_t)line->number;
		model->has_listen_port = true;
		return 0;
	case UAPI_FWMARK:
		model->fwmark = (uint32_t)line->number;
		model->has_fwmark = true;
		return 0;
	case UAPI_PUBLIC_KEY:
		reply->peer = model_add_peer(model);
		if (!reply->peer)
			return -ENOMEM;
		reply->peer->public_key = line->secret;
		return 0;
	case UAPI_ERRNO:
		reply->done = true;
		reply->err = (int)(line->code < 0 ? -line->code : line->code);
		return reply->err > ERRNO_MAX ? -EPROTO : 0;
	case UAPI_PRESHARED_KEY:
	case UAPI_ENDPOINT:
	case UAPI_KEEPALIVE:
	case UAPI_ALLOWED_IP:
	case UAPI_HANDSHAKE_SEC:
	case UAPI_HANDSHAKE_NSEC:
	case UAPI_TX_BYTES:
	case UAPI_RX_BYTES:
		return -EPROTO; /* of a peer, before the first one */
	case UAPI_REPLACE_PEERS:
	case UAPI_REMOVE:
	case UAPI_UPDATE_ONLY:
	case UAPI_REPLACE_ALLOWED_IPS:
	case UAPI_PROTOCOL_VERSION:
	case UAPI_UNKNOWN:
		return 0;
	}
	return 0;
}

/* 1: not a line about a peer. */
static int reply_peer(struct model_peer *peer, const struct uapi_line *line)
{
	switch (line->key) {
	case UAPI_PRESHARED_KEY:
		peer->preshared_key = line->secret;
		peer->has_preshared_key = true;
		return 0;
	case UAPI_ENDPOINT:
		peer->endpoint = line->endpoint;
		return 0;
	case UAPI_KEEPALIVE:
		peer->keepalive = (uint16_t)line->number;
		peer->has_keepalive = true;
		return 0;
	case UAPI_ALLOWED_IP:
		return model_peer_add_allowed(peer, &line->allowed.prefix, line->allowed.op);
	case UAPI_HANDSHAKE_SEC:
		peer->handshake_sec = (int64_t)line->number;
		return line->number > INT64_MAX ? -EPROTO : 0;
	case UAPI_HANDSHAKE_NSEC:
		peer->handshake_nsec = (int64_t)line->number;
		return line->number > INT64_MAX ? -EPROTO : 0;
	case UAPI_TX_BYTES:
		peer->tx_bytes = line->number;
		return 0;
	case UAPI_RX_BYTES:
		peer->rx_bytes = line->number;
		return 0;
	case UAPI_PRIVATE_KEY:
	case UAPI_LISTEN_PORT:
	case UAPI_FWMARK:
	case UAPI_REPLACE_PEERS:
	case UAPI_PUBLIC_KEY:
	case UAPI_REMOVE:
	case UAPI_UPDATE_ONLY:
	case UAPI_REPLACE_ALLOWED_IPS:
	case UAPI_PROTOCOL_VERSION:
	case UAPI_ERRNO:
	case UAPI_UNKNOWN:
		return 1;
	}
	return 1;
}

/* The scope of an endpoint may be an interface that only the engine sees, in its own network
 * namespace: kept as text then. */
static int reply_endpoint(struct model_peer *peer, const char *text, size_t len)
{
	char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX];
	size_t skip = KEYS[UAPI_ENDPOINT].len + 1;

	if (endpoint_split(host, port, text + skip, len - skip, NULL) < 0 || !strchr(host, '%'))
		return -EPROTO;
	return model_peer_set_host(peer, host, port);
}

/* A key that only wgengine has: drop_REASON=COUNT. A client passes over what it does not know. */
static int reply_unknown(struct uapi_reply *reply, const char *text, size_t len)
{
	static const char prefix[] = "drop_";
	const size_t skip = sizeof(prefix) - 1;
	const char *equals = memchr(text, '=', len);
	uint64_t count;

	if (!reply->model->wants_drops || len < skip || memcmp(text, prefix, skip) != 0 ||
	    number_parse(&count, equals + 1, len - (size_t)(equals + 1 - text), UINT64_MAX) < 0)
		return 0;
	return model_drops_set(reply->peer ? &reply->peer->drops : &reply->model->drops,
			       text + skip, (size_t)(equals - text) - skip, count);
}

static int reply_line(struct uapi_reply *reply, const char *text, size_t len)
{
	struct uapi_line line;
	int rc;

	rc = uapi_parse_line(&line, text, len);
	if (rc == 0 && line.key == UAPI_UNKNOWN)
		rc = reply_unknown(reply, text, len);
	else if (rc == 0)
		rc = reply->peer ? reply_peer(reply->peer, &line) : 1;
	else if (rc == -EINVAL && line.key == UAPI_ENDPOINT && reply->peer)
		rc = reply_endpoint(reply->peer, text, len);
	if (rc == 1)
		rc = reply_device(reply, &line);
	uapi_line_wipe(&line);
	return rc;
}

int uapi_reply_read(struct uapi_reply *reply, const char *text, size_t len, size_t *taken)
{
	const char *at = text, *end;
	int rc = 0;

	while (!rc && (end = len ? memchr(at, '\n', len) : NULL)) {
		size_t size = (size_t)(end - at);

		reply->lines++;
		rc = size ? reply_line(reply, at, size) : 1;
		at += size + 1;
		len -= size + 1;
	}
	*taken = (size_t)(at - text);
	return rc;
}

int uapi_reply_end(struct uapi_reply *reply, int rc, struct conf_error *error)
{
	if (rc == -ENOMEM)
		conf_error_set(error, ENOMEM, reply->lines, 0, "out of memory");
	else if (rc < 0)
		rc = conf_error_set(
			error, EPROTO, reply->lines, 0,
			"the engine's reply cannot be read: unexpected or malformed line");
	else if (!reply->done)
		rc = conf_error_set(error, EPROTO, reply->lines, 0,
				    "the engine's reply ends without 'errno='");
	else if (reply->err) {
		errno = reply->err;
		rc = conf_error_set(error, reply->err, 0, 0, "the engine answered: %m");
	} else {
		rc = 0;
	}
	if (rc < 0)
		model_wipe(reply->model);
	return rc;
}

int uapi_read_get(struct model *model, const char *text, size_t len, struct conf_error *error)
{
	struct uapi_reply reply = {.model = model};
	size_t taken;
	int rc = uapi_reply_read(&reply, text, len, &taken);

	if (!rc && taken < len)
		reply.lines++; /* one without an end */
	return uapi_reply_end(&reply, rc, error);
}
