/* SPDX-License-Identifier: MIT
 * What a TUN delivers, split into packets: any virtio_net_hdr before any packet. What is accepted
 * is compared with a reference, a byte at a time; what an honest sender made comes back from the
 * joiner as it was. Also the answers to packets that cannot be sent. */
#include "engine/segment.h"

#include <errno.h>
#include "engine/icmp.h"
#include "engine/join.h"
#include "engine/packet.h"
#include "engine/transport.h"
#include "fuzz.h"
#include "packets.h"

#define CHECKED_MAX 64 /* packets of one super-packet that are compared */

struct super {
	struct virtio_net_hdr header;
	uint8_t *packet, *original; /* of exactly len bytes; owned */
	size_t len;
	bool honest; /* nothing was damaged */
};

static void make_header(struct super *super, const struct model_spec *spec, uint16_t size)
{
	const uint8_t *packet = super->packet;

	super->header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = spec->protocol == IPPROTO_UDP ? VIRTIO_NET_HDR_GSO_UDP_L4
			    : spec->family == AF_INET     ? VIRTIO_NET_HDR_GSO_TCPV4
							  : VIRTIO_NET_HDR_GSO_TCPV6,
		.hdr_len = (uint16_t)model_payload_at(packet),
		.gso_size = size,
		.csum_start = (uint16_t)model_transport_at(packet),
		.csum_offset = spec->protocol == IPPROTO_UDP ? 6 : 16,
	};
}

/* As the kernel hands a super-packet over: the checksum is that of the pseudo-header. */
static void build(struct super *super, struct input *input)
{
	static uint8_t packet[2 * MODEL_PACKET_MAX];
	struct model_spec spec = read_spec(input);
	uint16_t size = (uint16_t)read_len(input, 0xffff);

	seed = spec.sequence;
	super->len = model_build(&spec, read_len(input, 65000), packet);
	super->packet = exact(packet, super->len);
	model_put(super->packet + model_check_at(packet), model_pseudo(packet, super->len));
	make_header(super, &spec, size);
	super->honest = !input->left;
	damage(input, (uint8_t *)&super->header, sizeof(super->header));
	damage(input, super->packet, super->len);
}

static void read_super(struct super *super, struct input *input)
{
	*super = (struct super){0};
	if (input_byte(input) & 1) {
		build(super, input);
	} else {
		input_bytes(input, &super->header, sizeof(super->header));
		super->len = input->left;
		super->packet = exact(input->at, super->len);
	}
	super->original = exact(super->packet, super->len);
}

/* 0xffff and 0 are the same number in ones' complement. */
static unsigned same_zero(unsigned sum)
{
	return sum == 0xffff ? 0 : sum;
}

/* Where segment_parse() must have found the header. */
static size_t transport_at(const struct super *super, uint8_t protocol)
{
	const uint8_t *packet = super->original;
	uint8_t next = packet[6];
	size_t at = 40;

	if (packet[0] >> 4 == 4)
		return (packet[0] & 15u) * 4;
	while (next != protocol) {
		next = packet[at];
		at += 8 * (packet[at + 1] + 1u);
	}
	return at;
}

/* The sum that the checksum of packet i is made of, after the field was zeroed. */
static unsigned reference_sum(const struct super *super, const uint8_t *packet, size_t len,
			      size_t at, size_t check, uint8_t protocol)
{
	bool ip4 = packet[0] >> 4 == 4;
	unsigned sum;
	uint8_t word[4] = {0, protocol, (uint8_t)((len - at) >> 8), (uint8_t)(len - at)};

	if (super->header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		uint8_t before[2] = {(uint8_t) ~((super->len - at) >> 8),
				     (uint8_t) ~(super->len - at)};
		sum = model_sum(model_get(super->original + at + check), before, 2);
		sum = model_sum(sum, word + 2, 2);
	} else {
		sum = ip4 ? model_sum(0, packet + 12, 8) : model_sum(0, packet + 8, 32);
		sum = model_sum(sum, word, 4);
	}
	return model_sum(sum, packet + at, len - at);
}

