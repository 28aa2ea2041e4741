/* SPDX-License-Identifier: MIT
 * Joining packets. What comes out goes to a witness, which knows what went in. */
#include "engine/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "engine/segment.h"
#include "join_witness.h"

static void joins_equal_packets(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct model_spec spec = kind_spec(kind);
		begin(true, true);
		for (unsigned i = 0; i < 10; i++)
			add_next(&spec, 1000);
		assert_int_equal(witness.writes, 0);
		assert_int_equal(flush(), 1);
		assert_int_equal(witness.longest, 10);
		assert_int_equal(witness.header.gso_size, 1000);
	}
}

/* A shorter one ends the super-packet at once; so does PSH, which appears in its header. A longer
 * one begins another. */
static void ends_with_short_and_push(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct model_spec spec = kind_spec(kind);
		begin(true, true);
		add_next(&spec, 1000);
		add_next(&spec, 1000);
		add_next(&spec, 999);
		assert_int_equal(witness.writes, 1);
		assert_int_equal(witness.longest, 3);
		add_next(&spec, 500);
		add_next(&spec, 501);
		assert_int_equal(witness.writes, 2);
		add_next(&spec, 501);
		assert_int_equal(flush(), 3);
		if (spec.protocol == IPPROTO_UDP)
			continue;
		add_next(&spec, 100);
		spec.flags |= TCP_PSH;
		add_next(&spec, 100);
		assert_int_equal(witness.writes, 4);
		assert_true(witness.super[model_transport_at(witness.super) + 13] & TCP_PSH);
		add_next(&spec, 100); /* alone */
		assert_int_equal(witness.writes, 5);
		assert_int_equal(flush(), 5);
	}
}

/* Changes one thing of a flow's packet that keeps it from being joined, and keeps its checksums
 * right; false: there is no such thing for this kind. */
static bool differ(unsigned way, struct model_spec *spec)
{
	bool tcp = spec->protocol == IPPROTO_TCP, ip4 = spec->family == AF_INET;
	static const uint8_t flags[] = {0x01, 0x02, 0x04, 0x20, 0x40, 0x80};

	if (way < 6) {
		spec->flags ^= flags[way];
		return tcp;
	}
	switch (way) {
	case 6:
		spec->flags = 0;
		return tcp;
	case 7:
		spec->ack++;
		return tcp;
	case 8:
		spec->window++;
		return tcp;
	case 9:
		spec->sequence++;
		return tcp;
	case 10:
		spec->sequence -= 0x10000;
		return tcp;
	case 11:
		spec->tcp_options += 4;
		return tcp;
	case 12:
		spec->tos ^= 1;
		return true;
	case 13:
		spec->ttl++;
		return true;
	case 14:
		spec->ip_options = 8;
		return true;
	case 15:
		spec->label++;
		return !ip4;
	case 16:
		spec->dont_fragment = true;
		return ip4;
	default:
		spec->id++;
		return ip4;
	}
}

/* The flow's packets before it go out first, and it does not join those behind it either. */
static void keeps_apart_what_differs(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4 * 18; way++) {
		struct model_spec spec = kind_spec(way % 4), other;
		begin(true, true);
		add_next(&spec, 100);
		add_next(&spec, 100);
		other = spec;
		if (!differ(way / 4, &other))
			continue;
		add_next(&other, 100);
		assert_int_equal(witness.writes, way / 4 < 7 || way / 4 == 14 ? 2 : 1);
		assert_int_equal(witness.longest, 2);
		spec.id++;
		spec.sequence += 100;
		add_next(&spec, 100);
		add_next(&spec, 100);
		assert_int_equal(flush(), 3);
	}
}

