/* SPDX-License-Identifier: MIT
 * Datagrams to the engine, the turns of its threads, and what must hold after each: every datagram
 * is delivered, handed on or counted as a drop, and a stranger changes nothing. */
#pragma once

#include "world.h"

struct peer;

void turns_begin(void);
/* NULL: the engine does not have it now. */
struct peer *turns_peer(unsigned far);
/* A train of datagrams comes. */
void turns_deliver(const uint8_t *bytes, size_t len, size_t stride, uint8_t tos,
		   const union sockaddr_ip *from);
/* A turn of each thread. */
void turns_take(void);
/* A train comes from the stranger, and turns are taken before and after: no peer's state may
 * change, and the only answer is a cookie, under load. */
void turns_forge(const uint8_t *bytes, size_t len, size_t stride);
/* What the engine wrote to its interface, super-packets split. Their number. */
unsigned turns_read_interface(void (*came)(const uint8_t *packet, size_t len));