/* Packet i by the book, from the original. */
static size_t reference(const struct super *super, const struct segment *segment, unsigned i,
			uint8_t *packet)
{
	bool tcp = super->header.gso_type != VIRTIO_NET_HDR_GSO_UDP_L4;
	uint8_t protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	size_t at = segment->transport_at, check = tcp ? 16 : 6, size = super->header.gso_size;
	size_t head = at + (tcp ? (super->original[at + 12] >> 4) * 4u : 8);
	size_t from = head + i * size, left = super->len - from, some = left < size ? left : size;
	size_t len = head + some;
	uint8_t *transport = packet + at;
	unsigned sum;

	memcpy(packet, super->original, head);
	memcpy(packet + head, super->original + from, some);
	if (packet[0] >> 4 == 4) {
		model_put(packet + 2, len);
		model_put(packet + 4, (model_get(packet + 4) + i) & 0xffff);
		model_put(packet + 10, 0);
		model_put(packet + 10, ~model_sum(0, packet, at) & 0xffff);
	} else {
		model_put(packet + 4, len - 40);
	}
	if (tcp) {
		model_put32(transport + 4, transport_get32(transport + 4) + (uint32_t)(i * size));
		transport[13] &= i ? 0x7f : 0xff;
		transport[13] &= left > size ? 0xf6 : 0xff;
	} else {
		model_put(transport + 4, len - at);
	}
	model_put(transport + check, 0);
	sum = ~reference_sum(super, packet, len, at, check, protocol) & 0xffff;
	model_put(transport + check, sum || tcp ? sum : 0xffff);
	return len;
}

static void check_packet(const struct super *super, const struct segment *segment, unsigned i)
{
	static uint8_t expected[MODEL_PACKET_MAX];
	bool tcp = super->header.gso_type != VIRTIO_NET_HDR_GSO_UDP_L4;
	size_t check = segment->transport_at + (tcp ? 16 : 6);
	size_t len = reference(super, segment, i, expected);
	uint8_t *packet = malloc(len);

	CHECK(packet);
	CHECK(len == (i + 1 < segment->count ? segment->len : segment->last_len));
	segment_write(segment, i, packet);
	CHECK(same_zero(model_get(packet + check)) == same_zero(model_get(expected + check)));
	CHECK(tcp || model_get(packet + check));
	memcpy(packet + check, expected + check, 2);
	if (packet[0] >> 4 == 4) {
		CHECK(same_zero(model_get(packet + 10)) == same_zero(model_get(expected + 10)));
		memcpy(packet + 10, expected + 10, 2);
	}
	CHECK(!memcmp(packet, expected, len));
	free(packet);
}

static void check_super(const struct super *super, const struct segment *segment)
{
	uint8_t protocol =
		super->header.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4 ? IPPROTO_UDP : IPPROTO_TCP;

	CHECK(segment->transport_at == transport_at(super, protocol));
	CHECK(segment->last_len <= segment->len && segment->last_len > segment->payload_at);
	CHECK((segment->count - 1) * (segment->len - segment->payload_at) + segment->last_len ==
	      super->len);
	for (unsigned i = 0; i < segment->count && i < CHECKED_MAX; ++i)
		check_packet(super, segment, i);
	check_packet(super, segment, segment->count - 1);
}

/* Only a checksum may change, and only where one is asked for. */
static void check_plain(const struct super *super)
{
	size_t start = super->header.csum_start, field = start + super->header.csum_offset;

	if (!(super->header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)) {
		CHECK(!memcmp(super->packet, super->original, super->len));
		return;
	}
	CHECK(start >= PACKET_IP4_HEADER && field + 2 <= super->len);
	unsigned sum = ~model_sum(0, super->original + start, super->len - start) & 0xffff;
	CHECK(same_zero(model_get(super->packet + field)) == same_zero(sum));
	CHECK(model_get(super->packet + field));
	memcpy(super->packet + field, super->original + field, 2);
	CHECK(!memcmp(super->packet, super->original, super->len));
}

