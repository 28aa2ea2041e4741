/* SPDX-License-Identifier: MIT
 * Explicit congestion notification through the tunnel. */
#include "engine/ecn.h"

#include <netinet/in.h>

#define ECN_NOT_ECT 0
#define ECN_ECT1 1

uint8_t ecn_get(const uint8_t *packet, int family)
{
	return (family == AF_INET ? packet[1] : packet[1] >> 4) & ECN_MASK;
}

/* IPv4: the header checksum follows (RFC 1624, equation 3): only the low byte of its first word
 * changes. */
static void set4(uint8_t *packet, uint8_t ecn)
{
	uint8_t tos = (uint8_t)((packet[1] & ~ECN_MASK) | ecn);
	uint32_t sum = (uint32_t)(packet[10] << 8 | packet[11]);

	sum = (~sum & 0xffff) + (~(uint32_t)packet[1] & 0xffff) + tos;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	packet[1] = tos;
	packet[10] = (uint8_t)(sum >> 8);
	packet[11] = (uint8_t)sum;
}

bool ecn_decapsulate(uint8_t *packet, int family, uint8_t outer_tos)
{
	uint8_t inner = ecn_get(packet, family), outer = outer_tos & ECN_MASK;

	/* Figure 4 of RFC 6040: all other pairs leave the inner one as it is. */
	if (outer == ECN_CE && inner == ECN_NOT_ECT)
		return false;
	if ((outer == ECN_CE && inner != ECN_CE) || (outer == ECN_ECT1 && inner == 2)) {
		if (family == AF_INET)
			set4(packet, outer);
		else
			packet[1] = (uint8_t)((packet[1] & ~(ECN_MASK << 4)) | outer << 4);
	}
	return true;
}
