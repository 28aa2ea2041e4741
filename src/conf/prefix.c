/* SPDX-License-Identifier: MIT
 * IP prefixes: parse, format, mask, compare. */
#include "conf/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include "conf/address.h"
#include "conf/number.h"

int prefix_parse(struct prefix *prefix, const char *text, size_t len)
{
	const char *slash = len ? memchr(text, '/', len) : NULL;
	size_t size = slash ? (size_t)(slash - text) : len;
	struct prefix parsed = {.family = AF_INET};
	char address[INET6_ADDRSTRLEN];
	uint64_t cidr;

	/* A NUL byte would hide what follows it from inet_pton(). */
	if (!size || size >= sizeof(address) || memchr(text, '\0', size))
		return -EINVAL;
	memcpy(address, text, size);
	address[size] = '\0';
	if (strchr(address, ':'))
		parsed.family = AF_INET6;
	if (inet_pton(parsed.family, address, parsed.addr) != 1)
		return -EINVAL;
	cidr = prefix_max(parsed.family);
	if (slash && number_parse(&cidr, slash + 1, len - size - 1, cidr) < 0)
		return -EINVAL;
	parsed.cidr = (uint8_t)cidr;
	*prefix = parsed;
	return 0;
}

char *prefix_format(char text[PREFIX_TEXT_MAX], const struct prefix *prefix)
{
	char *end = address_put(text, prefix->family, prefix->addr);

	*end++ = '/';
	*number_put(end, prefix->cidr) = '\0';
	return text;
}

bool prefix_has_host_bits(const struct prefix *prefix)
{
	struct prefix masked = *prefix;

	prefix_mask(&masked);
	return memcmp(masked.addr, prefix->addr, sizeof(masked.addr)) != 0;
}

void prefix_mask(struct prefix *prefix)
{
	unsigned whole = prefix->cidr / 8, rest = prefix->cidr % 8;

	if (whole >= sizeof(prefix->addr))
		return;
	prefix->addr[whole] &= (uint8_t)(0xff00 >> rest);
	memset(prefix->addr + whole + 1, 0, sizeof(prefix->addr) - whole - 1);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return prefix_compare(a, b) == 0;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	struct prefix whole = *outer, cut = *inner;

	if (whole.family != cut.family || whole.cidr > cut.cidr)
		return false;
	cut.cidr = whole.cidr;
	prefix_mask(&whole);
	prefix_mask(&cut);
	return prefix_equal(&whole, &cut);
}

int prefix_compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->cidr != b->cidr)
		return a->cidr < b->cidr ? -1 : 1;
	return memcmp(a->addr, b->addr, sizeof(a->addr));
}
