/* SPDX-License-Identifier: MIT
 * For tests: TCP and UDP packets made, checked and split in the plainest way, a byte at a time. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "draw.h"

#define MODEL_PACKET_MAX 65535u
#define MODEL_UDP_L4 5

struct model_spec {
	int family;
	uint8_t protocol, tos, ttl, host, flags;
	bool dont_fragment;
	uint16_t id, port, window;
	uint32_t label, sequence, ack;
	size_t ip_options, tcp_options; /* bytes; of IPv6: of an extension header */
};

static inline void draw_bytes(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)draw(256);
}

static inline unsigned model_get(const uint8_t *field)
{
	return (unsigned)field[0] << 8 | field[1];
}

static inline void model_put(uint8_t *field, size_t value)
{
	field[0] = (uint8_t)(value >> 8);
	field[1] = (uint8_t)value;
}

/* RFC 1071 to the letter: big-endian words, the last one padded, carries added at once. */
static inline unsigned model_sum(unsigned sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? bytes[i] : (unsigned)bytes[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static inline size_t model_transport_at(const uint8_t *packet)
{
	if (packet[0] >> 4 == 4)
		return (packet[0] & 0xfu) * 4;
	return packet[6] == IPPROTO_DSTOPTS ? 40 + (packet[41] + 1u) * 8 : 40;
}

static inline uint8_t model_protocol(const uint8_t *packet)
{
	if (packet[0] >> 4 == 4)
		return packet[9];
	return packet[6] == IPPROTO_DSTOPTS ? packet[40] : packet[6];
}

static inline size_t model_payload_at(const uint8_t *packet)
{
	size_t at = model_transport_at(packet);

	return model_protocol(packet) == IPPROTO_UDP ? at + 8 : at + (packet[at + 12] >> 4) * 4u;
}

static inline size_t model_check_at(const uint8_t *packet)
{
	return model_transport_at(packet) + (model_protocol(packet) == IPPROTO_UDP ? 6 : 16);
}

static inline unsigned model_pseudo(const uint8_t *packet, size_t len)
{
	size_t transport_len = len - model_transport_at(packet);
	uint8_t rest[4] = {0, model_protocol(packet)};
	unsigned sum =
		packet[0] >> 4 == 4 ? model_sum(0, packet + 12, 8) : model_sum(0, packet + 8, 32);

	model_put(rest + 2, transport_len);
	return model_sum(sum, rest, sizeof(rest));
}

/* Sets lengths and checksums. */
static inline void model_seal(uint8_t *packet, size_t len)
{
	size_t at = model_transport_at(packet), check = model_check_at(packet);
	unsigned sum;

	if (packet[0] >> 4 == 4) {
		model_put(packet + 2, len);
		model_put(packet + 10, 0);
		model_put(packet + 10, ~model_sum(0, packet, at) & 0xffff);
	} else {
		model_put(packet + 4, len - 40);
	}
	if (model_protocol(packet) == IPPROTO_UDP)
		model_put(packet + at + 4, len - at);
	model_put(packet + check, 0);
	sum = ~model_sum(model_pseudo(packet, len), packet + at, len - at) & 0xffff;
	model_put(packet + check, sum || model_protocol(packet) == IPPROTO_TCP ? sum : 0xffff);
}

/* Are lengths and checksums right? */
static inline bool model_valid(const uint8_t *packet, size_t len)
{
	size_t at = model_transport_at(packet);

	if (packet[0] >> 4 == 4 &&
	    (model_get(packet + 2) != len || model_sum(0, packet, at) != 0xffff))
		return false;
	if (packet[0] >> 4 == 6 && model_get(packet + 4) != len - 40)
		return false;
	if (model_protocol(packet) == IPPROTO_UDP &&
	    (model_get(packet + at + 4) != len - at || !model_get(packet + at + 6)))
		return false;
	return model_sum(model_pseudo(packet, len), packet + at, len - at) == 0xffff;
}

static inline void model_put32(uint8_t *field, uint32_t value)
{
	model_put(field, value >> 16);
	model_put(field + 2, value & 0xffff);
}

static inline size_t model_build_ip(const struct model_spec *spec, uint8_t *packet)
{
	size_t header = (spec->family == AF_INET ? 20 : 40) + spec->ip_options;

	memset(packet, 0, header);
	if (spec->family == AF_INET) {
		packet[0] = (uint8_t)(0x40 | header / 4);
		packet[1] = spec->tos;
		model_put(packet + 4, spec->id);
		model_put(packet + 6, spec->dont_fragment ? 0x4000 : 0);
		packet[8] = spec->ttl;
		packet[9] = spec->protocol;
		model_put32(packet + 12, 0x0a000001);
		model_put32(packet + 16, 0x0a000100 + spec->host);
		memset(packet + 20, 1, spec->ip_options); /* no operation */
		return header;
	}
	model_put32(packet, 0x60000000 | (uint32_t)spec->tos << 20 | spec->label);
	packet[6] = spec->ip_options ? IPPROTO_DSTOPTS : spec->protocol;
	packet[7] = spec->ttl;
	packet[8] = packet[24] = 0xfd;
	packet[23] = 1;
	packet[39] = spec->host;
	if (spec->ip_options) {
		packet[40] = spec->protocol;
		packet[41] = (uint8_t)(spec->ip_options / 8 - 1);
	}
	return header;
}

/* A packet with a random payload; returns its length. */
static inline size_t model_build(const struct model_spec *spec, size_t payload, uint8_t *packet)
{
	size_t at = model_build_ip(spec, packet);
	uint8_t *transport = packet + at;

	model_put(transport, spec->port);
	model_put(transport + 2, 443);
	if (spec->protocol == IPPROTO_UDP) {
		at += 8;
	} else {
		model_put32(transport + 4, spec->sequence);
		model_put32(transport + 8, spec->ack);
		transport[12] = (uint8_t)((20 + spec->tcp_options) / 4 << 4);
		transport[13] = spec->flags;
		model_put(transport + 14, spec->window);
		model_put(transport + 18, 0);
		memset(transport + 20, 1, spec->tcp_options);
		at += 20 + spec->tcp_options;
	}
	draw_bytes(packet + at, payload);
	model_seal(packet, at + payload);
	return at + payload;
}

/* Packet i of a super-packet; 0: there is none. */
static inline size_t model_split(const uint8_t *super, size_t len, size_t size, size_t i,
				 uint8_t *packet)
{
	size_t at = model_payload_at(super), from = at + i * size, payload = len - from;
	uint8_t *transport = packet + model_transport_at(super);

	if (from >= len)
		return 0;
	if (payload > size)
		payload = size;
	memcpy(packet, super, at);
	memcpy(packet + at, super + from, payload);
	if (packet[0] >> 4 == 4)
		model_put(packet + 4, (model_get(packet + 4) + i) & 0xffff);
	if (model_protocol(packet) == IPPROTO_TCP) {
		uint32_t sequence =
			(uint32_t)model_get(transport + 4) << 16 | model_get(transport + 6);
		model_put32(transport + 4, sequence + (uint32_t)(i * size));
		if (i)
			transport[13] &= 0x7f; /* CWR */
		if (from + size < len)
			transport[13] &= 0xf6; /* PSH, FIN */
	}
	model_seal(packet, at + payload);
	return at + payload;
}
