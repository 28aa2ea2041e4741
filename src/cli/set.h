/* SPDX-License-Identifier: MIT
 * `wgctl set': configures an interface from the words of the command. */
#pragma once

#include "cli/command.h"

enum command_result set_run(int argc, char **argv);
