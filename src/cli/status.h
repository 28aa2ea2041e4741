/* SPDX-License-Identifier: MIT
 * `wgctl status': whether tunnels work, by the exit status (0 healthy, 1 not, 2 no answer: no such
 * thing, more than one, or not to be asked), in a line or two, or as JSON, an object:
 *
 *   healthy       true or false
 *   interfaces    array of objects; where a peer was asked for, the one that has it:
 *     name          string
 *     healthy       true or false
 *     problem       string: why its state is not known; else null
 *     peers         array of objects; where a peer was asked for, that one alone:
 *       public_key, name, endpoint, latest_handshake    as in show_json.h
 *       healthy       true or false
 *       state         string: "up", "idle" or "down" (health.h)
 *
 * Names and types are never changed, only added to. */
#pragma once

#include "cli/command.h"

enum command_result status_run(int argc, char **argv);
