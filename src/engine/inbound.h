/* SPDX-License-Identifier: MIT
 * The way in: datagrams of peers become packets of the system, a run at a time. */
#pragma once

#include "engine/device.h"
#include "engine/lane.h"
#include "engine/udp.h"

/* Worker: takes what has come to socket fd, at most UDP_BATCH trains. */
void inbound_read(struct lane *lane, int fd, struct udp_room *room);
