/* SPDX-License-Identifier: MIT
 * Inner packets from an input: mostly what a sender would make (see transport_model.h), then
 * damaged as the input says. */
#pragma once

#include <stdbool.h>
#include "../tests/unit/transport_model.h"
#include "engine/transport.h"
#include "fuzz.h"

/* One byte of kind (family, protocol, don't fragment, options), then the fields. */
static inline struct model_spec read_spec(struct input *input)
{
	uint8_t kind = input_byte(input), flags = input_byte(input);
	struct model_spec spec = {
		.family = kind & 1 ? AF_INET6 : AF_INET,
		.protocol = kind & 2 ? IPPROTO_UDP : IPPROTO_TCP,
		.dont_fragment = kind & 4,
		.ip_options = kind & 8 ? 8 : 0,
		.tcp_options = kind & 16 ? 12 : 0,
		.host = kind >> 5 & 1,
		.flags = kind & 64 ? flags : TCP_ACK,
		.tos = kind & 128 ? flags : 0,
		.ttl = 64,
		.window = 500,
		.label = 0x12345,
		.ack = 77,
	};

	spec.port = input_byte(input);
	spec.id = (uint16_t)(input_byte(input) * 0x0101u);
	spec.sequence = input_byte(input) * 0x01010101u;
	return spec;
}

/* A count of changes, each a place and what to add to the byte there. */
static inline void damage(struct input *input, uint8_t *bytes, size_t len)
{
	for (unsigned count = input_byte(input) % 4; count && len; --count) {
		uint8_t at = input_byte(input), with = input_byte(input);
		/* The headers are what matters; the end is, too. */
		size_t place = at < 0xe0 ? at : len - (at - 0xdfu);
		if (place < len)
			bytes[place] = (uint8_t)(bytes[place] + with);
	}
}

/* Lengths that matter are the small and the odd ones; all of them are to be had. */
static inline size_t read_len(struct input *input, size_t max)
{
	size_t len = input_byte(input);

	if (len >= 0xf0)
		len = (len & 15) << 12 | (input_16(input) & 0xfff);
	else if (len >= 0x80)
		len = (len & 0x7f) * 16;
	return len < max ? len : max;
}
