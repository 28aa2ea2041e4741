/* SPDX-License-Identifier: MIT
 * The lines of the userspace configuration protocol ("cross-platform userspace implementation" page
 * of wireguard.com), both ways: an engine parses set lines and writes get lines, a client the
 * reverse. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/endpoint.h"
#include "conf/error.h"
#include "conf/key.h"
#include "conf/model.h"
#include "conf/prefix.h"
#include "conf/text.h"

#define UAPI_LINE_MAX 4096 /* bytes, without the newline */

/* name, kind of value */
#define UAPI_KEYS(X)                                                                               \
	X(PRIVATE_KEY, "private_key", KEY)                                                         \
	X(LISTEN_PORT, "listen_port", PORT)                                                        \
	X(FWMARK, "fwmark", NUMBER32)                                                              \
	X(REPLACE_PEERS, "replace_peers", TRUE)                                                    \
	X(PUBLIC_KEY, "public_key", KEY)                                                           \
	X(REMOVE, "remove", TRUE)                                                                  \
	X(UPDATE_ONLY, "update_only", TRUE)                                                        \
	X(PRESHARED_KEY, "preshared_key", KEY)                                                     \
	X(ENDPOINT, "endpoint", ENDPOINT)                                                          \
	X(KEEPALIVE, "persistent_keepalive_interval", PORT)                                        \
	X(REPLACE_ALLOWED_IPS, "replace_allowed_ips", TRUE)                                        \
	X(ALLOWED_IP, "allowed_ip", ALLOWED_IP)                                                    \
	X(PROTOCOL_VERSION, "protocol_version", NUMBER32)                                          \
	X(HANDSHAKE_SEC, "last_handshake_time_sec", NUMBER64)                                      \
	X(HANDSHAKE_NSEC, "last_handshake_time_nsec", NUMBER64)                                    \
	X(TX_BYTES, "tx_bytes", NUMBER64)                                                          \
	X(RX_BYTES, "rx_bytes", NUMBER64)                                                          \
	X(ERRNO, "errno", ERRNO)

enum uapi_key {
#define UAPI_ENUM(id, name, kind) UAPI_##id,
	UAPI_KEYS(UAPI_ENUM)
#undef UAPI_ENUM
	/* Well-formed, but no key of ours: an engine refuses it, a client passes over it. */
	UAPI_UNKNOWN,
};

struct uapi_line {
	enum uapi_key key;
	union {
		struct key secret; /* KEY: any 32 bytes, all zero allowed */
		uint64_t number;   /* PORT 0-65535, NUMBER32, NUMBER64; TRUE: 1 */
		int64_t code;      /* ERRNO */
		union sockaddr_ip endpoint;
		struct model_allowed allowed; /* "-" in front: MODEL_ALLOWED_REMOVE */
	};
};

/* Parses one line of len bytes, without its newline. 0, -EPROTO (no '=', or longer than
 * UAPI_LINE_MAX), -EINVAL (bad value; line->key says whose). Booleans are exactly "true"; the set
 * side and the get side are not told apart. */
int uapi_parse_line(struct uapi_line *line, const char *text, size_t len);
void uapi_line_wipe(struct uapi_line *line);

/* Writers of one line each, for the engine's get and the client's set. */
void uapi_put_key(struct text *out, enum uapi_key key, const struct key *value);
void uapi_put_number(struct text *out, enum uapi_key key, uint64_t value);
void uapi_put_true(struct text *out, enum uapi_key key);
void uapi_put_endpoint(struct text *out, const union sockaddr_ip *endpoint);
void uapi_put_allowed_ip(struct text *out, const struct model_allowed *allowed);

/* The whole request "set=1 ... \n\n" for the model; endpoints must be resolved. Prefixes are sent
 * masked. */
void uapi_write_set(struct text *out, const struct model *model);

/* A reply to a get, as it comes in. All zero but the model at first. */
struct uapi_reply {
	struct model *model;     /* borrowed; empty at first */
	struct model_peer *peer; /* the last one; NULL before the first */
	unsigned lines;          /* read so far */
	bool done;               /* errno= was read */
	int err;                 /* its value, positive */
};

/* Reads the whole lines of the text; *taken: their bytes. 0: the reply goes on; 1: its empty line
 * was read, and nothing behind it; -EPROTO, -ENOMEM. */
int uapi_reply_read(struct uapi_reply *reply, const char *text, size_t len, size_t *taken);
/* What came of the reply, rc being what was returned last, as uapi_read_get() says it. */
int uapi_reply_end(struct uapi_reply *reply, int rc, struct conf_error *error);
/* Reads the text of a reply to a get (from its first line to the empty line) into an empty model.
 * 0; the engine's own -errno; -EPROTO when the reply cannot be read; -ENOMEM. Fills *error and
 * leaves the model empty unless 0. Keys that are not known are passed over, but for wgengine's
 * drop_REASON if the model wants drops. An endpoint whose scope is no interface here (the engine
 * may live in another network namespace) is in host and port only. */
int uapi_read_get(struct model *model, const char *text, size_t len, struct conf_error *error);
