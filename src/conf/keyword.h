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

/* Whose key it is. wgctl's own may also stand behind "#wgctl:", where other tools pass over them.
 */
enum keyword_origin {
	KEYWORD_OF_WG,
	KEYWORD_OF_QUICK,
	KEYWORD_OF_WGCTL,
};

/* identifier, name, its section, whose it is */
#define KEYWORD_KEYS(X)                                                                            \
	X(PRIVATE_KEY, "PrivateKey", INTERFACE, WG)                                                \
	X(LISTEN_PORT, "ListenPort", INTERFACE, WG)                                                \
	X(FWMARK, "FwMark", INTERFACE, WG)                                                         \
	X(ADDRESS, "Address", INTERFACE, QUICK)                                                    \
	X(MTU, "MTU", INTERFACE, QUICK)                                                            \
	X(DNS, "DNS", INTERFACE, QUICK)                                                            \
	X(TABLE, "Table", INTERFACE, QUICK)                                                        \
	X(PRE_UP, "PreUp", INTERFACE, QUICK)                                                       \
	X(POST_UP, "PostUp", INTERFACE, QUICK)                                                     \
	X(PRE_DOWN, "PreDown", INTERFACE, QUICK)                                                   \
	X(POST_DOWN, "PostDown", INTERFACE, QUICK)                                                 \
	X(SAVE_CONFIG, "SaveConfig", INTERFACE, QUICK)                                             \
	X(PRIVATE_KEY_FILE, "PrivateKeyFile", INTERFACE, WGCTL)                                    \
	X(KILL_SWITCH, "KillSwitch", INTERFACE, WGCTL)                                             \
	X(PUBLIC_KEY, "PublicKey", PEER, WG)                                                       \
	X(PRESHARED_KEY, "PresharedKey", PEER, WG)                                                 \
	X(ALLOWED_IPS, "AllowedIPs", PEER, WG)                                                     \
	X(ENDPOINT, "Endpoint", PEER, WG)                                                          \
	X(KEEPALIVE, "PersistentKeepalive", PEER, WG)                                              \
	X(NAME, "Name", PEER, WGCTL)                                                               \
	X(PRESHARED_KEY_FILE, "PresharedKeyFile", PEER, WGCTL)

enum keyword {
#define KEYWORD_ENUM(id, name, section, origin) KEYWORD_##id,
	KEYWORD_KEYS(KEYWORD_ENUM)
#undef KEYWORD_ENUM
		KEYWORD_COUNT,
};

const char *keyword_name(enum keyword key);
enum keyword_origin keyword_origin(enum keyword key);
/* Whether nothing may be the value: wg-quick(8)'s lists and commands, of which none are meant. */
bool keyword_may_be_empty(enum keyword key);
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
	bool is_comment;              /* it stands behind "#wgctl:" */
	unsigned line, column;
};

/* Fills *error with what is wrong and what was probably meant. Whatever might be part of a key that
 * lost its place is not repeated. Returns -EINVAL. */
int keyword_unknown(struct conf_error *error, const struct keyword_stray *stray);
/* A key that is not wgctl's own, behind "#wgctl:". */
int keyword_misplaced(struct conf_error *error, const struct keyword_stray *stray,
		      enum keyword key);
int keyword_unknown_section(struct conf_error *error, const struct keyword_stray *stray);
