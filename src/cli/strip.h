/* SPDX-License-Identifier: MIT
 * `wgctl strip': a configuration file for `wg setconf'. */
#pragma once

#include "cli/command.h"

enum command_result strip_run(int argc, char **argv);
