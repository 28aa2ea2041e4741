/* SPDX-License-Identifier: MIT
 * `wgctl reload`. */
#pragma once

#include "cli/command.h"

struct setup;

/* The work (setup.h). */
int reload_go(struct setup *setup);
enum command_result reload_run(int argc, char **argv);
