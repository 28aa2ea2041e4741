/* SPDX-License-Identifier: MIT
 * The answer to a packet that cannot be sent: destination unreachable (RFC 792, RFC 4443), so that
 * an application learns at once that nobody is there, instead of waiting. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ICMP_ANSWER_MAX 1280 /* bytes; no error is larger than IPv6's minimum MTU */

/* Writes the answer to packet, of len bytes and of family AF_INET or AF_INET6, to answer: "host
 * unreachable" or "address unreachable", as if from its destination. The length, or 0: none may be
 * sent (to an error, a later fragment, a multicast or broadcast, an unspecified source). */
size_t icmp_unreachable(uint8_t answer[ICMP_ANSWER_MAX], const uint8_t *packet, size_t len,
			int family);
