/* SPDX-License-Identifier: MIT
 * Joining packets, after the rules of the kernel's GRO. Cheap comparisons come first: checksums are
 * verified only when a packet would otherwise be joined, that of the first with the second. */
#include "engine/join.h"

#include <netinet/in.h>
#include <string.h>
#include "engine/checksum.h"
#include "engine/packet.h"
#include "engine/transport.h"

#define RIGHT 0xffff /* the fold of what has its right checksum in it */

void join_init(struct joiner *joiner, bool tcp, bool udp, join_write *write, void *arg)
{
	joiner->write = write;
	joiner->arg = arg;
	joiner->tcp = tcp;
	joiner->udp = udp;
	joiner->victim = 0;
	for (unsigned i = 0; i < JOIN_SLOTS; i++)
		joiner->slots[i].count = 0;
}

/* ACK, perhaps PSH, and data; the reserved bits are flags, too. */
static bool tcp_joinable(const struct join_packet *packet, const uint8_t *tcp)
{
	return (tcp[TCP_AT_FLAGS] & ~TCP_PSH) == TCP_ACK && !(tcp[TCP_AT_OFFSET] & 0xf) &&
	       packet->payload_len;
}

/* A length that is right, data, and a checksum. */
static bool udp_joinable(const struct join_packet *packet, const uint8_t *udp)
{
	return transport_get16(udp + UDP_AT_LEN) == packet->len - packet->transport_at &&
	       transport_get16(udp + UDP_AT_CHECK) && packet->payload_len;
}

/* The IP header: without options or extension headers, no fragment. Finds the protocol. */
static void inspect_ip(struct join_packet *packet)
{
	const uint8_t *ip = packet->bytes;

	packet->family = packet_family(ip, packet->len);
	if (!packet->family || packet_claimed_len(ip, packet->family) != packet->len)
		return;
	if (packet->family == AF_INET) {
		if (ip[0] != 0x45 ||
		    transport_get16(ip + IP4_AT_FRAGMENT) & ~(unsigned)IP4_DONT_FRAGMENT)
			return;
		packet->protocol = ip[IP4_AT_PROTOCOL];
		packet->transport_at = PACKET_IP4_HEADER;
	} else {
		packet->protocol = ip[IP6_AT_NEXT];
		packet->transport_at = PACKET_IP6_HEADER;
	}
}

static void inspect(struct join_packet *packet, const struct joiner *joiner)
{
	const uint8_t *transport;
	size_t left, header_len;

	inspect_ip(packet);
	transport = packet->bytes + packet->transport_at;
	left = packet->len - packet->transport_at;
	if (packet->protocol == IPPROTO_TCP && left >= TCP_HEADER) {
		header_len = (size_t)(transport[TCP_AT_OFFSET] >> 4) * 4;
		if (header_len < TCP_HEADER || header_len > left)
			return;
		packet->payload_at = packet->transport_at + header_len;
		packet->payload_len = left - header_len;
		packet->joinable = joiner->tcp && tcp_joinable(packet, transport);
	} else if (packet->protocol == IPPROTO_UDP && left >= UDP_HEADER) {
		packet->payload_at = packet->transport_at + UDP_HEADER;
		packet->payload_len = left - UDP_HEADER;
		packet->joinable = joiner->udp && udp_joinable(packet, transport);
	} else {
		packet->protocol = 0;
	}
}

/* May the second be of the first's flow? The first's flow is known; if the second's is not, as with
 * fragments, the addresses decide. */
static bool same_flow(const struct join_packet *first, const struct join_packet *second)
{
	size_t addresses = first->family == AF_INET ? 2 * 4 : 2 * 16;

	if (first->family != second->family)
		return false;
	if (second->protocol && (first->protocol != second->protocol ||
				 memcmp(first->bytes + first->transport_at,
					second->bytes + second->transport_at, 4) != 0))
		return false;
	return memcmp(packet_source(first->bytes, first->family),
		      packet_source(second->bytes, second->family), addresses) == 0;
}

