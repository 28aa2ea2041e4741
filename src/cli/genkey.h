/* SPDX-License-Identifier: MIT
 * `wgctl genkey` and `wgctl genpsk`. */
#pragma once

#include "cli/command.h"

enum command_result genkey_run(int argc, char **argv);
enum command_result genkey_run_psk(int argc, char **argv);
