/* SPDX-License-Identifier: MIT
 * Handshakes with peers, both roles, and cookies. Control thread only, so that their slow
 * arithmetic never delays the data path. */
#pragma once

#include <stdbool.h>

struct device_message;
struct lane;
struct peer;

/* Starts a handshake, or another try of the one under way (retry). Nothing happens without
 * identity, endpoint or an interface that is up, nor within REKEY_TIMEOUT of the last. */
void handshake_initiate(struct lane *lane, struct peer *peer, bool retry);
/* Handles one message from the queue. The peer whose state it changed, or NULL. */
struct peer *handshake_take(struct lane *lane, const struct device_message *message);
/* The session is established on both sides: stamps it. */
void handshake_complete(struct peer *peer);
