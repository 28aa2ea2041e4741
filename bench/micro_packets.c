/* SPDX-License-Identifier: MIT
 * Splitting and joining super-packets, and the checksum, which is most of both. The plainest way is
 * to copy, and to add up 16-bit words in a second pass. */
#include "micro.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include "engine/checksum.h"
#include "engine/join.h"
#include "engine/segment.h"
#include "engine/transport.h"

#define PACKET 1420 /* an inner packet of the usual MTU */
#define TCP_AT PACKET_IP4_HEADER
#define HEADERS (TCP_AT + TCP_HEADER + 12) /* with the time stamp option */
#define PAYLOAD (PACKET - HEADERS)
#define SEGMENTS ((TRANSPORT_PACKET_MAX - HEADERS) / PAYLOAD)
#define SUPER (HEADERS + SEGMENTS * PAYLOAD)
#define JOINED 45
#define STRIDE 1536

struct packets {
	struct virtio_net_hdr header;
	uint8_t original[SUPER], super[SUPER];
	uint8_t split[SEGMENTS][STRIDE], again[SEGMENTS][STRIDE];
	struct joiner joiner;
	unsigned written; /* vectors of the last write of the joiner */
};

static uint64_t plain_sum(uint64_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i += 2) {
		uint16_t word;

		memcpy(&word, bytes + i, sizeof(word));
		sum += word;
	}
	return sum;
}

static uint64_t plain_tcp_sum(const uint8_t *packet, size_t len)
{
	uint64_t sum = checksum_pseudo(packet, AF_INET, IPPROTO_TCP, len - TCP_AT);

	return plain_sum(sum, packet + TCP_AT, len - TCP_AT);
}

/* A super-packet of TCP as the kernel gives it: the checksum is that of the pseudo-header. */
static void build(struct packets *packets)
{
	uint8_t *ip = packets->original, *tcp = ip + TCP_AT;
	uint64_t seed = 2;

	micro_fill(&seed, ip, SUPER);
	memset(ip, 0, HEADERS);
	ip[0] = 0x45;
	transport_put16(ip + IP4_AT_LEN, SUPER);
	transport_put16(ip + IP4_AT_FRAGMENT, IP4_DONT_FRAGMENT);
	ip[IP4_AT_TTL] = 64;
	ip[IP4_AT_PROTOCOL] = IPPROTO_TCP;
	transport_put32(ip + 12, 0x0a000001);
	transport_put32(ip + 16, 0x0a000002);
	tcp[TCP_AT_OFFSET] = (HEADERS - TCP_AT) / 4 << 4;
	tcp[TCP_AT_FLAGS] = TCP_ACK | TCP_PSH;
	tcp[TCP_HEADER] = tcp[TCP_HEADER + 1] = 1; /* two no-operations and the time stamps */
	tcp[TCP_HEADER + 2] = 8;
	tcp[TCP_HEADER + 3] = 10;
	checksum_put(tcp + TCP_AT_CHECK,
		     checksum_fold(checksum_pseudo(ip, AF_INET, IPPROTO_TCP, SUPER - TCP_AT)));
	packets->header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = PAYLOAD,
		.csum_start = TCP_AT,
		.csum_offset = TCP_AT_CHECK,
	};
	memcpy(packets->super, ip, SUPER);
}

static void split_plainly(void *arg, unsigned times)
{
	struct packets *packets = arg;
	const uint8_t *super = packets->original;

	for (unsigned i = 0; i < times * SEGMENTS; i++) {
		unsigned n = i % SEGMENTS;
		uint8_t *ip = packets->again[n], *tcp = ip + TCP_AT;
		uint32_t sequence = transport_get32(super + TCP_AT + TCP_AT_SEQUENCE);

		memcpy(ip, super, HEADERS);
		memcpy(ip + HEADERS, super + HEADERS + n * PAYLOAD, PAYLOAD);
		transport_put16(ip + IP4_AT_LEN, PACKET);
		transport_put16(ip + IP4_AT_ID, (uint16_t)(transport_get16(super + IP4_AT_ID) + n));
		checksum_put(ip + IP4_AT_CHECK, 0);
		checksum_put(ip + IP4_AT_CHECK, (uint16_t)~checksum_fold(plain_sum(0, ip, TCP_AT)));
		transport_put32(tcp + TCP_AT_SEQUENCE, sequence + n * PAYLOAD);
		if (n + 1 < SEGMENTS)
			tcp[TCP_AT_FLAGS] &= (uint8_t)~TCP_PSH;
		checksum_put(tcp + TCP_AT_CHECK, 0);
		checksum_put(tcp + TCP_AT_CHECK,
			     (uint16_t)~checksum_fold(plain_tcp_sum(ip, PACKET)));
		micro_keep(n);
	}
}

