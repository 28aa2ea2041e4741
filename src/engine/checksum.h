/* SPDX-License-Identifier: MIT
 * The Internet checksum (RFC 1071). A sum is a plain uint64_t: sums add up with +, in any order,
 * until checksum_fold. It counts 16-bit words as they lie in memory, so neither sums nor folded
 * values need swapping: they are stored as they are. A byte range is added as if it began at an
 * even place of what is summed, and an odd one as if a zero followed. */
#pragma once

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "engine/packet.h"

/* Any alignment; up to 2^31 bytes, or 2^17 ranges of 64 KiB, may go into one sum. */
uint64_t checksum_add(uint64_t sum, const uint8_t *bytes, size_t len);
/* The same and a copy, in one pass. The ranges do not overlap. */
uint64_t checksum_copy(uint64_t sum, uint8_t *restrict dst, const uint8_t *restrict src,
		       size_t len);

/* One 16-bit word of the packet, given as a number. */
static inline uint64_t checksum_word(uint16_t word)
{
	return htons(word);
}

/* What takes that word out of a sum again. */
static inline uint64_t checksum_without(uint16_t word)
{
	return htons(word) ^ 0xffff;
}

/* The pseudo-header of TCP and UDP: addresses of the IP packet, protocol, len of header and
 * payload. A routing header's final destination is not looked for. */
static inline uint64_t checksum_pseudo(const uint8_t *packet, int family, uint8_t protocol,
				       size_t len)
{
	uint64_t sum = checksum_word(protocol) + checksum_word((uint16_t)(len >> 16)) +
		       checksum_word((uint16_t)len);
	size_t addresses = family == AF_INET ? 2 * 4 : 2 * 16;
	uint32_t words[8];

	memcpy(words, packet_source(packet, family), addresses);
	for (size_t i = 0; i < addresses / 4; i++)
		sum += words[i];
	return sum;
}

/* 16 bits, with all carries added; as it lies in memory. A range with its right checksum in it
 * folds to 0xffff. */
static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 32) + (uint32_t)sum;
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t)sum;
}

static inline void checksum_put(uint8_t field[2], uint16_t checksum)
{
	memcpy(field, &checksum, sizeof(checksum));
}
