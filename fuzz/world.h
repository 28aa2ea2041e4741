/* SPDX-License-Identifier: MIT
 * A whole engine in a world of its own: one worker, driven by hand, with the clock, the random
 * bytes, the network and the routes in the hands of the target. The interface is a socket pair. Of
 * the engine nothing is replaced but its system calls, by the linker (--wrap). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "engine/engine.h"

#define WORLD_PORT 40000     /* what a socket gets that wants any */
#define WORLD_PORT_TAKEN 7   /* the one that somebody else has */
#define WORLD_ADDRESS 0x0a09 /* where datagrams come to: 10.9.0.0 to 10.9.255.255, fd.. in IPv6 */

/* A datagram that the engine sent. */
struct world_datagram {
	union sockaddr_ip to;
	const uint8_t *bytes; /* valid only during the call */
	size_t len;
	uint8_t tos;
};

struct world {
	struct engine engine;
	uint64_t now; /* CLOCK_BOOTTIME, nanoseconds; CLOCK_REALTIME is as far from its start */
	int tun;      /* the system's end of the interface */
	uint32_t interface; /* by which routes leave */
	int send_error;     /* positive: what the next call to send fails with */
	void (*sent)(const struct world_datagram *datagram); /* NULL: nobody looks */
};

extern struct world world;

/* The engine as it is after its start: no identity, no peers, down, or up on any port. Everything
 * of the input before is gone. */
void world_begin(bool up);
/* Nothing of the input is left: memory leaks show. */
void world_end(void);
/* Datagrams of stride bytes each, one behind the other, from an address. They wait, up to UDP_BATCH
 * of these trains, for world_receive(). False: there is no room for it. */
bool world_queue(const uint8_t *bytes, size_t len, size_t stride, uint8_t tos,
		 const union sockaddr_ip *from, uint8_t to);
/* A worker's turn: takes the trains that wait. */
void world_receive(void);
/* A worker's turns: takes all packets that were written to world.tun. */
void world_take_packets(void);
/* The control thread's turn. Returns when it has to be called again, TIMERS_NEVER: never. */
uint64_t world_control(void);
void world_advance(uint64_t nanoseconds);
