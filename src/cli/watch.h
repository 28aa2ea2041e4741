/* SPDX-License-Identifier: MIT
 * `wgctl watch': on a terminal a page that is drawn again and again; else the same as plain text,
 * one after the other, with the time and without a control character; or JSON, an object a line:
 *
 *   time          number, seconds since the epoch
 *   interfaces    array of objects, by name:
 *     name            string
 *     problem         string: why nothing is known of it ("gone", ...); else null
 *     peers           array of objects, in the engine's order; empty with a problem:
 *       public_key, name, endpoint, latest_handshake, rx_bytes, tx_bytes   as in show_json.h
 *       rx_rate, tx_rate    number, bytes a second since the last line; null: not known
 *       state               string: "up", "idle" or "down" (health.h)
 *
 * Names and types are never changed, only added to. */
#pragma once

#include "cli/command.h"

enum command_result watch_run(int argc, char **argv);
