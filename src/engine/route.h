/* SPDX-License-Identifier: MIT
 * The route of the day (rtnetlink). */
#pragma once

#include <stdint.h>
#include "engine/path.h"

struct nl_sock;

#define ROUTE_UNKNOWN UINT32_MAX /* no interface has it */

/* A socket for questions; NULL: none to be had, then nothing is known of any route. */
struct nl_sock *route_open(void);
void route_close(struct nl_sock *socket);
/* The interface by which the system would now send from the path's source to its remote address. 0:
 * none, that is, the source or the route is gone. ROUTE_UNKNOWN: the system had no memory to
 * answer. Takes some ten microseconds and never waits. */
uint32_t route_interface(struct nl_sock *socket, const struct path *path, uint32_t fwmark);
