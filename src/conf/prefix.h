/* SPDX-License-Identifier: MIT
 * IP prefixes: 10.0.0.0/8, fd00::/64, and addresses, which are prefixes of full length. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFIX_TEXT_MAX 50 /* an IPv6 address, "/128" and the NUL */

struct prefix {
	uint8_t addr[16]; /* network byte order; IPv4: the first 4 bytes, the rest zero */
	int family;       /* AF_INET or AF_INET6 */
	uint8_t cidr;     /* 0 to 32 or 128 */
};

static inline uint8_t prefix_max(int family)
{
	return family == 2 /* AF_INET */ ? 32 : 128;
}

/* "ADDRESS" or "ADDRESS/LENGTH", LENGTH decimal digits. Host bits are kept. 0 or -EINVAL. */
int prefix_parse(struct prefix *prefix, const char *text, size_t len);
/* Always with the length: "10.0.0.1/32". Returns text. */
char *prefix_format(char text[PREFIX_TEXT_MAX], const struct prefix *prefix);
bool prefix_has_host_bits(const struct prefix *prefix);
void prefix_mask(struct prefix *prefix); /* clears the host bits */
bool prefix_equal(const struct prefix *a, const struct prefix *b);
/* Whether inner is outer or a part of it. The host bits of both do not count. */
bool prefix_contains(const struct prefix *outer, const struct prefix *inner);
/* Both are struct prefix, so that qsort(3) takes it: by family, length and address; host bits
 * count. Less than, equal to or greater than 0. */
int prefix_compare(const void *left, const void *right);
