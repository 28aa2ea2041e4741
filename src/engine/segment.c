/* SPDX-License-Identifier: MIT
 * Splitting super-packets, as the kernel's segmentation does. The headers become a template with
 * zeros where packets differ; its sums are taken once, and every packet adds what is its own. */
#include "engine/segment.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include "engine/checksum.h"
#include "engine/packet.h"
#include "engine/transport.h"

static uint8_t *check_field(uint8_t *transport, uint8_t protocol)
{
	return transport + (protocol == IPPROTO_TCP ? TCP_AT_CHECK : UDP_AT_CHECK);
}

/* A plain packet. Its checksum field holds the sum of the pseudo-header, or nothing is to do. */
static int complete(const struct virtio_net_hdr *header, uint8_t *packet, size_t len)
{
	size_t start = header->csum_start, field = start + header->csum_offset;
	uint16_t checksum;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return 0;
	if (start < PACKET_IP4_HEADER || field + sizeof(checksum) > len)
		return -EINVAL;
	checksum = (uint16_t)~checksum_fold(checksum_add(0, packet + start, len - start));
	/* Zero means "none" to UDP; to all others both zeros are the same. */
	checksum_put(packet + field, checksum ? checksum : 0xffff);
	return 0;
}

/* Where the transport header is; 0: not this protocol, or a fragment. */
static size_t find_transport4(const uint8_t *packet, size_t len, uint8_t protocol)
{
	size_t at = (size_t)(packet[0] & 0xf) * 4;

	if (at < PACKET_IP4_HEADER || at > len || packet[IP4_AT_PROTOCOL] != protocol ||
	    transport_get16(packet + IP4_AT_FRAGMENT) & IP4_IS_FRAGMENT)
		return 0;
	return at;
}

static size_t find_transport6(const uint8_t *packet, size_t len, uint8_t protocol)
{
	uint8_t next = packet[IP6_AT_NEXT];
	size_t at = PACKET_IP6_HEADER;

	while (next != protocol) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS)
			return 0;
		if (len - at < 8 || len - at < ((size_t)packet[at + 1] + 1) * 8)
			return 0;
		next = packet[at];
		at += ((size_t)packet[at + 1] + 1) * 8;
	}
	return at;
}

/* Which family and protocol a type of super-packet has; 0: none. */
static int expected_family(uint8_t gso_type, const uint8_t *packet, size_t len, uint8_t *protocol)
{
	int family = packet_family(packet, len);

	*protocol = IPPROTO_TCP;
	switch (gso_type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN:
		return family == AF_INET ? family : 0;
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN:
		return family == AF_INET6 ? family : 0;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		*protocol = IPPROTO_UDP;
		return family;
	default:
		return 0;
	}
}

/* Finds the headers' ends. */
static int locate(struct segment *segment, int family, size_t len)
{
	const uint8_t *packet = segment->packet;
	size_t at, header_len = UDP_HEADER;

	at = family == AF_INET ? find_transport4(packet, len, segment->protocol)
			       : find_transport6(packet, len, segment->protocol);
	if (!at)
		return -EINVAL;
	if (segment->protocol == IPPROTO_TCP) {
		if (len - at < TCP_HEADER)
			return -EINVAL;
		header_len = (size_t)(packet[at + TCP_AT_OFFSET] >> 4) * 4;
		if (header_len < TCP_HEADER)
			return -EINVAL;
	}
	if (len - at <= header_len)
		return -EINVAL;
	segment->transport_at = at;
	segment->payload_at = at + header_len;
	return 0;
}

/* Where NEEDS_CSUM points must be where we found the header. Without it the kernel knows the
 * checksum to be right and leaves it out of date; then a sum of our own replaces it, for which the
 * IP header must be a simple one, as options and extension headers can change the destination. */
static int check_range(const struct segment *segment, const struct virtio_net_hdr *header,
		       int family)
{
	size_t simple = family == AF_INET ? PACKET_IP4_HEADER : PACKET_IP6_HEADER;
	size_t offset = segment->protocol == IPPROTO_TCP ? TCP_AT_CHECK : UDP_AT_CHECK;

	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return segment->transport_at == simple ? 0 : -EINVAL;
	if (header->csum_start != segment->transport_at || header->csum_offset != offset)
		return -EINVAL;
	return 0;
}

