/* SPDX-License-Identifier: MIT
 * The little that the engine reads of an inner IP packet: version, length, addresses. */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_IP4_HEADER 20
#define PACKET_IP6_HEADER 40

/* AF_INET or AF_INET6 when the packet is long enough for that header; else 0. */
static inline int packet_family(const uint8_t *packet, size_t len)
{
	if (len >= PACKET_IP4_HEADER && packet[0] >> 4 == 4)
		return AF_INET;
	if (len >= PACKET_IP6_HEADER && packet[0] >> 4 == 6)
		return AF_INET6;
	return 0;
}

static inline const uint8_t *packet_source(const uint8_t *packet, int family)
{
	return packet + (family == AF_INET ? 12 : 8);
}

static inline const uint8_t *packet_destination(const uint8_t *packet, int family)
{
	return packet + (family == AF_INET ? 16 : 24);
}

/* The length that the header claims. */
static inline size_t packet_claimed_len(const uint8_t *packet, int family)
{
	if (family == AF_INET)
		return (size_t)packet[2] << 8 | packet[3];
	return PACKET_IP6_HEADER + ((size_t)packet[4] << 8 | packet[5]);
}
