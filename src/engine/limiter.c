/* SPDX-License-Identifier: MIT
 * Token buckets in a set-associative table: a source may live in the WAYS places of one set only,
 * so that a look-up is short and nothing is ever allocated. A place goes to another source as soon
 * as its bucket is full again and no earlier, so nobody gains by being forgotten, and filling the
 * table takes LIMITER_SLOTS handshakes within COST (whitepaper section 5.3). */
#include "engine/limiter.h"

#include <string.h>
#include <sodium.h>

#define WAYS 8
#define COST (SECOND / LIMITER_PER_SECOND)
#define FULL (COST * LIMITER_BURST)

_Static_assert((LIMITER_SLOTS & (LIMITER_SLOTS - 1)) == 0, "a power of two");
_Static_assert(LIMITER_SLOTS >= WAYS, "one set at least");
_Static_assert(sizeof(((struct limiter *)NULL)->hash_key) == crypto_shorthash_KEYBYTES, "SipHash");
_Static_assert(crypto_shorthash_BYTES == 8, "SipHash output");

/* False: neither IPv4 nor IPv6. */
static bool hash_source(const struct limiter *limiter, const union sockaddr_ip *source,
			uint64_t *hash)
{
	const uint8_t *address;
	uint8_t out[crypto_shorthash_BYTES];
	size_t len;

	if (source->sa.sa_family == AF_INET) {
		address = (const uint8_t *)&source->in4.sin_addr;
		len = 4;
	} else if (source->sa.sa_family == AF_INET6) {
		address = source->in6.sin6_addr.s6_addr;
		len = 8; /* the /64 */
	} else {
		return false;
	}
	crypto_shorthash(out, address, len, limiter->hash_key);
	*hash = wire_get64(out);
	return true;
}

/* The source's own place, else one whose bucket is full, else NULL. */
static struct limiter_slot *find_slot(struct limiter *limiter, uint64_t source, uint64_t now)
{
	struct limiter_slot *set = &limiter->slots[source % (LIMITER_SLOTS / WAYS) * WAYS];
	struct limiter_slot *vacant = NULL;

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].source == source)
			return &set[i];
		if (set[i].full_at <= now)
			vacant = &set[i];
	}
	return vacant;
}

bool limiter_take(uint64_t *full_at, uint64_t cost, uint64_t room, uint64_t now)
{
	uint64_t start = *full_at > now ? *full_at : now;

	if (start + cost - now > room)
		return false;
	*full_at = start + cost;
	return true;
}

void limiter_init(struct limiter *limiter, const uint8_t hash_key[16])
{
	memset(limiter, 0, sizeof(*limiter));
	memcpy(limiter->hash_key, hash_key, sizeof(limiter->hash_key));
}

bool limiter_allow(struct limiter *limiter, const union sockaddr_ip *source, uint64_t now)
{
	struct limiter_slot *slot;
	uint64_t hash;

	if (!hash_source(limiter, source, &hash))
		return false;
	slot = find_slot(limiter, hash, now);
	if (!slot)
		return false;
	/* What it took from a full bucket, it takes for its new source. */
	slot->source = hash;
	return limiter_take(&slot->full_at, COST, FULL, now);
}
