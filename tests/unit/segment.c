/* SPDX-License-Identifier: MIT
 * Splitting super-packets against a model that splits in the plainest way. */
#include "engine/segment.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "engine/transport.h"
#include "transport_model.h"

#define GUARD 16

/* A super-packet, what the kernel says of it, and a copy to split by the model. */
struct super {
	struct virtio_net_hdr header;
	size_t len, size;
	uint8_t packet[MODEL_PACKET_MAX], original[MODEL_PACKET_MAX];
};

static struct super *super;

static int make_super(void **state)
{
	(void)state;
	super = calloc(1, sizeof(*super));
	return super ? 0 : -1;
}

static int free_super(void **state)
{
	(void)state;
	free(super);
	return 0;
}

static struct model_spec draw_spec(void)
{
	struct model_spec spec = {
		.family = draw(2) ? AF_INET : AF_INET6,
		.protocol = draw(3) ? IPPROTO_TCP : IPPROTO_UDP,
		.tos = (uint8_t)draw(256),
		.ttl = (uint8_t)(1 + draw(255)),
		.host = (uint8_t)draw(256),
		.flags = (uint8_t)(TCP_ACK | (draw(256) & (TCP_FIN | TCP_PSH | TCP_CWR | 0x40))),
		.dont_fragment = draw(2),
		.id = (uint16_t)draw(65536),
		.port = (uint16_t)draw(65536),
		.window = (uint16_t)draw(65536),
		.label = (uint32_t)draw(1 << 20),
		.sequence = (uint32_t)draw(UINT64_C(1) << 32),
		.ack = (uint32_t)draw(UINT64_C(1) << 32),
		.tcp_options = draw(11) * 4,
	};

	if (draw(4) == 0)
		spec.ip_options = spec.family == AF_INET ? draw(11) * 4 : draw(5) * 8;
	return spec;
}

static uint8_t gso_type(const struct model_spec *spec)
{
	if (spec->protocol == IPPROTO_UDP)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	return (uint8_t)((spec->family == AF_INET ? VIRTIO_NET_HDR_GSO_TCPV4
						  : VIRTIO_NET_HDR_GSO_TCPV6) |
			 (spec->flags & TCP_CWR ? VIRTIO_NET_HDR_GSO_ECN : 0));
}

/* A super-packet as the kernel gives it: the pseudo-header's sum in the checksum field, or, seldom,
 * a field that is out of date and no NEEDS_CSUM. */
static void draw_super_of(const struct model_spec *spec, size_t payload, size_t size)
{
	size_t check;
	bool partial = spec->ip_options || draw(8);

	super->len = model_build(spec, payload, super->packet);
	super->size = size;
	check = model_check_at(super->packet);
	model_put(super->packet + check,
		  partial ? model_pseudo(super->packet, super->len) : draw(65536));
	memcpy(super->original, super->packet, super->len);
	super->header = (struct virtio_net_hdr){
		.flags = partial ? VIRTIO_NET_HDR_F_NEEDS_CSUM : VIRTIO_NET_HDR_F_DATA_VALID,
		.gso_type = gso_type(spec),
		.hdr_len = (uint16_t)draw(65536), /* not to be believed */
		.gso_size = (uint16_t)size,
	};
	if (partial) {
		size_t at = model_transport_at(super->packet);
		super->header.csum_start = (uint16_t)at;
		super->header.csum_offset = (uint16_t)(check - at);
	}
}

static size_t room(const struct model_spec *spec)
{
	return MODEL_PACKET_MAX - (spec->family == AF_INET ? 20 : 40) - spec->ip_options -
	       (spec->protocol == IPPROTO_UDP ? 8 : 20 + spec->tcp_options);
}

