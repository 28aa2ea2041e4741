/* SPDX-License-Identifier: MIT
 * `wgctl check': all that is wrong with configuration files. */
#pragma once

#include "cli/command.h"

enum command_result check_run(int argc, char **argv);