/* Bits of headers that the specs do not make. */
static void keeps_apart_odd_headers(void **state)
{
	static const struct {
		int family;
		uint8_t protocol;
		size_t at;
		uint8_t value;
	} cases[] = {
		{AF_INET, IPPROTO_TCP, 32, 0x81}, /* a reserved bit of TCP */
		{AF_INET, IPPROTO_TCP, 39, 1},    /* the urgent pointer */
		{AF_INET, IPPROTO_TCP, 45, 8},    /* an option */
		{AF_INET6, IPPROTO_TCP, 71, 0},   /* the last byte of options */
		{AF_INET, IPPROTO_UDP, 6, 0x20},  /* a first fragment */
		{AF_INET, IPPROTO_UDP, 7, 1},     /* a last fragment */
		{AF_INET, IPPROTO_UDP, 6, 0x80},  /* a reserved bit */
		{AF_INET6, IPPROTO_UDP, 6, IPPROTO_FRAGMENT},
		{AF_INET6, IPPROTO_UDP, 6, IPPROTO_ICMPV6},
		{AF_INET, IPPROTO_UDP, 9, IPPROTO_UDPLITE},
	};
	uint8_t packet[2000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model_spec spec = plain_spec(cases[i].family, cases[i].protocol);
		begin(true, true);
		add_next(&spec, 100);
		add_next(&spec, 100);
		size_t len = build_next(&spec, 100, packet);
		assert_int_not_equal(packet[cases[i].at], cases[i].value);
		packet[cases[i].at] = cases[i].value;
		model_seal(packet, len);
		add(packet, len, 0);
		assert_int_equal(witness.writes, 1 + (i < 1 || i > 3));
		assert_int_equal(witness.longest, 2);
		add_next(&spec, 100);
		assert_int_equal(flush(), 3);
	}
}

/* Only the flow itself has to go out before what cannot be joined, but all flows between two
 * addresses before what shows no ports. */
static void flushes_what_might_be_overtaken(void **state)
{
	struct model_spec one = plain_spec(AF_INET, IPPROTO_TCP), two = one, other = one;

	(void)state;
	two.port++;
	other.host++;
	add_next(&one, 100);
	add_next(&two, 100);
	add_next(&other, 100);
	add_next(&one, 0);
	assert_int_equal(witness.writes, 2);
	add_next(&one, 100);
	one.ip_options = 4;
	add_next(&one, 100);
	assert_int_equal(witness.writes, 5);
	assert_int_equal(flush(), 6);
	assert_int_equal(witness.longest, 1);
}

/* Two protocols with the same ports are two flows. */
static void tells_protocols_apart(void **state)
{
	struct model_spec tcp = plain_spec(AF_INET, IPPROTO_TCP);
	struct model_spec udp = plain_spec(AF_INET, IPPROTO_UDP);

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		add_next(&tcp, 100);
		add_next(&udp, 100);
	}
	assert_int_equal(flush(), 2);
}

/* Cut at every length, and consistent but for that. */
static void passes_on_cut_headers(void **state)
{
	uint8_t packet[200];

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct model_spec spec = kind_spec(kind);
		for (size_t cut = 1; cut <= model_build(&spec, 0, packet); cut++) {
			model_put(packet + (kind & 1 ? 2 : 4), kind & 1 ? cut : cut - 40);
			begin(true, true);
			add(packet, cut, 0);
			add(packet, cut, 0);
			assert_int_equal(witness.writes, 2);
		}
		if (spec.protocol == IPPROTO_TCP) {
			size_t len = model_build(&spec, 100, packet);
			packet[model_transport_at(packet) + 12] = 0x40;
			add(packet, len, 0);
			assert_int_equal(witness.writes, 3);
		}
		flush();
	}
}

/* Lengths that contradict each other under a checksum that is right. */
static void needs_the_length_of_udp(void **state)
{
	struct model_spec spec = plain_spec(AF_INET, IPPROTO_UDP);
	uint8_t packet[200];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		size_t len = build_next(&spec, 100, packet);
		model_put(packet + 24, model_get(packet + 24) - 1);
		unsigned check = model_get(packet + 26) + 1;
		model_put(packet + 26, (check & 0xffff) + (check >> 16));
		add(packet, len, 0);
		assert_int_equal(witness.writes, i + 1);
	}
	flush();
}

static void needs_checksums(void **state)
{
	uint8_t packet[2000];

	(void)state;
	for (unsigned kind = 0; kind < 2; kind++) {
		struct model_spec spec = kind_spec(kind);
		begin(true, true);
		for (unsigned i = 0; i < 3; i++) {
			size_t len = build_next(&spec, 100, packet);
			model_put(packet + model_check_at(packet), 0);
			add(packet, len, 0);
			assert_int_equal(witness.writes, i + 1);
		}
		add_next(&spec, 0); /* no data */
		add_next(&spec, 0);
		assert_int_equal(flush(), 5);
	}
}

