/* SPDX-License-Identifier: MIT
 * `wgctl reload`. */
#pragma once

#include "cli/command.h"

enum command_result reload_run(int argc, char **argv);
