/* SPDX-License-Identifier: MIT
 * For tests: the far side of a joiner. It splits what is written by the plain model and must find
 * the very packets that went in, each once, and in the order of their flows. */
#pragma once

#include "engine/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "engine/transport.h"
#include "transport_model.h"

#define INPUTS_MAX 1024

struct input {
	uint8_t *bytes, *original; /* exact memory, so that a sanitizer sees what is beyond */
	size_t len;
	unsigned flow;
	bool written;
};

static struct witness {
	struct input inputs[INPUTS_MAX];
	unsigned count, written;        /* inputs */
	unsigned writes, longest;       /* calls; packets of the largest */
	unsigned flow_next[INPUTS_MAX]; /* of each flow: no smaller input may be written any more */
	uint8_t super[MODEL_PACKET_MAX]; /* the last one written */
	size_t super_len;
	struct virtio_net_hdr header;
} witness;

static struct joiner joiner;

/* The input that an iovec points into. */
static inline struct input *find_input(const struct iovec *iov)
{
	for (unsigned i = 0; i < witness.count; i++) {
		struct input *input = &witness.inputs[i];
		const uint8_t *base = iov->iov_base;
		if (base >= input->bytes && base + iov->iov_len == input->bytes + input->len)
			return input;
	}
	fail_msg("a view of no input");
	return NULL;
}

static inline void check_order(struct input *input)
{
	unsigned index = (unsigned)(input - witness.inputs);

	assert_false(input->written);
	input->written = true;
	witness.written++;
	assert_true(index >= witness.flow_next[input->flow]);
	witness.flow_next[input->flow] = index;
}

/* Header and partial checksum of a super-packet. */
static inline void check_super(const struct virtio_net_hdr *header, const uint8_t *packet,
			       size_t len)
{
	bool ip4 = packet[0] >> 4 == 4, tcp = model_protocol(packet) == IPPROTO_TCP;
	size_t at = ip4 ? 20 : 40;

	assert_int_equal(header->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header->gso_type, !tcp  ? MODEL_UDP_L4
					   : ip4 ? VIRTIO_NET_HDR_GSO_TCPV4
						 : VIRTIO_NET_HDR_GSO_TCPV6);
	assert_int_equal(header->hdr_len, model_payload_at(packet));
	assert_int_equal(header->csum_start, at);
	assert_int_equal(header->csum_offset, tcp ? 16 : 6);
	assert_int_equal(model_get(packet + model_check_at(packet)), model_pseudo(packet, len));
	assert_int_equal(ip4 ? model_get(packet + 2) : model_get(packet + 4) + 40, len);
	if (ip4)
		assert_int_equal(model_sum(0, packet, 20), 0xffff);
	if (!tcp)
		assert_int_equal(model_get(packet + at + 4), len - at);
}

/* Under "don't fragment" an IPv4 id means nothing: the second's becomes the first's. */
static inline void forget_id(uint8_t *packet, const uint8_t *original)
{
	if (packet[0] >> 4 != 4 || !(packet[6] & 0x40))
		return;
	memcpy(packet + 4, original + 4, 2);
	model_seal(packet, model_get(packet + 2));
}

static inline void witness_write(void *arg, const struct iovec *iov, unsigned count)
{
	static uint8_t packet[MODEL_PACKET_MAX];
	size_t len = 0;

	assert_ptr_equal(arg, &witness);
	assert_in_range(count, 2, 1 + JOIN_PACKETS_MAX);
	assert_int_equal(iov[0].iov_len, sizeof(witness.header));
	memcpy(&witness.header, iov[0].iov_base, sizeof(witness.header));
	for (unsigned i = 1; i < count; i++) {
		assert_true(len + iov[i].iov_len <= MODEL_PACKET_MAX);
		memcpy(witness.super + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	witness.super_len = len;
	witness.writes++;
	if (count - 1 > witness.longest)
		witness.longest = count - 1;
	if (count > 2)
		check_super(&witness.header, witness.super, len);
	for (unsigned i = 1; i < count; i++) {
		struct input *input = find_input(&iov[i]);
		check_order(input);
		if (count == 2) {
			static const struct virtio_net_hdr nothing;
			assert_memory_equal(&witness.header, &nothing, sizeof(nothing));
			assert_int_equal(len, input->len);
			assert_memory_equal(witness.super, input->original, len);
			continue;
		}
		assert_int_equal(
			model_split(witness.super, len, witness.header.gso_size, i - 1, packet),
			input->len);
		forget_id(packet, input->original);
		assert_memory_equal(packet, input->original, input->len);
	}
}

static inline void begin(bool tcp, bool udp)
{
	for (unsigned i = 0; i < witness.count; i++) {
		free(witness.inputs[i].bytes);
		free(witness.inputs[i].original);
	}
	memset(&witness, 0, sizeof(witness));
	join_init(&joiner, tcp, udp, witness_write, &witness);
}

static inline int set_up(void **state)
{
	(void)state;
	begin(true, true);
	return 0;
}

static inline void add(const uint8_t *packet, size_t len, unsigned flow)
{
	struct input *input = &witness.inputs[witness.count++];

	assert_true(witness.count <= INPUTS_MAX);
	*input = (struct input){
		.bytes = malloc(len), .original = malloc(len), .len = len, .flow = flow};
	assert_true(input->bytes && input->original);
	memcpy(input->bytes, packet, len);
	memcpy(input->original, packet, len);
	join_add(&joiner, input->bytes, len);
}

/* Ends a batch: everything that went in came out. Returns the number of writes. */
static inline unsigned flush(void)
{
	unsigned writes;

	join_flush(&joiner);
	assert_int_equal(witness.written, witness.count);
	writes = witness.writes;
	join_flush(&joiner);
	assert_int_equal(witness.writes, writes);
	return writes;
}

static inline struct model_spec plain_spec(int family, uint8_t protocol)
{
	return (struct model_spec){
		.family = family,
		.protocol = protocol,
		.ttl = 64,
		.flags = TCP_ACK,
		.id = 100,
		.port = 5000,
		.window = 500,
		.label = 0x12345,
		.sequence = 0xfffffc00, /* wraps soon */
		.ack = 77,
		.tcp_options = 12,
	};
}

static inline struct model_spec kind_spec(unsigned kind)
{
	return plain_spec(kind & 1 ? AF_INET : AF_INET6, kind & 2 ? IPPROTO_TCP : IPPROTO_UDP);
}

/* Makes the packet and moves the spec on to the next one. */
static inline size_t build_next(struct model_spec *spec, size_t payload, uint8_t *packet)
{
	size_t len = model_build(spec, payload, packet);

	spec->id++;
	spec->sequence += (uint32_t)payload;
	return len;
}

static inline void add_next(struct model_spec *spec, size_t payload)
{
	static uint8_t packet[MODEL_PACKET_MAX];
	size_t len = build_next(spec, payload, packet);

	add(packet, len, spec->host * 4u + spec->port % 2 * 2u + (spec->protocol == IPPROTO_UDP));
}
