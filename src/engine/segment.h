/* SPDX-License-Identifier: MIT
 * The way out: what a TUN with IFF_VNET_HDR delivers, split into packets as they go on the wire. A
 * plain packet may lack its checksum; a super-packet of up to 64 KiB is the payload of many TCP or
 * UDP packets behind one header (gso_type TCPV4 or TCPV6, with ECN or not, and UDP_L4). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct virtio_net_hdr;

struct segment {
	unsigned count;  /* packets; at most 65,535: write them in slices */
	size_t len;      /* of each packet but the last */
	size_t last_len; /* never more than len */

	/* The rest is segment.c's. */
	uint8_t *packet; /* borrowed */
	size_t transport_at, payload_at, size;
	uint64_t ip_sum, transport_sum; /* without the fields that change */
	uint32_t sequence;
	uint16_t id;
	uint8_t protocol; /* 0: a plain packet, complete */
	uint8_t flags;
};

/* Parses what was read after the virtio_net_hdr (fields in native order). Borrows the packet until
 * the last segment_write, and changes it in place: a plain packet (count 1) gets its checksum and
 * may be used where it lies; a super-packet's headers become a template. Of a plain packet only the
 * range to sum is looked at: whether it is IP is the caller's question. hdr_len is not believed.
 * 0 or -EINVAL: header and packet contradict each other. */
int segment_parse(struct segment *segment, const struct virtio_net_hdr *header, uint8_t *packet,
		  size_t len);
/* Writes packet i complete: len bytes, last_len for the last. dst does not overlap the packet. */
void segment_write(const struct segment *segment, unsigned i, uint8_t *dst);
