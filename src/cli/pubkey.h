/* SPDX-License-Identifier: MIT
 * `wgctl pubkey`. */
#pragma once

#include "cli/command.h"

enum command_result pubkey_run(int argc, char **argv);
