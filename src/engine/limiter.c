/* SPDX-License-Identifier: MIT
 * Token buckets in a set-associative table: a source may live in the WAYS places of one set only,
 * so that a look-up is short and nothing is ever allocated. A place goes to another source only
 * when its bucket has long been full again, so nobody gets a token earlier by being forgotten
 * (whitepaper section 5.3). */
#include "engine/limiter.h"

#include <string.h>
#include <sodium.h>

#define WAYS 8
#define COST (SECOND / LIMITER_PER_SECOND)
#define FULL (COST * LIMITER_BURST)
#define FORGET_AFTER SECOND

_Static_assert((LIMITER_SLOTS & (LIMITER_SLOTS - 1)) == 0, "a power of two");
_Static_assert(LIMITER_SLOTS >= WAYS, "one set at least");
_Static_assert(FORGET_AFTER >= FULL, "a forgotten bucket would have been full");
_Static_assert(sizeof(((struct limiter *)NULL)->hash_key) == crypto_shorthash_KEYBYTES, "SipHash");
_Static_assert(crypto_shorthash_BYTES == 8, "SipHash output");

/* 0: neither IPv4 nor IPv6. */
static uint64_t hash_source(const struct limiter *limiter, const union sockaddr_ip *source)
{
	const uint8_t *address;
	uint8_t out[crypto_shorthash_BYTES];
	size_t len;
	uint64_t hash;

	if (source->sa.sa_family == AF_INET) {
		address = (const uint8_t *)&source->in4.sin_addr;
		len = 4;
	} else if (source->sa.sa_family == AF_INET6) {
		address = source->in6.sin6_addr.s6_addr;
		len = 8; /* the /64 */
	} else {
		return 0;
	}
	crypto_shorthash(out, address, len, limiter->hash_key);
	hash = wire_get64(out);
	return hash ? hash : 1; /* 0 marks a free place */
}

/* The source's own place, else a free one, else one that may be forgotten, else NULL. */
static struct limiter_slot *find_slot(struct limiter *limiter, uint64_t source, uint64_t now)
{
	struct limiter_slot *set = &limiter->slots[source % (LIMITER_SLOTS / WAYS) * WAYS];
	struct limiter_slot *vacant = NULL;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].source == source)
			return &set[i];
		if (!vacant && (set[i].source == 0 || now - set[i].updated > FORGET_AFTER))
			vacant = &set[i];
	}
	return vacant;
}

void limiter_init(struct limiter *limiter, const uint8_t hash_key[16])
{
	memset(limiter, 0, sizeof(*limiter));
	memcpy(limiter->hash_key, hash_key, sizeof(limiter->hash_key));
}

bool limiter_allow(struct limiter *limiter, const union sockaddr_ip *source, uint64_t now)
{
	uint64_t hash = hash_source(limiter, source);
	struct limiter_slot *slot;
	uint64_t elapsed;

	if (hash == 0)
		return false;
	slot = find_slot(limiter, hash, now);
	if (!slot)
		return false;
	if (slot->source == hash) {
		elapsed = now - slot->updated;
		if (elapsed > FULL)
			elapsed = FULL;
		slot->tokens += elapsed;
		if (slot->tokens > FULL)
			slot->tokens = FULL;
	} else {
		slot->source = hash;
		slot->tokens = FULL;
	}
	slot->updated = now;
	if (slot->tokens < COST)
		return false;
	slot->tokens -= COST;
	return true;
}
