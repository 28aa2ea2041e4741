/* SPDX-License-Identifier: MIT
 * Cryptokey routing (whitepaper section 2): the longest prefix that holds an address names its
 * owner. A path-compressed binary trie for each family. A prefix has one owner; inserting it again
 * moves it. Not thread-safe: the device's table lock guards it. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "conf/prefix.h"

struct allowedips_node;

/* Embedded in whoever owns prefixes (a peer); zeroed: owns none. */
struct allowedips_owner {
	struct allowedips_node *first, *last; /* in the order of insertion */
	size_t count;
};

struct allowedips {
	struct allowedips_node *root4, *root6;
};

#define ALLOWEDIPS_EMPTY                                                                           \
	{                                                                                          \
		0                                                                                  \
	}

/* Host bits are masked. An owner that has the prefix already keeps it at its place; from any other
 * it is taken. 0, -EINVAL (longer than the family allows) or -ENOMEM; then nothing changed. */
int allowedips_insert(struct allowedips *table, const struct prefix *prefix,
		      struct allowedips_owner *owner);
/* Removes the prefix if it is this owner's; nothing otherwise. */
void allowedips_remove(struct allowedips *table, const struct prefix *prefix,
		       struct allowedips_owner *owner);
void allowedips_remove_owner(struct allowedips *table, struct allowedips_owner *owner);
/* addr: 4 or 16 bytes, network order, any alignment. NULL: no prefix holds it. */
struct allowedips_owner *allowedips_lookup4(const struct allowedips *table, const uint8_t addr[4]);
struct allowedips_owner *allowedips_lookup6(const struct allowedips *table, const uint8_t addr[16]);
/* Walks an owner's prefixes: first with node NULL, then with what it returned, until NULL. */
const struct allowedips_node *allowedips_next(const struct allowedips_owner *owner,
					      const struct allowedips_node *node,
					      struct prefix *prefix);
/* Frees all nodes; every owner must be forgotten or re-zeroed. */
void allowedips_free(struct allowedips *table);
