/* SPDX-License-Identifier: MIT
 * `wgctl showconf': an interface's configuration, as a file for setconf. */
#pragma once

#include "cli/command.h"

enum command_result showconf_run(int argc, char **argv);
