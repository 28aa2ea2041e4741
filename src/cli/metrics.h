/* SPDX-License-Identifier: MIT
 * `wgctl metrics': the state of interfaces for Prometheus, in its text format (0.0.4) or as
 * OpenMetrics 1.0. The names are in man/wgctl.8: never changed, only added to. */
#pragma once

#include "cli/command.h"

enum command_result metrics_run(int argc, char **argv);
