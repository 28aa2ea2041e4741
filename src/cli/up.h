/* SPDX-License-Identifier: MIT
 * `wgctl up`. */
#pragma once

#include "cli/command.h"

struct setup;

/* The work (setup.h). */
int up_go(struct setup *setup);
/* Takes away what a tunnel that ended without a `down' has left, but for a kill switch. 0 or
 * -errno, said. */
int up_clear(struct setup *setup);
enum command_result up_run(int argc, char **argv);
