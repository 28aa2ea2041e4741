/* SPDX-License-Identifier: MIT
 * The start-up test of super-packets: two small packets in a row, joined as they would be later. */
#include "engine/offload.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "engine/checksum.h"
#include "engine/join.h"
#include "engine/packet.h"
#include "engine/transport.h"
#include "engine/tun.h"

#define PAYLOAD 8
#define PACKET_MAX (PACKET_IP6_HEADER + TCP_HEADER + PAYLOAD)

struct proof {
	const struct tun *tun;
	bool taken; /* something was joined, and the kernel saw nothing wrong with it */
};

static void write_down(void *arg, const struct iovec *iov, unsigned count)
{
	struct proof *proof = arg;

	proof->taken = count > 2 && tun_write(proof->tun, iov, count) == -EIO;
}

static void put_ip(uint8_t *packet, int family, uint8_t protocol, size_t len)
{
	static const uint8_t ends4[] = {192, 0, 2, 1, 192, 0, 2, 2}; /* RFC 5737 */
	static const uint8_t net6[] = {0x20, 0x01, 0x0d, 0xb8};      /* RFC 3849 */

	if (family == AF_INET) {
		packet[0] = 0x45;
		transport_put16(packet + IP4_AT_LEN, (uint16_t)len);
		transport_put16(packet + IP4_AT_FRAGMENT, IP4_DONT_FRAGMENT);
		packet[IP4_AT_TTL] = 64;
		packet[IP4_AT_PROTOCOL] = protocol;
		memcpy(packet + 12, ends4, sizeof(ends4));
		checksum_put(packet + IP4_AT_CHECK,
			     (uint16_t)~checksum_fold(checksum_add(0, packet, PACKET_IP4_HEADER)));
	} else {
		packet[0] = 0x60;
		transport_put16(packet + IP6_AT_LEN, (uint16_t)(len - PACKET_IP6_HEADER));
		packet[IP6_AT_NEXT] = protocol;
		packet[IP6_AT_HOPS] = 64;
		memcpy(packet + 8, net6, sizeof(net6));
		memcpy(packet + 24, net6, sizeof(net6));
	}
}

/* Packet number i of a flow; its length. */
static size_t make(uint8_t packet[PACKET_MAX], int family, uint8_t protocol, unsigned i)
{
	size_t at = family == AF_INET ? PACKET_IP4_HEADER : PACKET_IP6_HEADER;
	bool tcp = protocol == IPPROTO_TCP;
	size_t header = tcp ? TCP_HEADER : UDP_HEADER, len = at + header + PAYLOAD;
	uint8_t *transport = packet + at;

	memset(packet, 0, PACKET_MAX);
	put_ip(packet, family, protocol, len);
	transport[1] = transport[3] = 9; /* the ports */
	if (tcp) {
		transport[TCP_AT_SEQUENCE + 3] = (uint8_t)(i * PAYLOAD);
		transport[TCP_AT_OFFSET] = TCP_HEADER / 4 << 4;
		transport[TCP_AT_FLAGS] = TCP_ACK;
	} else {
		transport_put16(transport + UDP_AT_LEN, UDP_HEADER + PAYLOAD);
	}
	uint64_t sum = checksum_pseudo(packet, family, protocol, header + PAYLOAD);
	checksum_put(transport + (tcp ? TCP_AT_CHECK : UDP_AT_CHECK),
		     (uint16_t)~checksum_fold(checksum_add(sum, transport, header + PAYLOAD)));
	return len;
}

static bool takes(const struct tun *tun, int family, uint8_t protocol)
{
	struct proof proof = {.tun = tun};
	struct joiner joiner;
	uint8_t packets[2][PACKET_MAX];

	join_init(&joiner, true, true, write_down, &proof);
	for (unsigned i = 0; i < 2; ++i)
		join_add(&joiner, packets[i], make(packets[i], family, protocol, i));
	join_flush(&joiner);
	return proof.taken;
}

void offload_prove(struct tun *tun)
{
	tun->join_tcp = tun->join_tcp && takes(tun, AF_INET, IPPROTO_TCP) &&
			takes(tun, AF_INET6, IPPROTO_TCP);
	tun->join_udp = tun->join_udp && takes(tun, AF_INET, IPPROTO_UDP) &&
			takes(tun, AF_INET6, IPPROTO_UDP);
}