/* Lengths that are exact multiples, one more or less, or a single packet. */
static void draw_super(void)
{
	struct model_spec spec = draw_spec();
	size_t size = 1 + draw(draw(4) ? 1500 : 9000), most = room(&spec), payload;

	payload = size * draw(draw(4) ? 50 : 2) + (draw(2) ? draw(size) : draw(3));
	if (payload < 1 || payload > most)
		payload = draw(2) ? most : 1;
	draw_super_of(&spec, payload, size);
}

/* Writes packet i to exact memory between guards, and compares it with the model's. */
static void check_packet(const struct segment *segment, unsigned i)
{
	static uint8_t expected[MODEL_PACKET_MAX];
	size_t len = model_split(super->original, super->len, super->size, i, expected);
	uint8_t guard[GUARD], *memory;

	assert_int_equal(i + 1 < segment->count ? segment->len : segment->last_len, len);
	memory = malloc(GUARD + len + GUARD);
	assert_non_null(memory);
	memset(memory, 0xa5, GUARD + len + GUARD);
	memset(guard, 0xa5, GUARD);
	segment_write(segment, i, memory + GUARD);
	assert_true(model_valid(memory + GUARD, len));
	assert_memory_equal(memory + GUARD, expected, len);
	assert_memory_equal(memory, guard, GUARD);
	assert_memory_equal(memory + GUARD + len, guard, GUARD);
	free(memory);
}

static void check_super(void)
{
	static uint8_t beyond[MODEL_PACKET_MAX];
	struct segment segment;

	assert_int_equal(segment_parse(&segment, &super->header, super->packet, super->len), 0);
	assert_true(segment.count >= 1);
	for (unsigned i = 0; i < segment.count; i++)
		check_packet(&segment, i);
	check_packet(&segment, (unsigned)draw(segment.count)); /* writing leaves no trace */
	assert_int_equal(
		model_split(super->original, super->len, super->size, segment.count, beyond), 0);
}

static void splits_like_the_model(void **state)
{
	(void)state;
	for (unsigned trial = 0; trial < 600; trial++) {
		draw_super();
		check_super();
	}
}

/* 64 KiB of the smallest packets, and of one packet that has not enough for gso_size. */
static void splits_extremes(void **state)
{
	struct model_spec spec = {.family = AF_INET, .protocol = IPPROTO_TCP, .flags = TCP_ACK};
	struct segment segment;

	(void)state;
	spec.id = 0xfffe;
	spec.sequence = 0xfffffff0;
	draw_super_of(&spec, room(&spec), 1);
	assert_int_equal(segment_parse(&segment, &super->header, super->packet, super->len), 0);
	assert_int_equal(segment.count, 65535 - 40);
	assert_int_equal(segment.len, 41);
	for (unsigned i = 0; i < 40; i++)
		check_packet(&segment, i);
	for (unsigned i = 0; i < 1000; i++)
		check_packet(&segment, (unsigned)draw(segment.count));
	check_packet(&segment, segment.count - 1);
	draw_super_of(&spec, 100, 65535);
	check_super();
	draw_super_of(&spec, room(&spec), 65535);
	check_super();
}

/* A UDP packet whose checksum comes out as zero must not say "none"; one of TCP may. */
static void zero_checksums(void **state)
{
	struct model_spec spec = {.family = AF_INET6, .protocol = IPPROTO_UDP};
	uint8_t packet[1000] = {0};
	struct segment segment;

	(void)state;
	for (unsigned trial = 0; trial < 2; trial++) {
		draw_super_of(&spec, 200, 100);
		size_t at = model_payload_at(super->packet), check = model_check_at(super->packet);
		/* What one packet's checksum is, its own payload must make up for. */
		model_split(super->packet, super->len, 100, 1, packet);
		unsigned sum = model_get(packet + check);
		unsigned fill = model_get(super->packet + at + 100) + sum;
		model_put(super->packet + at + 100, (fill & 0xffff) + (fill >> 16));
		assert_int_equal(segment_parse(&segment, &super->header, super->packet, super->len),
				 0);
		segment_write(&segment, 1, packet);
		assert_int_equal(model_get(packet + check),
				 spec.protocol == IPPROTO_UDP ? 0xffff : 0);
		assert_int_equal(model_sum(model_pseudo(packet, segment.last_len),
					   packet + model_transport_at(packet),
					   segment.last_len - model_transport_at(packet)),
				 0xffff);
		spec.protocol = IPPROTO_TCP;
	}
}

