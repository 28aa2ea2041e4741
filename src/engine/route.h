/* SPDX-License-Identifier: MIT
 * The route of the day (rtnetlink). */
#pragma once

#include <stdint.h>
#include "engine/path.h"

/* The interface by which the system would now send from the path's source to its remote address. 0:
 * none, that is, the source or the route is gone. */
uint32_t route_interface(const struct path *path, uint32_t fwmark);
