/* SPDX-License-Identifier: MIT
 * `wgctl down`. */
#pragma once

#include "cli/command.h"

struct setup;

/* The work (setup.h). */
int down_go(struct setup *setup);
enum command_result down_run(int argc, char **argv);