static void split(void *arg, unsigned times)
{
	struct packets *packets = arg;
	struct segment segment;

	for (; times; times--) {
		/* It makes a template of the headers. */
		memcpy(packets->super, packets->original, HEADERS);
		if (segment_parse(&segment, &packets->header, packets->super, SUPER) < 0)
			return;
		for (unsigned i = 0; i < segment.count; i++)
			segment_write(&segment, i, packets->split[i]);
	}
}

static void join_plainly(void *arg, unsigned times)
{
	struct packets *packets = arg;

	for (unsigned i = 0; i < times * JOINED; i++) {
		unsigned n = i % JOINED;
		const uint8_t *ip = packets->again[n];
		bool right = checksum_fold(plain_sum(0, ip, TCP_AT)) == 0xffff &&
			     checksum_fold(plain_tcp_sum(ip, PACKET)) == 0xffff;

		memcpy(packets->super + HEADERS + n * PAYLOAD, ip + HEADERS, PAYLOAD);
		micro_keep(right);
	}
}

static void count_written(void *arg, const struct iovec *iov, unsigned count)
{
	struct packets *packets = arg;

	(void)iov;
	packets->written = count;
}

static void join(void *arg, unsigned times)
{
	struct packets *packets = arg;

	for (; times; times--) {
		/* The header of the first becomes that of the whole. */
		memcpy(packets->split[0], packets->again[0], HEADERS);
		for (unsigned i = 0; i < JOINED; i++)
			join_add(&packets->joiner, packets->split[i], PACKET);
		join_flush(&packets->joiner);
	}
}

static void check(struct packets *packets)
{
	split_plainly(packets, 1);
	split(packets, 1);
	for (unsigned i = 0; i < SEGMENTS; i++)
		micro_check(memcmp(packets->split[i], packets->again[i], PACKET) == 0,
			    "both ways of splitting do the same");
	join(packets, 1);
	micro_check(packets->written == 1 + JOINED, "all are joined");
}

static void sum_plainly(void *arg, unsigned times)
{
	struct packets *packets = arg;

	for (; times; times--)
		micro_keep(plain_sum(0, packets->original, PACKET));
}

static void sum(void *arg, unsigned times)
{
	struct packets *packets = arg;

	for (; times; times--)
		micro_keep(checksum_add(0, packets->original, PACKET));
}

static void copy_then_sum_plainly(void *arg, unsigned times)
{
	struct packets *packets = arg;

	for (; times; times--) {
		memcpy(packets->super, packets->original, PACKET);
		micro_keep(plain_sum(0, packets->super, PACKET));
	}
}

static void copy_then_sum(void *arg, unsigned times)
{
	struct packets *packets = arg;

	for (; times; times--) {
		memcpy(packets->super, packets->original, PACKET);
		micro_keep(checksum_add(0, packets->super, PACKET));
	}
}

static void copy_and_sum(void *arg, unsigned times)
{
	struct packets *packets = arg;

	for (; times; times--)
		micro_keep(checksum_copy(0, packets->super, packets->original, PACKET));
}

void micro_packets(struct micro *micro)
{
	struct packets *packets = micro_alloc(1, sizeof(*packets));

	build(packets);
	join_init(&packets->joiner, true, true, count_written, packets);
	check(packets);
	micro_add(micro, "copied, then summed by 16-bit words", SEGMENTS, split_plainly, packets);
	micro_add(micro, "segment", SEGMENTS, split, packets);
	micro_run(micro, "split 64 KiB of TCP, a packet");
	micro_add(micro, "summed by 16-bit words, then copied", JOINED, join_plainly, packets);
	micro_add(micro, "join", JOINED, join, packets);
	micro_run(micro, "join %u packets of TCP, a packet", JOINED);
	micro_add(micro, "16-bit words", 1, sum_plainly, packets);
	micro_add(micro, "checksum_add", 1, sum, packets);
	micro_run(micro, "checksum of %u bytes", PACKET);
	micro_add(micro, "memcpy, then 16-bit words", 1, copy_then_sum_plainly, packets);
	micro_add(micro, "memcpy, then checksum_add", 1, copy_then_sum, packets);
	micro_add(micro, "checksum_copy", 1, copy_and_sum, packets);
	micro_run(micro, "copy and checksum of %u bytes", PACKET);
	free(packets);
}