static void completes_plain_packets(void **state)
{
	static uint8_t expected[MODEL_PACKET_MAX], written[MODEL_PACKET_MAX];
	struct segment segment;

	(void)state;
	for (unsigned trial = 0; trial < 500; trial++) {
		struct model_spec spec = draw_spec();
		draw_super_of(&spec, draw(1400), 1);
		bool partial = super->header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
		super->header.gso_type = VIRTIO_NET_HDR_GSO_NONE;
		super->header.gso_size = (uint16_t)draw(2);
		memcpy(expected, super->packet, super->len);
		if (partial)
			model_seal(expected, super->len);
		assert_int_equal(segment_parse(&segment, &super->header, super->packet, super->len),
				 0);
		assert_int_equal(segment.count, 1);
		assert_int_equal(segment.len, super->len);
		assert_int_equal(segment.last_len, super->len);
		if (partial && spec.protocol == IPPROTO_UDP)
			assert_memory_equal(super->packet, expected, super->len);
		assert_true(!partial || model_valid(super->packet, super->len));
		assert_memory_equal(super->packet, expected, model_check_at(expected));
		segment_write(&segment, 0, written);
		assert_memory_equal(written, super->packet, super->len);
	}
}

/* A plain packet of which the sum comes out as zero. */
static void completes_to_zero(void **state)
{
	struct model_spec spec = {.family = AF_INET, .protocol = IPPROTO_UDP};
	struct segment segment;

	(void)state;
	draw_super_of(&spec, 2, 1);
	super->header = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 20, .csum_offset = 6};
	memset(super->packet + 28, 0, 2);
	model_seal(super->packet, super->len);
	model_put(super->packet + 28, model_get(super->packet + 26));
	model_put(super->packet + 26, model_pseudo(super->packet, super->len));
	assert_int_equal(segment_parse(&segment, &super->header, super->packet, super->len), 0);
	assert_int_equal(model_get(super->packet + 26), 0xffff);
	assert_true(model_valid(super->packet, super->len));
}

/* Spoils what the kernel says of a good super-packet. */
static void spoil_header(unsigned way, bool ip4, bool tcp)
{
	struct virtio_net_hdr *header = &super->header;
	const uint8_t wrong_types[] = {
		ip4 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		tcp ? VIRTIO_NET_HDR_GSO_UDP_L4 : VIRTIO_NET_HDR_GSO_UDP_L4 | 0x80,
		VIRTIO_NET_HDR_GSO_UDP,
		VIRTIO_NET_HDR_GSO_ECN,
		0x40,
	};
	const size_t wrong_lengths[] = {0, 1, super->len - 1, super->len + 1,
					model_payload_at(super->packet)};

	if (way < 5)
		header->gso_type = wrong_types[way];
	else if (way < 10)
		super->len = wrong_lengths[way - 5];
	else if (way == 10)
		header->gso_size = 0;
	else if (way == 11)
		header->csum_start++;
	else if (way == 12)
		header->csum_start = 0;
	else
		header->csum_offset += 2;
}

