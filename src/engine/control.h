/* SPDX-License-Identifier: MIT
 * What the control thread does about peers: wishes of the workers, handshake messages, timers, and
 * what a change of the interface or of the configuration means for each of them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct lane;
struct peer;

/* Looks after wishes, messages (a bounded number) and timers. Returns when to come back, at the
 * latest: 0 at once. */
uint64_t control_work(struct lane *lane);
/* Does what is due for one peer, and plans the next look. To be called after anything that changed
 * its timers. */
void control_check(struct lane *lane, struct peer *peer);
/* The peer is configured and the interface is up: sends what waits; greet: and a keepalive first of
 * all. */
void control_start_peer(struct lane *lane, struct peer *peer, bool greet);
/* The interface went down: nothing of a session is left. */
void control_stop_peer(struct lane *lane, struct peer *peer);