/* Each byte of each of four packets wrong, once: that packet comes out alone, as the witness checks
 * bit by bit, and the others do not suffer. */
static void passes_on_what_is_corrupted(void **state)
{
	uint8_t packets[4][200];
	size_t len = 0;

	(void)state;
	for (unsigned kind = 0; kind < 4; kind++) {
		struct model_spec spec = kind_spec(kind);
		for (unsigned i = 0; i < 4; i++)
			len = build_next(&spec, 90, packets[i]);
		for (size_t at = 0; at < 4 * len; at++) {
			unsigned bad = (unsigned)(at / len);
			uint8_t flip = (uint8_t)(1 + draw(255));
			begin(true, true);
			packets[bad][at % len] ^= flip;
			/* What is wrong may say that it is of another flow. */
			for (unsigned i = 0; i < 4; i++)
				add(packets[i], len, i == bad);
			packets[bad][at % len] ^= flip;
			unsigned writes = flush();
			assert_in_range(writes, 2, 3);
			assert_true(witness.longest == (bad == 0 || bad == 3 ? 3 : 2) ||
				    (kind < 2 && witness.longest == 3));
		}
	}
}

static void stays_within_bounds(void **state)
{
	/* 13 times 5039 is all that UDP over IPv4 has room for. */
	static const size_t payloads[] = {1,    2,    500,  1000, 1024, 1300,
					  1372, 1440, 5039, 8900, 30000};

	(void)state;
	for (unsigned trial = 0; trial < 44; trial++) {
		size_t payload = payloads[trial / 4], most;
		struct model_spec spec = kind_spec(trial % 4);
		begin(true, true);
		for (unsigned i = 0; i < 130; i++)
			add_next(&spec, payload);
		flush();
		most = (MODEL_PACKET_MAX - model_payload_at(witness.inputs[0].original)) / payload;
		assert_int_equal(witness.longest,
				 most < JOIN_PACKETS_MAX ? most : JOIN_PACKETS_MAX);
		assert_int_equal(witness.writes, (130 + witness.longest - 1) / witness.longest);
	}
}

static void joins_what_is_allowed(void **state)
{
	(void)state;
	for (unsigned allowed = 0; allowed < 4; allowed++) {
		for (unsigned kind = 0; kind < 4; kind++) {
			struct model_spec spec = kind_spec(kind);
			begin(allowed & 1, allowed & 2);
			for (unsigned i = 0; i < 5; i++)
				add_next(&spec, 100);
			bool joins = spec.protocol == IPPROTO_TCP ? allowed & 1 : allowed & 2;
			assert_int_equal(witness.writes, joins ? 0 : 5);
			assert_int_equal(flush(), joins ? 1 : 5);
		}
	}
}

/* Ids need not be in a row under "don't fragment". */
static void ignores_ids_of_whole_packets(void **state)
{
	struct model_spec spec = plain_spec(AF_INET, IPPROTO_UDP);

	(void)state;
	spec.dont_fragment = true;
	for (unsigned i = 0; i < 10; i++) {
		spec.id = (uint16_t)draw(65536);
		add_next(&spec, 100);
	}
	assert_int_equal(flush(), 1);
}

/* More flows than slots: the witness checks that none loses or reorders anything. */
static void interleaves_flows(void **state)
{
	unsigned joined = 0;

	(void)state;
	for (unsigned trial = 0; trial < 100; trial++) {
		unsigned flows = 1 + (unsigned)draw(2 * JOIN_SLOTS), batches = 1 + draw(3);
		struct model_spec specs[2 * JOIN_SLOTS];
		for (unsigned i = 0; i < flows; i++) {
			specs[i] = kind_spec((unsigned)draw(4));
			specs[i].host = (uint8_t)i;
			specs[i].dont_fragment = draw(2);
			specs[i].port = (uint16_t)(5000 + draw(2));
		}
		begin(true, true);
		for (unsigned i = 0; i < 100 * batches; i++) {
			struct model_spec *spec = &specs[draw(draw(4) ? 2 : flows) % flows];
			spec->flags = (uint8_t)(TCP_ACK | (draw(16) ? 0 : 1 << draw(8)));
			spec->window = (uint16_t)(draw(30) ? spec->window : draw(9));
			add_next(spec, draw(12) ? 200 : draw(300));
			if (draw(100) == 0)
				join_flush(&joiner);
		}
		joined += 100 * batches - flush();
	}
	assert_true(joined > 10000);
}