/* The same of the packet. */
static void spoil_packet(unsigned way, bool ip4, bool tcp)
{
	uint8_t *packet = super->packet, *transport = packet + model_transport_at(packet);
	const uint8_t wrong_first4[] = {0x55, 0x65, 0x44, 0x46, 0x4f};
	const uint8_t wrong_first6[] = {0x70, 0x40, 0x45, 0x00, 0x20};
	const uint8_t wrong_next[] = {IPPROTO_ICMP, tcp ? IPPROTO_UDP : IPPROTO_TCP,
				      IPPROTO_FRAGMENT, IPPROTO_HOPOPTS};

	if (ip4 && way == 2)
		super->header.csum_start = 16; /* as its header length would have it */
	if (way < 5)
		packet[0] = ip4 ? wrong_first4[way] : wrong_first6[way];
	else if (way < 9)
		packet[ip4 ? 9 : 6] = wrong_next[way - 5];
	else if (way == 9)
		model_put(packet + (ip4 ? 2 : 4), 0);
	else if (ip4 && way == 10)
		packet[6] |= 0x20; /* the first fragment */
	else if (ip4 && way == 11)
		packet[7] |= 1; /* the last fragment */
	else if (tcp)
		transport[12] = way == 10 ? 0x40 : 0xf0; /* data begins in the header, or later */
	else
		model_put(packet + (ip4 ? 2 : 4), 0xffff);
}

static void refuses_contradictions(void **state)
{
	struct segment segment;

	(void)state;
	for (unsigned way = 0; way < 4 * 26; way++) {
		bool ip4 = way & 1, tcp = way & 2;
		struct model_spec spec = {
			.family = ip4 ? AF_INET : AF_INET6,
			.protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP,
			.flags = TCP_ACK,
			.tcp_options = 12,
		};
		do
			draw_super_of(&spec, tcp ? 28 : 200, 10);
		while (super->header.flags != VIRTIO_NET_HDR_F_NEEDS_CSUM);
		if (way / 4 < 14)
			spoil_header(way / 4, ip4, tcp);
		else
			spoil_packet(way / 4 - 14, ip4, tcp);
		if (segment_parse(&segment, &super->header, super->packet, super->len) != -EINVAL)
			fail_msg("way %u of %s over %s was accepted", way / 4, tcp ? "TCP" : "UDP",
				 ip4 ? "IPv4" : "IPv6");
	}
}

/* Without NEEDS_CSUM the destination must be the one in the header. */
static void refuses_to_guess_destinations(void **state)
{
	struct model_spec spec = {.family = AF_INET6, .protocol = IPPROTO_UDP, .ip_options = 8};
	struct segment segment;

	(void)state;
	draw_super_of(&spec, 100, 10);
	super->header.flags = 0;
	assert_int_equal(segment_parse(&segment, &super->header, super->packet, super->len),
			 -EINVAL);
}

/* Cut at every length, and consistent but for that, in exact memory: there must be a payload. */
static void refuses_cut_headers(void **state)
{
	struct segment segment;

	(void)state;
	for (unsigned kind = 0; kind < 8; kind++) {
		struct model_spec spec = {
			.family = kind & 1 ? AF_INET : AF_INET6,
			.protocol = kind & 2 ? IPPROTO_TCP : IPPROTO_UDP,
			.tcp_options = 12,
			.ip_options = kind & 4 ? 24 : 0,
		};
		do
			draw_super_of(&spec, 3, 1);
		while (super->header.flags != VIRTIO_NET_HDR_F_NEEDS_CSUM);
		for (size_t len = 1; len <= super->len; len++) {
			uint8_t *packet = malloc(len);
			assert_non_null(packet);
			if (spec.family == AF_INET)
				model_put(super->original + 2, len);
			else
				model_put(super->original + 4, len - 40);
			memcpy(packet, super->original, len);
			assert_int_equal(segment_parse(&segment, &super->header, packet, len),
					 len > model_payload_at(super->original) ? 0 : -EINVAL);
			free(packet);
		}
	}
}

/* A routing header hides the final destination, which is in the kernel's sum. */
static void believes_the_sum_of_the_pseudo_header(void **state)
{
	static const uint8_t kinds[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS};
	struct model_spec spec = {.family = AF_INET6, .protocol = IPPROTO_UDP, .ip_options = 16};
	uint8_t packet[200];
	struct segment segment;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		draw_super_of(&spec, 90, 100);
		super->packet[6] = kinds[i];
		super->packet[39] ^= 0xff;
		assert_int_equal(segment_parse(&segment, &super->header, super->packet, super->len),
				 0);
		segment_write(&segment, 0, packet);
		assert_int_equal(packet[6], kinds[i]);
		packet[6] = IPPROTO_DSTOPTS;
		packet[39] ^= 0xff;
		assert_true(model_valid(packet, segment.last_len));
	}
}