/* What the joiner wrote. */
struct joined {
	struct virtio_net_hdr header;
	uint8_t packet[MODEL_PACKET_MAX];
	size_t len;
	unsigned writes;
};

static void write_joined(void *arg, const struct iovec *iov, unsigned count)
{
	struct joined *joined = arg;

	joined->len = 0;
	++joined->writes;
	memcpy(&joined->header, iov[0].iov_base, sizeof(joined->header));
	for (unsigned i = 1; i < count; ++i) {
		memcpy(joined->packet + joined->len, iov[i].iov_base, iov[i].iov_len);
		joined->len += iov[i].iov_len;
	}
}

/* Split and joined again: the very same, if it is of a kind that is joined. */
static void check_joined(const struct super *super, const struct segment *segment)
{
	static struct joined joined;
	struct joiner joiner;
	uint8_t *packets[JOIN_PACKETS_MAX];
	const uint8_t *original = super->original, *flags = original + segment->transport_at + 13;
	size_t simple = original[0] >> 4 == 4 ? 20 : 40;

	if (segment->count < 2 || segment->count > JOIN_PACKETS_MAX ||
	    segment->transport_at != simple)
		return;
	if (segment->protocol == IPPROTO_TCP && (*flags & ~TCP_PSH) != TCP_ACK)
		return;
	joined.writes = 0;
	join_init(&joiner, true, true, write_joined, &joined);
	for (unsigned i = 0; i < segment->count; ++i) {
		size_t len = i + 1 < segment->count ? segment->len : segment->last_len;
		packets[i] = malloc(len);
		CHECK(packets[i]);
		segment_write(segment, i, packets[i]);
		join_add(&joiner, packets[i], len);
	}
	join_flush(&joiner);
	CHECK(joined.writes == 1 && joined.len == super->len);
	CHECK(!memcmp(&joined.header, &super->header, sizeof(joined.header)));
	CHECK(!memcmp(joined.packet, original, super->len));
	for (unsigned i = 0; i < segment->count; ++i)
		free(packets[i]);
}

static void check_answer(const struct super *super)
{
	uint8_t answer[ICMP_ANSWER_MAX], none[ICMP_ANSWER_MAX], *copy;
	int family = packet_family(super->original, super->len);
	const uint8_t *quoted;
	uint8_t rest[4] = {0, IPPROTO_ICMPV6};
	size_t len = 0;

	if (family)
		len = icmp_unreachable(answer, super->original, super->len, family);
	if (len && family == AF_INET) {
		CHECK(len <= 576 && model_get(answer + 2) == len);
		CHECK(model_sum(0, answer, 20) == 0xffff);
		CHECK(model_sum(0, answer + 20, len - 20) == 0xffff);
		CHECK(!memcmp(answer + 12, super->original + 16, 4));
		CHECK(!memcmp(answer + 16, super->original + 12, 4));
		quoted = answer + 28;
		CHECK(!memcmp(quoted, super->original, len - 28));
	} else if (len) {
		CHECK(len <= ICMP_ANSWER_MAX && model_get(answer + 4) == len - 40);
		model_put(rest + 2, len - 40);
		CHECK(model_sum(model_sum(model_sum(0, answer + 8, 32), rest, 4), answer + 40,
				len - 40) == 0xffff);
		quoted = answer + 48;
		CHECK(!memcmp(quoted, super->original, len - 48));
	}
	/* No answer to an answer. */
	copy = exact(answer, len);
	CHECK(!len || !icmp_unreachable(none, copy, len, family));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct segment segment;
	struct super super;

	read_super(&super, &input);
	check_answer(&super);
	int rc = segment_parse(&segment, &super.header, super.packet, super.len);
	CHECK(rc == 0 || rc == -EINVAL);
	if (rc)
		CHECK(!memcmp(super.packet, super.original, super.len));
	else if (super.header.gso_type == VIRTIO_NET_HDR_GSO_NONE)
		check_plain(&super);
	else
		check_super(&super, &segment);
	if (!rc && super.honest)
		check_joined(&super, &segment);
	free(super.packet);
	free(super.original);
	return 0;
}