/* Is the rest of the IP header as splitting would make it? */
static bool ip_continues(const struct join_slot *slot, const struct join_packet *packet)
{
	const uint8_t *first = slot->first.bytes, *next = packet->bytes;

	if (packet->family == AF_INET6)
		return memcmp(first, next, IP6_AT_LEN) == 0 &&
		       first[IP6_AT_HOPS] == next[IP6_AT_HOPS];
	uint16_t id = (uint16_t)(transport_get16(first + IP4_AT_ID) + slot->count);
	uint16_t fragment = transport_get16(next + IP4_AT_FRAGMENT);
	return first[1] == next[1] && first[IP4_AT_TTL] == next[IP4_AT_TTL] &&
	       transport_get16(first + IP4_AT_FRAGMENT) == fragment &&
	       (fragment == IP4_DONT_FRAGMENT || transport_get16(next + IP4_AT_ID) == id);
}

/* Is the TCP header? Flags were looked at before: PSH alone may differ. */
static bool tcp_continues(const struct join_slot *slot, const struct join_packet *packet)
{
	const uint8_t *first = slot->first.bytes + slot->first.transport_at;
	const uint8_t *next = packet->bytes + packet->transport_at;
	uint32_t sequence = transport_get32(first + TCP_AT_SEQUENCE) +
			    (uint32_t)(slot->count * slot->first.payload_len);

	return transport_get32(next + TCP_AT_SEQUENCE) == sequence &&
	       memcmp(first + TCP_AT_ACK, next + TCP_AT_ACK, 4) == 0 &&
	       first[TCP_AT_OFFSET] == next[TCP_AT_OFFSET] &&
	       memcmp(first + TCP_AT_WINDOW, next + TCP_AT_WINDOW, 2) == 0 &&
	       memcmp(first + TCP_AT_URGENT, next + TCP_AT_URGENT,
		      packet->payload_at - packet->transport_at - TCP_AT_URGENT) == 0;
}

/* Would the packet be the slot's next one, if both are what their checksums say? */
static bool continues(const struct join_slot *slot, const struct join_packet *packet)
{
	return slot->count < JOIN_PACKETS_MAX &&
	       slot->len + packet->payload_len <= TRANSPORT_PACKET_MAX &&
	       packet->payload_len <= slot->first.payload_len && ip_continues(slot, packet) &&
	       (packet->protocol == IPPROTO_UDP || tcp_continues(slot, packet));
}

static bool verify(const struct join_packet *packet)
{
	size_t len = packet->len - packet->transport_at;
	uint64_t sum = checksum_pseudo(packet->bytes, packet->family, packet->protocol, len);

	if (packet->family == AF_INET &&
	    checksum_fold(checksum_add(0, packet->bytes, PACKET_IP4_HEADER)) != RIGHT)
		return false;
	return checksum_fold(checksum_add(sum, packet->bytes + packet->transport_at, len)) == RIGHT;
}

static void write_alone(const struct joiner *joiner, const struct join_packet *packet)
{
	struct virtio_net_hdr header = {0};
	const struct iovec iov[] = {{&header, sizeof(header)}, {packet->bytes, packet->len}};

	joiner->write(joiner->arg, iov, 2);
}

static uint8_t gso_type(const struct join_packet *packet)
{
	if (packet->protocol == IPPROTO_UDP)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	return packet->family == AF_INET ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
}