static void refuses_plain_out_of_range(void **state)
{
	static const struct {
		uint16_t start, offset, len;
		int expected;
	} cases[] = {
		{20, 16, 38, 0},          {20, 16, 37, -EINVAL},       {37, 0, 38, -EINVAL},
		{36, 0, 38, 0},           {38, 0, 38, -EINVAL},        {0, 10, 38, -EINVAL},
		{19, 2, 38, -EINVAL},     {65535, 65535, 38, -EINVAL}, {20, 65535, 38, -EINVAL},
		{65535, 20, 38, -EINVAL}, {20, 6, 0, -EINVAL},
	};
	struct segment segment;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct virtio_net_hdr header = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
						.csum_start = cases[i].start,
						.csum_offset = cases[i].offset};
		uint8_t *packet = calloc(1, cases[i].len + 1u);
		assert_non_null(packet);
		assert_int_equal(segment_parse(&segment, &header, packet, cases[i].len),
				 cases[i].expected);
		free(packet);
	}
	memset(super, 0, sizeof(*super));
	assert_int_equal(segment_parse(&segment, &super->header, super->packet, 0), -EINVAL);
	assert_int_equal(segment_parse(&segment, &super->header, super->packet, 65535), 0);
	assert_int_equal(segment_parse(&segment, &super->header, super->packet, 65536), -EINVAL);
}

/* Whatever it is told: what it accepts it writes within the lengths that it named, and out of the
 * packet that it was given. A sanitizer watches the rest. */
static void survives_mutations(void **state)
{
	unsigned accepted = 0, refused = 0;
	struct segment segment;

	(void)state;
	for (unsigned trial = 0; trial < 30000; trial++) {
		struct model_spec spec = draw_spec();
		draw_super_of(&spec, 1 + draw(300), 1 + draw(100));
		size_t len = draw(8) ? super->len : 1 + draw(super->len);
		uint8_t *packet = malloc(len);
		assert_non_null(packet);
		for (uint64_t n = draw(4); n; n--)
			((uint8_t *)&super->header)[draw(sizeof(super->header))] ^=
				(uint8_t)(1 << draw(8));
		memcpy(packet, super->packet, len);
		for (uint64_t n = draw(4); n; n--)
			packet[draw(len < 80 ? len : 80)] = (uint8_t)draw(256);
		if (segment_parse(&segment, &super->header, packet, len)) {
			refused++;
		} else {
			accepted++;
			assert_in_range(segment.last_len, 1, segment.len);
			assert_in_range(segment.len, 1, len);
			uint8_t *dst = malloc(segment.len), *last = malloc(segment.last_len);
			assert_true(dst && last);
			for (unsigned i = 0; i + 1 < segment.count; i++)
				segment_write(&segment, i, dst);
			segment_write(&segment, segment.count - 1, last);
			free(dst);
			free(last);
		}
		free(packet);
	}
	assert_true(accepted > 3000 && refused > 3000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_like_the_model),
		cmocka_unit_test(splits_extremes),
		cmocka_unit_test(zero_checksums),
		cmocka_unit_test(completes_plain_packets),
		cmocka_unit_test(completes_to_zero),
		cmocka_unit_test(refuses_contradictions),
		cmocka_unit_test(refuses_to_guess_destinations),
		cmocka_unit_test(refuses_cut_headers),
		cmocka_unit_test(believes_the_sum_of_the_pseudo_header),
		cmocka_unit_test(refuses_plain_out_of_range),
		cmocka_unit_test(survives_mutations),
	};

	return cmocka_run_group_tests(tests, make_super, free_super);
}
