/* SPDX-License-Identifier: MIT
 * The section and key names of the configuration file, and what to say of any other name. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "conf/error.h"

#define KEYWORD_NAME_MAX 32 /* bytes, with the NUL */

enum keyword_section {
	KEYWORD_NO_SECTION, /* before the first header */
	KEYWORD_INTERFACE,
	KEYWORD_PEER,
};

/* identifier, name, its section */
#define KEYWORD_KEYS(X)                                                                            \
	X(PRIVATE_KEY, "PrivateKey", INTERFACE)                                                    \
	X(LISTEN_PORT, "ListenPort", INTERFACE)                                                    \
	X(FWMARK, "FwMark", INTERFACE)                                                             \
	X(ADDRESS, "Address", INTERFACE)                                                           \
	X(MTU, "MTU", INTERFACE)                                                                   \
	X(DNS, "DNS", INTERFACE)                                                                   \
	X(TABLE, "Table", INTERFACE)                                                               \
	X(PRE_UP, "PreUp", INTERFACE)                                                              \
	X(POST_UP, "PostUp", INTERFACE)                                                            \
	X(PRE_DOWN, "PreDown", INTERFACE)                                                          \
	X(POST_DOWN, "PostDown", INTERFACE)                                                        \
	X(SAVE_CONFIG, "SaveConfig", INTERFACE)                                                    \
	X(PUBLIC_KEY, "PublicKey", PEER)                                                           \
	X(PRESHARED_KEY, "PresharedKey", PEER)                                                     \
	X(ALLOWED_IPS, "AllowedIPs", PEER)                                                         \
	X(ENDPOINT, "Endpoint", PEER)                                                              \
	X(KEEPALIVE, "PersistentKeepalive", PEER)

enum keyword {
#define KEYWORD_ENUM(id, name, section) KEYWORD_##id,
	KEYWORD_KEYS(KEYWORD_ENUM)
#undef KEYWORD_ENUM
	KEYWORD_COUNT,
};

const char *keyword_name(enum keyword key);
const char *keyword_section_name(enum keyword_section section);

/* The names are read whatever their case. false: there is none of that name (in that section). */
bool keyword_find(enum keyword *key, enum keyword_section section, const char *name, size_t len);
bool keyword_find_section(enum keyword_section *section, const char *name, size_t len);

/* A name that was not found, without its white space. */
struct keyword_stray {
	const char *name;
	size_t len;
	enum keyword_section section; /* where it was found */
	bool has_equals, has_value;   /* what followed it on its line */
	unsigned line, column;
};

/* Fills *error with what is wrong and what was probably meant. Whatever might be part of a key that
 * lost its place is not repeated. Returns -EINVAL. */
int keyword_unknown(struct conf_error *error, const struct keyword_stray *stray);
int keyword_unknown_section(struct conf_error *error, const struct keyword_stray *stray);
