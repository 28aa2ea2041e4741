/* SPDX-License-Identifier: MIT
 * Decrypted packets on their way to the system: the outer header's ECN, then the joiner. What it
 * writes is split again by the plainest model and must be the very packets that came: none
 * invented, lost, altered or twice, no order of a flow changed, no bad checksum turned good. */
#include "engine/join.h"

#include "engine/ecn.h"
#include "engine/packet.h"
#include "engine/transport.h"
#include "fuzz.h"
#include "packets.h"

#define PACKETS_MAX 160
#define BYTES_MAX (1u << 18)
#define FLOWS 4
#define RAW_MAX 128

/* A packet that went in. */
struct one {
	uint8_t *bytes, *original; /* of exactly len bytes; owned */
	size_t len;
	bool known; /* it has ports */
	bool written;
};

static struct witness {
	struct one ones[PACKETS_MAX];
	unsigned count, written;
	size_t bytes;
} witness;

static bool has_ports(const uint8_t *packet, size_t len)
{
	bool ip4 = packet[0] >> 4 == 4;
	size_t left = len - (ip4 ? 20 : 40);
	uint8_t protocol = packet[ip4 ? 9 : 6];

	if (ip4 && (packet[0] != 0x45 || model_get(packet + 6) & 0xbfff))
		return false;
	return (protocol == IPPROTO_TCP && left >= 20) || (protocol == IPPROTO_UDP && left >= 8);
}

/* Must b, which came later, stay behind a? */
static bool ordered(const struct one *a, const struct one *b)
{
	bool ip4 = a->original[0] >> 4 == 4;
	size_t addresses = ip4 ? 12 : 8, len = ip4 ? 8 : 32, ports = ip4 ? 20 : 40;
	size_t protocol = ip4 ? 9 : 6;

	if (a->original[0] >> 4 != b->original[0] >> 4 ||
	    memcmp(a->original + addresses, b->original + addresses, len) != 0)
		return false;
	if (!a->known || !b->known)
		return true;
	return a->original[protocol] == b->original[protocol] &&
	       !memcmp(a->original + ports, b->original + ports, 4);
}

/* The packet that the view is of, at its end or whole. */
static struct one *take(const struct iovec *view)
{
	const uint8_t *base = view->iov_base;
	struct one *found = NULL;

	for (unsigned i = 0; i < witness.count; ++i) {
		struct one *one = &witness.ones[i];
		if (base >= one->bytes && base + view->iov_len == one->bytes + one->len)
			found = one;
	}
	CHECK(found && !found->written);
	for (struct one *one = witness.ones; one < found; ++one)
		CHECK(one->written || !ordered(one, found));
	found->written = true;
	++witness.written;
	return found;
}

static void check_header(const struct virtio_net_hdr *header, const uint8_t *packet, size_t len)
{
	bool ip4 = packet[0] >> 4 == 4, tcp = model_protocol(packet) == IPPROTO_TCP;
	size_t at = ip4 ? 20 : 40;

	CHECK(header->flags == VIRTIO_NET_HDR_F_NEEDS_CSUM);
	CHECK(header->gso_type == (!tcp  ? MODEL_UDP_L4
				   : ip4 ? VIRTIO_NET_HDR_GSO_TCPV4
					 : VIRTIO_NET_HDR_GSO_TCPV6));
	CHECK(header->hdr_len == model_payload_at(packet));
	CHECK(header->csum_start == at && header->csum_offset == (tcp ? 16 : 6));
	CHECK(model_get(packet + model_check_at(packet)) == model_pseudo(packet, len));
	CHECK((ip4 ? model_get(packet + 2) : model_get(packet + 4) + 40) == len);
	CHECK(!ip4 || model_sum(0, packet, 20) == 0xffff);
	CHECK(tcp || model_get(packet + at + 4) == len - at);
}

/* Where a checksum may be either zero of ones' complement, the one becomes the other. */
static void same_zero(uint8_t *packet, const uint8_t *original, size_t field)
{
	if (!model_get(packet + field) && model_get(original + field) == 0xffff)
		model_put(packet + field, 0xffff);
	else if (!model_get(original + field) && model_get(packet + field) == 0xffff)
		model_put(packet + field, 0);
}

static void check_part(const uint8_t *super, size_t len, size_t size, unsigned i,
		       const struct one *one)
{
	static uint8_t packet[MODEL_PACKET_MAX];

	CHECK(model_split(super, len, size, i, packet) == one->len);
	if (packet[0] >> 4 == 4 && packet[6] & 0x40) {
		/* Under "don't fragment" an id means nothing. */
		memcpy(packet + 4, one->original + 4, 2);
		model_seal(packet, one->len);
	}
	if (packet[0] >> 4 == 4)
		same_zero(packet, one->original, 10);
	if (model_protocol(packet) == IPPROTO_TCP)
		same_zero(packet, one->original, model_check_at(packet));
	CHECK(!memcmp(packet, one->original, one->len));
}

