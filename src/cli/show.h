/* SPDX-License-Identifier: MIT
 * `wgctl show`. */
#pragma once

#include "cli/command.h"

enum command_result show_run(int argc, char **argv);
