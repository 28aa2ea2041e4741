/* SPDX-License-Identifier: MIT
 * What every command of wgctl returns to main. */
#pragma once

enum command_result {
	COMMAND_OK,
	COMMAND_FAILED, /* the command has said why */
	COMMAND_USAGE,  /* called wrongly: main prints the command's usage; exit status 1 */
	/* The same two in a command whose exit status 1 is an answer; exit status 2. */
	COMMAND_TROUBLE,
	COMMAND_TROUBLE_USAGE,
};
