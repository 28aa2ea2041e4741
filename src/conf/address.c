/* SPDX-License-Identifier: MIT
 * IP addresses as text; IPv6 as in RFC 5952, with the two sorts of IPv4 in IPv6 as glibc writes
 * them. inet_ntop(3) itself goes through printf, which shows where there are many. */
#include "conf/address.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "conf/number.h"

#define GROUPS 8 /* of 16 bits */

static char *put_inet4(char *at, const uint8_t *bytes)
{
	for (size_t i = 0; i < 4; i++) {
		at = number_put(at, bytes[i]);
		*at++ = '.';
	}
	return at - 1;
}

/* Hexadecimal, without zeros in front. */
static char *put_group(char *at, unsigned group)
{
	for (int shift = 12; shift >= 0; shift -= 4)
		if (!shift || group >> shift)
			*at++ = "0123456789abcdef"[group >> shift & 15];
	return at;
}

/* The first of the longest runs of zero groups, of two or more; its length, 0: there is none. */
static size_t find_zeros(const unsigned *groups, size_t *first)
{
	size_t longest = 1, run = 0;

	for (size_t i = 0; i < GROUPS; i++) {
		run = groups[i] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*first = i + 1 - run;
		}
	}
	return longest > 1 ? longest : 0;
}

static char *put_inet6(char *at, const uint8_t *bytes)
{
	unsigned groups[GROUPS];
	size_t first = GROUPS, zeros, end = GROUPS;

	for (size_t i = 0; i < GROUPS; i++)
		groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	zeros = find_zeros(groups, &first);
	if (!first && (zeros == 6 || (zeros == 5 && groups[5] == 0xffff)))
		end = GROUPS - 2;
	for (size_t i = 0; i < end; i++) {
		if (i >= first && i < first + zeros) {
			if (i == first)
				*at++ = ':';
			continue;
		}
		if (i)
			*at++ = ':';
		at = put_group(at, groups[i]);
	}
	if (end < GROUPS || (zeros && first + zeros == GROUPS))
		*at++ = ':';
	return end < GROUPS ? put_inet4(at, bytes + 12) : at;
}

char *address_put(char *at, int family, const void *bytes)
{
	if (family == AF_INET)
		at = put_inet4(at, bytes);
	else if (family == AF_INET6)
		at = put_inet6(at, bytes);
	*at = '\0';
	return at;
}
