/* SPDX-License-Identifier: MIT
 * The little that splitting and joining read and write of IP, TCP and UDP headers: where the fields
 * are, and big-endian numbers at any alignment. Offsets count from the header they are named by. */
#pragma once

#include <endian.h>
#include <linux/virtio_net.h>
#include <stdint.h>
#include <string.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

#define TRANSPORT_PACKET_MAX 65535u

#define IP4_AT_LEN 2
#define IP4_AT_ID 4
#define IP4_AT_FRAGMENT 6 /* flags and offset */
#define IP4_AT_TTL 8
#define IP4_AT_PROTOCOL 9
#define IP4_AT_CHECK 10
#define IP4_DONT_FRAGMENT 0x4000
#define IP4_IS_FRAGMENT 0x3fff /* more fragments, or an offset */

#define IP6_AT_LEN 4
#define IP6_AT_NEXT 6
#define IP6_AT_HOPS 7

#define TCP_HEADER 20 /* without options */
#define TCP_AT_SEQUENCE 4
#define TCP_AT_ACK 8
#define TCP_AT_OFFSET 12 /* of the data, in the upper half of the byte */
#define TCP_AT_FLAGS 13
#define TCP_AT_WINDOW 14
#define TCP_AT_CHECK 16
#define TCP_AT_URGENT 18
#define TCP_FIN 0x01
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_CWR 0x80

#define UDP_HEADER 8
#define UDP_AT_LEN 4
#define UDP_AT_CHECK 6

static inline uint16_t transport_get16(const uint8_t field[2])
{
	uint16_t value;

	memcpy(&value, field, sizeof(value));
	return be16toh(value);
}

static inline uint32_t transport_get32(const uint8_t field[4])
{
	uint32_t value;

	memcpy(&value, field, sizeof(value));
	return be32toh(value);
}

static inline void transport_put16(uint8_t field[2], uint16_t value)
{
	value = htobe16(value);
	memcpy(field, &value, sizeof(value));
}

static inline void transport_put32(uint8_t field[4], uint32_t value)
{
	value = htobe32(value);
	memcpy(field, &value, sizeof(value));
}