/* What is written once may be split again: the same super-packet comes back. */
static void undoes_segment(void **state)
{
	static uint8_t super[MODEL_PACKET_MAX], original[MODEL_PACKET_MAX], packet[9000];
	struct segment segment;

	(void)state;
	for (unsigned trial = 0; trial < 300; trial++) {
		struct model_spec spec = kind_spec((unsigned)draw(4));
		size_t size = 1 + draw(3000), count = 2 + draw(JOIN_PACKETS_MAX - 1);
		spec.flags |= draw(2) ? TCP_PSH : 0;
		spec.dont_fragment = draw(2);
		spec.tos = (uint8_t)draw(256);
		spec.tcp_options = draw(11) * 4;
		if (count * size > MODEL_PACKET_MAX - 100)
			count = (MODEL_PACKET_MAX - 100) / size;
		size_t len = model_build(&spec, count * size - draw(draw(2) ? size : 1), super);
		size_t check = model_check_at(super), at = model_transport_at(super);
		model_put(super + check, model_pseudo(super, len));
		memcpy(original, super, len);
		struct virtio_net_hdr header = {
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			.gso_type = spec.protocol == IPPROTO_UDP ? VIRTIO_NET_HDR_GSO_UDP_L4
				    : spec.family == AF_INET     ? VIRTIO_NET_HDR_GSO_TCPV4
								 : VIRTIO_NET_HDR_GSO_TCPV6,
			.hdr_len = (uint16_t)model_payload_at(super),
			.gso_size = (uint16_t)size,
			.csum_start = (uint16_t)at,
			.csum_offset = (uint16_t)(check - at),
		};
		assert_int_equal(segment_parse(&segment, &header, super, len), 0);
		assert_int_equal(segment.count, count);
		begin(true, true);
		for (unsigned i = 0; i < count; i++) {
			segment_write(&segment, i, packet);
			add(packet, i + 1 < count ? segment.len : segment.last_len, 0);
		}
		assert_int_equal(flush(), 1);
		assert_memory_equal(&witness.header, &header, sizeof(header));
		assert_int_equal(witness.super_len, len);
		assert_memory_equal(witness.super, original, len);
	}
}

/* Anything at all, cut anywhere: it comes out once, as it was, and nothing beyond it is read. */
static void survives_mutations(void **state)
{
	uint8_t packet[2000];

	(void)state;
	for (unsigned trial = 0; trial < 200; trial++) {
		struct model_spec spec = kind_spec((unsigned)draw(4));
		begin(true, true);
		for (unsigned i = 0; i < 100; i++) {
			size_t len = build_next(&spec, draw(10) ? 60 : draw(80), packet);
			if (draw(4) == 0)
				len = 1 + draw(len);
			for (uint64_t n = draw(3); n; n--)
				packet[draw(len < 60 ? len : 60)] ^= (uint8_t)(1 << draw(8));
			if (draw(2) && len > 60)
				model_seal(packet, len);
			add(packet, len, i);
		}
		flush();
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joins_equal_packets),
		TEST(ends_with_short_and_push),
		TEST(keeps_apart_what_differs),
		TEST(keeps_apart_odd_headers),
		TEST(flushes_what_might_be_overtaken),
		TEST(tells_protocols_apart),
		TEST(passes_on_cut_headers),
		TEST(needs_the_length_of_udp),
		TEST(needs_checksums),
		TEST(passes_on_what_is_corrupted),
		TEST(stays_within_bounds),
		TEST(joins_what_is_allowed),
		TEST(ignores_ids_of_whole_packets),
		TEST(interleaves_flows),
		TEST(undoes_segment),
		TEST(survives_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
