/* SPDX-License-Identifier: MIT
 * `wgctl down`. */
#pragma once

#include "cli/command.h"

enum command_result down_run(int argc, char **argv);
