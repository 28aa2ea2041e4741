/* SPDX-License-Identifier: MIT
 * `wgctl run`. */
#pragma once

#include "cli/command.h"

enum command_result run_run(int argc, char **argv);
