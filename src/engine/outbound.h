/* SPDX-License-Identifier: MIT
 * The way out: packets of the system become datagrams to peers, a run at a time. */
#pragma once

#include "engine/lane.h"

struct peer;

/* Worker: sends what the system has given to the TUN, until there is no more or LANE_RUN_MAX
 * packets went. 0, or -EBADFD: the interface was deleted. */
int outbound_read(struct lane *lane);
/* Control thread: sends what waits for a keypair; without a usable one it asks for a handshake. */
void outbound_flush(struct lane *lane, struct peer *peer);
/* Control thread: sends an empty packet, unless packets wait, which do instead. */
void outbound_keepalive(struct lane *lane, struct peer *peer);
/* Throws away what waits, counted under DROP_GIVEN_UP. */
void outbound_purge(struct lane *lane, struct peer *peer);
/* Asks the control thread for a handshake, unless one was begun within REKEY_TIMEOUT. */
void outbound_want_handshake(struct lane *lane, struct peer *peer);
/* Sends a handshake message to the peer. */
void outbound_message(struct lane *lane, struct peer *peer, void *message, size_t len);
/* The same over a given path; peer, for which it is counted, may be NULL. */
void outbound_answer(struct lane *lane, struct peer *peer, const struct path *path, void *message,
		     size_t len);