static void write_joined(void *arg, const struct iovec *iov, unsigned count)
{
	static const struct virtio_net_hdr nothing;
	static uint8_t super[MODEL_PACKET_MAX];
	struct virtio_net_hdr header;
	size_t len = 0;

	CHECK(arg == &witness && count >= 2 && count <= 1 + JOIN_PACKETS_MAX);
	CHECK(iov[0].iov_len == sizeof(header));
	memcpy(&header, iov[0].iov_base, sizeof(header));
	for (unsigned i = 1; i < count; ++i) {
		CHECK(len + iov[i].iov_len <= sizeof(super));
		memcpy(super + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	if (count == 2) {
		const struct one *one = take(&iov[1]);
		CHECK(!memcmp(&header, &nothing, sizeof(header)));
		CHECK(len == one->len && !memcmp(super, one->original, len));
		return;
	}
	check_header(&header, super, len);
	for (unsigned i = 1; i < count; ++i)
		check_part(super, len, header.gso_size, i - 1, take(&iov[i]));
}

/* RFC 6040, figure 4, row by row (inner: Not-ECT, ECT(1), ECT(0), CE); 4: dropped. */
static unsigned model_ecn(unsigned inner, unsigned outer)
{
	static const uint8_t TABLE[4][4] = {
		{0, 0, 0, 4},
		{1, 1, 1, 3},
		{2, 1, 2, 3},
		{3, 3, 3, 3},
	};

	return TABLE[inner][outer];
}

/* False: the packet is dropped. */
static bool decapsulate(uint8_t *packet, size_t len, uint8_t tos)
{
	int family = packet_family(packet, len);
	unsigned shift = family == AF_INET ? 0 : 4;
	uint8_t before[40];
	unsigned expected = model_ecn(packet[1] >> shift & 3, tos & 3);
	bool right = family == AF_INET6 || model_sum(0, packet, 20) == 0xffff;
	size_t header = family == AF_INET ? 20 : 40;

	memcpy(before, packet, header);
	CHECK(ecn_get(packet, family) == (packet[1] >> shift & 3));
	CHECK(ecn_decapsulate(packet, family, tos) == (expected != 4));
	if (expected != 4) {
		CHECK((packet[1] >> shift & 3) == (int)expected);
		CHECK(family == AF_INET6 || right == (model_sum(0, packet, 20) == 0xffff));
		before[1] = (uint8_t)((before[1] & ~(3u << shift)) | expected << shift);
		if (family == AF_INET)
			memcpy(before + 10, packet + 10, 2);
	}
	CHECK(!memcmp(packet, before, header));
	return expected != 4;
}

static void add(struct joiner *joiner, const uint8_t *packet, size_t len, uint8_t tos)
{
	struct one *one = &witness.ones[witness.count];
	uint8_t *bytes = exact(packet, len);

	witness.bytes += len;
	if (!decapsulate(bytes, len, tos)) {
		free(bytes);
		return;
	}
	++witness.count;
	*one = (struct one){.bytes = bytes, .original = exact(bytes, len), .len = len};
	one->known = has_ports(bytes, len);
	join_add(joiner, bytes, len);
}

static void end_batch(struct joiner *joiner)
{
	join_flush(joiner);
	CHECK(witness.written == witness.count);
	for (unsigned i = 0; i < witness.count; ++i) {
		free(witness.ones[i].bytes);
		free(witness.ones[i].original);
	}
	witness.count = witness.written = 0;
}

/* Any bytes, as far as the way in lets them pass: of a known version, and as long as they say. */
static void add_raw(struct joiner *joiner, struct input *input, uint8_t tos)
{
	uint8_t packet[RAW_MAX + 40];
	bool ip4 = input_byte(input) & 1;
	size_t len = (ip4 ? 20 : 40) + input_byte(input) % RAW_MAX;

	input_bytes(input, packet, len);
	packet[0] = (uint8_t)((packet[0] & 15) | (ip4 ? 0x40 : 0x60));
	model_put(packet + (ip4 ? 2 : 4), ip4 ? len : len - 40);
	add(joiner, packet, len, tos);
}

/* The next packet of a flow, or one that is nearly that. */
static void add_next(struct joiner *joiner, struct input *input, struct model_spec *spec,
		     size_t *payload, uint8_t op, uint8_t tos)
{
	static uint8_t packet[2 * MODEL_PACKET_MAX];
	struct model_spec now = *spec;
	size_t len;

	if (op & 4)
		*payload = read_len(input, 20000);
	if (op & 8)
		now.flags |= TCP_PSH;
	len = model_build(&now, *payload, packet);
	if (op & 16) {
		/* A change that the checksums know of, then perhaps some they do not. */
		uint8_t *field = packet + input_byte(input) % model_payload_at(packet);
		uint8_t version = packet[0];
		*field = (uint8_t)(*field + input_byte(input));
		if (packet[0] == version && model_payload_at(packet) <= len)
			model_seal(packet, len);
	}
	if (op & 32)
		damage(input, packet, len);
	packet[0] = (uint8_t)((packet[0] & 15) | (spec->family == AF_INET ? 0x40 : 0x60));
	model_put(packet + (spec->family == AF_INET ? 2 : 4),
		  spec->family == AF_INET ? len : len - 40);
	spec->id++;
	spec->sequence += (uint32_t)*payload;
	add(joiner, packet, len, tos);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct model_spec specs[FLOWS];
	size_t payloads[FLOWS];
	struct joiner joiner;
	uint8_t can = input_byte(&input), tos = 0;

	seed = can;
	witness.bytes = 0;
	join_init(&joiner, !(can & 1), !(can & 2), write_joined, &witness);
	for (unsigned i = 0; i < FLOWS; ++i) {
		specs[i] = read_spec(&input);
		payloads[i] = 32;
	}
	while (input.left && witness.bytes < BYTES_MAX) {
		uint8_t op = input_byte(&input);
		if (op >= 0xf0)
			tos = op & 3;
		else if (op >= 0xe0 || witness.count == PACKETS_MAX)
			end_batch(&joiner);
		else if (op >= 0xc0)
			add_raw(&joiner, &input, tos);
		else
			add_next(&joiner, &input, &specs[op & 3], &payloads[op & 3], op, tos);
	}
	end_batch(&joiner);
	return 0;
}