/* The first packet's headers become those of all. */
static void make_super(struct join_slot *slot)
{
	const struct join_packet *first = &slot->first;
	uint8_t *ip = first->bytes, *transport = ip + first->transport_at;
	size_t len = slot->len - first->transport_at;
	bool tcp = first->protocol == IPPROTO_TCP;
	size_t check = tcp ? TCP_AT_CHECK : UDP_AT_CHECK;

	if (first->family == AF_INET) {
		transport_put16(ip + IP4_AT_LEN, (uint16_t)slot->len);
		transport_put16(ip + IP4_AT_CHECK, 0);
		checksum_put(ip + IP4_AT_CHECK,
			     (uint16_t)~checksum_fold(checksum_add(0, ip, PACKET_IP4_HEADER)));
	} else {
		transport_put16(ip + IP6_AT_LEN, (uint16_t)len);
	}
	if (!tcp)
		transport_put16(transport + UDP_AT_LEN, (uint16_t)len);
	else if (slot->push)
		transport[TCP_AT_FLAGS] |= TCP_PSH;
	checksum_put(transport + check,
		     checksum_fold(checksum_pseudo(ip, first->family, first->protocol, len)));
	slot->header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = gso_type(first),
		.hdr_len = (uint16_t)first->payload_at,
		.gso_size = (uint16_t)first->payload_len,
		.csum_start = (uint16_t)first->transport_at,
		.csum_offset = (uint16_t)check,
	};
}

/* Writes out what the slot holds, and frees it. */
static void finish(const struct joiner *joiner, struct join_slot *slot)
{
	if (slot->count == 1) {
		write_alone(joiner, &slot->first);
	} else if (slot->count) {
		make_super(slot);
		slot->iov[0] = (struct iovec){&slot->header, sizeof(slot->header)};
		joiner->write(joiner->arg, slot->iov, 1 + slot->count);
	}
	slot->count = 0;
}

static bool has_push(const struct join_packet *packet)
{
	return packet->protocol == IPPROTO_TCP &&
	       packet->bytes[packet->transport_at + TCP_AT_FLAGS] & TCP_PSH;
}

/* Begins with this packet in a free slot, or writes it if it must be the last. */
static void begin(struct joiner *joiner, struct join_slot *slot, const struct join_packet *packet)
{
	if (has_push(packet)) {
		write_alone(joiner, packet);
		return;
	}
	for (unsigned i = 0; !slot && i < JOIN_SLOTS; i++)
		if (!joiner->slots[i].count)
			slot = &joiner->slots[i];
	if (!slot) {
		slot = &joiner->slots[joiner->victim++ % JOIN_SLOTS];
		finish(joiner, slot);
	}
	slot->first = *packet;
	slot->len = packet->len;
	slot->count = 1;
	slot->iov[1] = (struct iovec){packet->bytes, packet->len};
}

/* A packet that continues a slot. */
static void append(struct joiner *joiner, struct join_slot *slot, const struct join_packet *packet)
{
	if (!verify(packet)) {
		finish(joiner, slot);
		write_alone(joiner, packet);
		return;
	}
	if (slot->count == 1 && !verify(&slot->first)) {
		finish(joiner, slot);
		begin(joiner, slot, packet);
		return;
	}
	slot->iov[++slot->count] =
		(struct iovec){packet->bytes + packet->payload_at, packet->payload_len};
	slot->len += packet->payload_len;
	slot->push = has_push(packet);
	if (slot->push || packet->payload_len < slot->first.payload_len)
		finish(joiner, slot);
}

void join_add(struct joiner *joiner, uint8_t *bytes, size_t len)
{
	struct join_packet packet = {.bytes = bytes, .len = len};
	struct join_slot *slot = NULL;

	inspect(&packet, joiner);
	for (unsigned i = 0; i < JOIN_SLOTS; i++) {
		struct join_slot *candidate = &joiner->slots[i];
		if (!candidate->count || !same_flow(&candidate->first, &packet))
			continue;
		if (packet.joinable && continues(candidate, &packet)) {
			append(joiner, candidate, &packet);
			return;
		}
		finish(joiner, candidate);
		slot = candidate;
	}
	if (packet.joinable)
		begin(joiner, slot, &packet);
	else
		write_alone(joiner, &packet);
}

void join_flush(struct joiner *joiner)
{
	for (unsigned i = 0; i < JOIN_SLOTS; i++)
		finish(joiner, &joiner->slots[i]);
}
