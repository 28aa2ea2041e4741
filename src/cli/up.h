/* SPDX-License-Identifier: MIT
 * `wgctl up`. */
#pragma once

#include "cli/command.h"

enum command_result up_run(int argc, char **argv);
