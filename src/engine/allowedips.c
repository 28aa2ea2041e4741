/* SPDX-License-Identifier: MIT
 * Cryptokey routing (whitepaper section 2): one path-compressed binary trie for each family. A node
 * stands for a prefix; its children are longer prefixes within it, told apart by the first bit
 * after it. A node without an owner is a branch, which exists only while it has two children, so n
 * prefixes make at most 2n - 1 nodes. It never looks at the owners beyond the list that they embed.
 * */
#include "engine/allowedips.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WORD_BITS 32
#define WORDS4 1
#define WORDS6 4

struct allowedips_node {
	struct allowedips_node *child[2];
	struct allowedips_node *parent;
	struct allowedips_owner *owner;      /* NULL: a branch */
	struct allowedips_node *prev, *next; /* in the owner's list */
	uint8_t cidr;
	uint8_t words;   /* of bits: WORDS4 or WORDS6 */
	uint32_t bits[]; /* in host order, the first bit is the highest; zero from cidr on */
};

static void load_bits(uint32_t *bits, const uint8_t *bytes, unsigned words)
{
	memcpy(bits, bytes, words * sizeof(*bits));
	for (unsigned i = 0; i < words; i++)
		bits[i] = be32toh(bits[i]);
}

static void mask_bits(uint32_t *bits, unsigned words, unsigned cidr)
{
	unsigned whole = cidr / WORD_BITS, rest = cidr % WORD_BITS;

	if (rest != 0) {
		bits[whole] &= UINT32_MAX << (WORD_BITS - rest);
		whole++;
	}
	for (unsigned i = whole; i < words; i++)
		bits[i] = 0;
}

/* How many bits at the start are the same, limit at most. */
static inline unsigned common_bits(const uint32_t *a, const uint32_t *b, unsigned limit)
{
	for (unsigned at = 0; at < limit; at += WORD_BITS) {
		uint32_t differing = a[at / WORD_BITS] ^ b[at / WORD_BITS];

		if (differing != 0) {
			at += (unsigned)__builtin_clz(differing);
			return at < limit ? at : limit;
		}
	}
	return limit;
}

static inline unsigned bit_at(const uint32_t *bits, unsigned at)
{
	return bits[at / WORD_BITS] >> (WORD_BITS - 1 - at % WORD_BITS) & 1;
}

/* With the host bits, which nobody looks at. Returns the number of words; 0: no such prefix. */
static unsigned prefix_bits(uint32_t bits[WORDS6], const struct prefix *prefix)
{
	unsigned words = prefix->family == AF_INET ? WORDS4 : WORDS6;

	if (prefix->cidr > words * WORD_BITS)
		return 0;
	load_bits(bits, prefix->addr, words);
	return words;
}

static struct allowedips_node **root_of(struct allowedips *table, unsigned words)
{
	return words == WORDS4 ? &table->root4 : &table->root6;
}

static struct allowedips_node *new_node(const uint32_t *bits, unsigned words, unsigned cidr)
{
	struct allowedips_node *node;

	node = calloc(1, offsetof(struct allowedips_node, bits) + words * sizeof(*bits));
	if (!node)
		return NULL;
	node->cidr = (uint8_t)cidr;
	node->words = (uint8_t)words;
	memcpy(node->bits, bits, words * sizeof(*bits));
	mask_bits(node->bits, words, cidr);
	return node;
}

/* Puts child (NULL: nothing) where old hangs. */
static void replace(struct allowedips *table, struct allowedips_node *old,
		    struct allowedips_node *child)
{
	struct allowedips_node *parent = old->parent;

	if (!parent)
		*root_of(table, old->words) = child;
	else
		parent->child[parent->child[1] == old] = child;
	if (child)
		child->parent = parent;
}

/* Hangs child, which is longer, below parent. */
static void adopt(struct allowedips_node *parent, struct allowedips_node *child)
{
	parent->child[bit_at(child->bits, parent->cidr)] = child;
	child->parent = parent;
}

static void disown(struct allowedips_node *node)
{
	struct allowedips_owner *owner = node->owner;

	*(node->prev ? &node->prev->next : &owner->first) = node->next;
	*(node->next ? &node->next->prev : &owner->last) = node->prev;
	owner->count--;
	node->owner = NULL;
	node->prev = node->next = NULL;
}

/* An owner that has it already keeps it at its place in the list. */
static void give(struct allowedips_node *node, struct allowedips_owner *owner)
{
	if (node->owner == owner)
		return;
	if (node->owner)
		disown(node);
	node->owner = owner;
	node->prev = owner->last;
	*(owner->last ? &owner->last->next : &owner->first) = node;
	owner->last = node;
	owner->count++;
}

/* The last node on the way to a prefix whose own prefix holds it; NULL: not even the root does. */
static struct allowedips_node *closest(struct allowedips_node *node, const uint32_t *bits,
				       unsigned cidr)
{
	struct allowedips_node *found = NULL;

	while (node && node->cidr <= cidr &&
	       common_bits(node->bits, bits, node->cidr) == node->cidr) {
		found = node;
		if (node->cidr == cidr)
			break;
		node = node->child[bit_at(bits, node->cidr)];
	}
	return found;
}

