/* SPDX-License-Identifier: MIT
 * `wgctl show`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "cli/command.h"

enum command_result show_run(int argc, char **argv);
/* The name of the i-th field that can be asked for, as_wg: of wg(8)'s; NULL: there are no more. */
const char *show_field(size_t i, bool as_wg);