/* Turns the headers into a template and sums it up. */
static void make_template(struct segment *segment, bool has_pseudo, int family, size_t len)
{
	uint8_t *packet = segment->packet, *transport = packet + segment->transport_at;
	uint8_t *check = check_field(transport, segment->protocol);
	size_t transport_len = len - segment->transport_at;

	if (has_pseudo)
		segment->transport_sum = checksum_word(transport_get16(check)) +
					 checksum_without((uint16_t)transport_len);
	else
		segment->transport_sum = checksum_pseudo(packet, family, segment->protocol, 0);
	memset(check, 0, 2);
	if (segment->protocol == IPPROTO_TCP) {
		segment->sequence = transport_get32(transport + TCP_AT_SEQUENCE);
		segment->flags = transport[TCP_AT_FLAGS];
		memset(transport + TCP_AT_SEQUENCE, 0, 4);
		transport[TCP_AT_FLAGS] = 0;
	} else {
		memset(transport + UDP_AT_LEN, 0, 2);
	}
	segment->transport_sum = checksum_add(segment->transport_sum, transport,
					      segment->payload_at - segment->transport_at);
	if (family != AF_INET)
		return;
	segment->id = transport_get16(packet + IP4_AT_ID);
	memset(packet + IP4_AT_LEN, 0, 2);
	memset(packet + IP4_AT_ID, 0, 2);
	memset(packet + IP4_AT_CHECK, 0, 2);
	segment->ip_sum = checksum_add(0, packet, segment->transport_at);
}

int segment_parse(struct segment *segment, const struct virtio_net_hdr *header, uint8_t *packet,
		  size_t len)
{
	*segment = (struct segment){.count = 1, .len = len, .last_len = len, .packet = packet};
	if (!len || len > TRANSPORT_PACKET_MAX)
		return -EINVAL;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return complete(header, packet, len);

	int family = expected_family(header->gso_type, packet, len, &segment->protocol);
	if (!family || !header->gso_size || packet_claimed_len(packet, family) != len)
		return -EINVAL;
	if (locate(segment, family, len) || check_range(segment, header, family))
		return -EINVAL;
	make_template(segment, header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, family, len);
	segment->size = header->gso_size;
	size_t payload = len - segment->payload_at;
	if (payload > segment->size) {
		segment->count = (unsigned)((payload + segment->size - 1) / segment->size);
		segment->len = segment->payload_at + segment->size;
		segment->last_len = len - (segment->count - 1) * segment->size;
	}
	return 0;
}

static void write_ip(const struct segment *segment, unsigned i, uint8_t *dst, size_t len)
{
	if (dst[0] >> 4 == 4) {
		uint16_t id = (uint16_t)(segment->id + i);
		uint64_t sum = segment->ip_sum + checksum_word((uint16_t)len) + checksum_word(id);

		transport_put16(dst + IP4_AT_LEN, (uint16_t)len);
		transport_put16(dst + IP4_AT_ID, id);
		checksum_put(dst + IP4_AT_CHECK, (uint16_t)~checksum_fold(sum));
	} else {
		transport_put16(dst + IP6_AT_LEN, (uint16_t)(len - PACKET_IP6_HEADER));
	}
}

/* Writes what the template lacks of a TCP header, and returns its sum. */
static uint64_t write_tcp(const struct segment *segment, unsigned i, uint8_t *transport)
{
	uint32_t sequence = segment->sequence + (uint32_t)(i * segment->size);
	uint8_t flags = segment->flags;

	if (i)
		flags &= (uint8_t)~TCP_CWR;
	if (i + 1 < segment->count)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	transport_put32(transport + TCP_AT_SEQUENCE, sequence);
	transport[TCP_AT_FLAGS] = flags;
	return checksum_word((uint16_t)(sequence >> 16)) + checksum_word((uint16_t)sequence) +
	       checksum_word(flags);
}

static uint64_t write_udp(uint8_t *transport, size_t len)
{
	transport_put16(transport + UDP_AT_LEN, (uint16_t)len);
	return checksum_word((uint16_t)len);
}

void segment_write(const struct segment *segment, unsigned i, uint8_t *dst)
{
	size_t at = segment->payload_at;
	size_t len = i + 1 < segment->count ? segment->len : segment->last_len;
	uint8_t *transport = dst + segment->transport_at;
	uint64_t sum;

	if (!segment->protocol) {
		memcpy(dst, segment->packet, len);
		return;
	}
	memcpy(dst, segment->packet, at);
	write_ip(segment, i, dst, len);
	sum = segment->transport_sum + checksum_word((uint16_t)(len - segment->transport_at));
	sum += segment->protocol == IPPROTO_TCP ? write_tcp(segment, i, transport)
						: write_udp(transport, len - segment->transport_at);
	sum = checksum_copy(sum, dst + at, segment->packet + at + i * segment->size, len - at);
	uint16_t checksum = (uint16_t)~checksum_fold(sum);
	if (!checksum && segment->protocol == IPPROTO_UDP)
		checksum = 0xffff;
	checksum_put(check_field(transport, segment->protocol), checksum);
}
