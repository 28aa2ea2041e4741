/* SPDX-License-Identifier: MIT
 * The one model of a device with its peers: what a configuration file asks for, what a UAPI set
 * sends and what a UAPI get reports. Holds keys: model_wipe() before it goes out of scope. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/endpoint.h"
#include "conf/key.h"
#include "conf/prefix.h"

enum model_allowed_op {
	MODEL_ALLOWED_ADD,    /* plain, or "+10.0.0.0/8" */
	MODEL_ALLOWED_REMOVE, /* "-10.0.0.0/8" */
	/* "!10.0.0.0/8": taken out of what the list adds. No engine knows it: exclude_apply(). */
	MODEL_ALLOWED_EXCLUDE,
};

struct model_allowed {
	struct prefix prefix; /* host bits as written */
	enum model_allowed_op op;
};

#define MODEL_DROP_MAX 32  /* bytes of a reason, with the NUL */
#define MODEL_DROPS_MAX 64 /* reasons; an engine's further ones are passed over */

/* Packets that an engine dropped for a reason. */
struct model_drop {
	char reason[MODEL_DROP_MAX]; /* lower-case letters, digits and _ */
	uint64_t packets;
};

struct model_drops {
	struct model_drop *items; /* owned; each reason once */
	size_t count;
};

struct model_peer {
	struct key public_key;
	struct key preshared_key; /* all zero: none */
	bool has_preshared_key;   /* the key was given (also when zero) */
	bool has_keepalive;
	bool replace_allowed; /* the list replaces what the peer has; off where + or - is used */
	bool remove;
	bool update_only;
	uint16_t keepalive; /* seconds; 0: off */
	char *name;         /* as in conf/name.h; NULL: none; owned */
	char *host; /* the endpoint as the file names it, without brackets; NULL: none; owned */
	char *port; /* a number or a service name; owned */
	union sockaddr_ip endpoint;    /* numeric; AF_UNSPEC: none, or host is not resolved yet */
	struct model_allowed *allowed; /* owned */
	size_t allowed_count, allowed_size;
	int64_t handshake_sec; /* since the epoch; 0: never */
	int64_t handshake_nsec;
	uint64_t rx_bytes, tx_bytes;
	struct model_drops drops;
	unsigned line; /* of the [Peer] header in the file; 0: not from a file */
};

struct model {
	struct key private_key; /* all zero: none */
	bool has_private_key;   /* was given (also when zero) */
	bool has_listen_port;
	bool has_fwmark;
	bool replace_peers;
	uint16_t listen_port;     /* 0: any free port */
	uint32_t fwmark;          /* 0: off */
	bool wants_drops;         /* set before an engine is asked: for they take time */
	struct model_drops drops; /* of all peers, and of packets that were no peer's */
	struct model_peer *peers; /* owned, in the order given */
	size_t peer_count, peer_size;
};

#define MODEL_EMPTY                                                                                \
	{                                                                                          \
		0                                                                                  \
	}

/* A new zeroed peer at the end, or NULL (ENOMEM). The pointer holds until the next call. */
struct model_peer *model_add_peer(struct model *model);
/* The last of the peers; there must be one. */
struct model_peer *model_last_peer(const struct model *model);
/* Copies name, which replaces another. 0 or -ENOMEM. */
int model_peer_set_name(struct model_peer *peer, const char *name);
/* 0 or -ENOMEM. */
int model_peer_add_allowed(struct model_peer *peer, const struct prefix *prefix,
			   enum model_allowed_op op);
/* The endpoint as the file names it, in the place of another. Copies both. 0 or -ENOMEM. */
int model_peer_set_host(struct model_peer *peer, const char *host, const char *port);
/* The count of a reason, instead of an earlier one; what is no reason is passed over. 0 or -ENOMEM.
 */
int model_drops_set(struct model_drops *drops, const char *reason, size_t len, uint64_t packets);
/* Wipes the keys, frees all; *model is empty again. */
void model_wipe(struct model *model);

/* Peers by their public keys, which are no secret; those of one key in the model's order. */
struct model_index {
	const struct model_peer *
		*peers; /* for the caller to free(); they hold until peers are added */
	size_t count;
};

/* 0 or -ENOMEM: the index is empty then. */
int model_index_build(struct model_index *index, const struct model *model);
/* A peer with the key, or NULL. */
const struct model_peer *model_index_find(const struct model_index *index, const struct key *key);
