/* SPDX-License-Identifier: MIT
 * `wgctl setconf', `addconf' and `syncconf': configure an interface from a file. */
#pragma once

#include "cli/command.h"

enum command_result setconf_run(int argc, char **argv);
enum command_result setconf_run_add(int argc, char **argv);
enum command_result setconf_run_sync(int argc, char **argv);
