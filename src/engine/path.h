/* SPDX-License-Identifier: MIT
 * Where a peer is reached: its address, and the source address and interface that its last
 * authentic packet came to, so that the answer leaves the same way (a host with several addresses
 * keeps its sessions). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "conf/endpoint.h"

struct path {
	union sockaddr_ip remote; /* AF_UNSPEC: not known */
	union {
		struct in_addr in4;
		struct in6_addr in6;
	} source;            /* ours */
	uint32_t ifindex;    /* where it came in; 0: no source */
	uint32_t generation; /* of the machine's routes and addresses when the source was compared
				with the route of the day; 0: not yet */
	bool elsewhere;      /* that route leaves by another interface: the source is not used */
};
