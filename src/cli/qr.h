/* SPDX-License-Identifier: MIT
 * `wgctl qr': a configuration for WireGuard's app on a phone, as a QR code. Without libqrencode it
 * says so. */
#pragma once

#include "cli/command.h"

enum command_result qr_run(int argc, char **argv);
