/* SPDX-License-Identifier: MIT
 * Explicit congestion notification through the tunnel (RFC 6040, normal mode): the outer header
 * takes the inner one's two bits on the way out, and its news on the way in. The DSCP stays
 * inside. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ECN_MASK 3
#define ECN_CE 3 /* congestion experienced */

/* The two bits of a packet of family AF_INET or AF_INET6. */
uint8_t ecn_get(const uint8_t *packet, int family);
/* Brings what the outer header says into the packet. False: it must be dropped (a router marked a
 * packet whose ends do not understand that). */
bool ecn_decapsulate(uint8_t *packet, int family, uint8_t outer_tos);
