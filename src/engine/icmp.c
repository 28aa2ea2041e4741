/* SPDX-License-Identifier: MIT
 * Destination unreachable. */
#include "engine/icmp.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include "engine/checksum.h"
#include "engine/packet.h"

#define ANSWER4_MAX 576 /* RFC 1812 section 4.3.2.3 */
#define ICMP_HEADER 8
#define TTL 64

static bool all_are(const uint8_t *bytes, size_t len, uint8_t value)
{
	for (size_t i = 0; i < len; ++i)
		if (bytes[i] != value)
			return false;
	return true;
}

/* RFC 1122 section 3.2.2 */
static bool may_answer4(const uint8_t *packet, size_t len)
{
	const uint8_t *source = packet_source(packet, AF_INET);
	const uint8_t *destination = packet_destination(packet, AF_INET);
	size_t header = (size_t)(packet[0] & 15) * 4;

	if (source[0] == 0 || source[0] >= 224 || destination[0] >= 224 || source[0] == 127)
		return false;
	if ((packet[6] & 0x1f) || packet[7]) /* not the first fragment */
		return false;
	if (packet[9] ==
	    IPPROTO_ICMP) /* only to a request: an echo, a time stamp, an address mask */
		return len > header && (packet[header] == 8 || packet[header] == 13 ||
					packet[header] == 15 || packet[header] == 17);
	return true;
}

/* RFC 4443 section 2.4 (e) */
static bool may_answer6(const uint8_t *packet, size_t len)
{
	const uint8_t *source = packet_source(packet, AF_INET6);

	if (source[0] == 0xff || packet_destination(packet, AF_INET6)[0] == 0xff ||
	    all_are(source, 16, 0))
		return false;
	if (packet[6] == IPPROTO_FRAGMENT)
		return false;
	if (packet[6] == IPPROTO_ICMPV6)
		return len > PACKET_IP6_HEADER && packet[PACKET_IP6_HEADER] >= 128;
	return true;
}

static void put16(uint8_t *bytes, size_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void finish(uint8_t field[2], uint64_t sum)
{
	checksum_put(field, (uint16_t)~checksum_fold(sum));
}

static size_t answer4(uint8_t *answer, const uint8_t *packet, size_t len)
{
	size_t quoted = len, total;
	uint8_t *icmp = answer + PACKET_IP4_HEADER;

	if (quoted > ANSWER4_MAX - PACKET_IP4_HEADER - ICMP_HEADER)
		quoted = ANSWER4_MAX - PACKET_IP4_HEADER - ICMP_HEADER;
	total = PACKET_IP4_HEADER + ICMP_HEADER + quoted;
	memset(answer, 0, PACKET_IP4_HEADER + ICMP_HEADER);
	answer[0] = 0x45;
	answer[1] = 0xc0; /* internetwork control, as routers mark their errors (RFC 1812) */
	put16(answer + 2, total);
	answer[8] = TTL;
	answer[9] = IPPROTO_ICMP;
	memcpy(answer + 12, packet_destination(packet, AF_INET), 4);
	memcpy(answer + 16, packet_source(packet, AF_INET), 4);
	finish(answer + 10, checksum_add(0, answer, PACKET_IP4_HEADER));
	icmp[0] = 3; /* destination unreachable */
	icmp[1] = 1; /* host */
	memcpy(icmp + ICMP_HEADER, packet, quoted);
	finish(icmp + 2, checksum_add(0, icmp, ICMP_HEADER + quoted));
	return total;
}

static size_t answer6(uint8_t *answer, const uint8_t *packet, size_t len)
{
	size_t quoted = len, payload;
	uint8_t *icmp = answer + PACKET_IP6_HEADER;

	if (quoted > ICMP_ANSWER_MAX - PACKET_IP6_HEADER - ICMP_HEADER)
		quoted = ICMP_ANSWER_MAX - PACKET_IP6_HEADER - ICMP_HEADER;
	payload = ICMP_HEADER + quoted;
	memset(answer, 0, PACKET_IP6_HEADER + ICMP_HEADER);
	answer[0] = 0x60;
	put16(answer + 4, payload);
	answer[6] = IPPROTO_ICMPV6;
	answer[7] = TTL;
	memcpy(answer + 8, packet_destination(packet, AF_INET6), 16);
	memcpy(answer + 24, packet_source(packet, AF_INET6), 16);
	icmp[0] = 1; /* destination unreachable */
	icmp[1] = 3; /* address */
	memcpy(icmp + ICMP_HEADER, packet, quoted);
	finish(icmp + 2, checksum_add(checksum_pseudo(answer, AF_INET6, IPPROTO_ICMPV6, payload),
				      icmp, payload));
	return PACKET_IP6_HEADER + payload;
}

size_t icmp_unreachable(uint8_t answer[ICMP_ANSWER_MAX], const uint8_t *packet, size_t len,
			int family)
{
	if (family == AF_INET)
		return may_answer4(packet, len) ? answer4(answer, packet, len) : 0;
	return may_answer6(packet, len) ? answer6(answer, packet, len) : 0;
}