int allowedips_insert(struct allowedips *table, const struct prefix *prefix,
		      struct allowedips_owner *owner)
{
	struct allowedips_node *parent, *fresh, *rival, *branch;
	uint32_t bits[WORDS6];
	unsigned words = prefix_bits(bits, prefix), shared;

	if (words == 0)
		return -EINVAL;
	parent = closest(*root_of(table, words), bits, prefix->cidr);
	if (parent && parent->cidr == prefix->cidr) {
		give(parent, owner);
		return 0;
	}
	fresh = new_node(bits, words, prefix->cidr);
	if (!fresh)
		return -ENOMEM;
	rival = parent ? parent->child[bit_at(bits, parent->cidr)] : *root_of(table, words);
	if (!rival) {
		if (!parent)
			*root_of(table, words) = fresh;
		else
			adopt(parent, fresh);
		give(fresh, owner);
		return 0;
	}
	shared = common_bits(rival->bits, bits,
			     rival->cidr < prefix->cidr ? rival->cidr : prefix->cidr);
	if (shared == prefix->cidr) {
		replace(table, rival, fresh);
		adopt(fresh, rival);
		give(fresh, owner);
		return 0;
	}
	branch = new_node(bits, words, shared);
	if (!branch) {
		free(fresh);
		return -ENOMEM;
	}
	replace(table, rival, branch);
	adopt(branch, rival);
	adopt(branch, fresh);
	give(fresh, owner);
	return 0;
}

/* Takes a node from its owner and out of the trie, as far as it is not needed as a branch. */
static void drop(struct allowedips *table, struct allowedips_node *node)
{
	struct allowedips_node *parent = node->parent, *child;

	disown(node);
	if (node->child[0] && node->child[1])
		return;
	child = node->child[!node->child[0]];
	replace(table, node, child);
	free(node);
	/* The parent lost a child: a branch has but one left, and goes too. */
	if (!child && parent && !parent->owner) {
		replace(table, parent, parent->child[!parent->child[0]]);
		free(parent);
	}
}

void allowedips_remove(struct allowedips *table, const struct prefix *prefix,
		       struct allowedips_owner *owner)
{
	struct allowedips_node *node;
	uint32_t bits[WORDS6];
	unsigned words = prefix_bits(bits, prefix);

	if (words == 0)
		return;
	node = closest(*root_of(table, words), bits, prefix->cidr);
	if (node && node->cidr == prefix->cidr && node->owner == owner)
		drop(table, node);
}

void allowedips_remove_owner(struct allowedips *table, struct allowedips_owner *owner)
{
	struct allowedips_node *next;

	/* Dropping a node frees it and branches, never another that has an owner. */
	for (struct allowedips_node *node = owner->first; node; node = next) {
		next = node->next;
		drop(table, node);
	}
}

static inline struct allowedips_owner *lookup(const struct allowedips_node *node,
					      const uint8_t *addr, unsigned words)
{
	struct allowedips_owner *owner = NULL;
	uint32_t bits[WORDS6];

	load_bits(bits, addr, words);
	while (node && common_bits(node->bits, bits, node->cidr) == node->cidr) {
		if (node->owner)
			owner = node->owner;
		if (node->cidr == words * WORD_BITS)
			break;
		node = node->child[bit_at(bits, node->cidr)];
	}
	return owner;
}

struct allowedips_owner *allowedips_lookup4(const struct allowedips *table, const uint8_t addr[4])
{
	return lookup(table->root4, addr, WORDS4);
}

struct allowedips_owner *allowedips_lookup6(const struct allowedips *table, const uint8_t addr[16])
{
	return lookup(table->root6, addr, WORDS6);
}

const struct allowedips_node *allowedips_next(const struct allowedips_owner *owner,
					      const struct allowedips_node *node,
					      struct prefix *prefix)
{
	node = node ? node->next : owner->first;
	if (!node)
		return NULL;
	memset(prefix, 0, sizeof(*prefix));
	prefix->family = node->words == WORDS4 ? AF_INET : AF_INET6;
	prefix->cidr = node->cidr;
	for (unsigned i = 0; i < node->words; i++) {
		uint32_t word = htobe32(node->bits[i]);

		memcpy(prefix->addr + i * sizeof(word), &word, sizeof(word));
	}
	return node;
}

/* Leaves first, by way of the parents: no recursion. */
static void free_trie(struct allowedips_node *node)
{
	struct allowedips_node *parent;

	while (node) {
		if (node->child[0] || node->child[1]) {
			node = node->child[!node->child[0]];
			continue;
		}
		parent = node->parent;
		if (parent)
			parent->child[parent->child[1] == node] = NULL;
		free(node);
		node = parent;
	}
}

void allowedips_free(struct allowedips *table)
{
	free_trie(table->root4);
	free_trie(table->root6);
	table->root4 = table->root6 = NULL;
}
