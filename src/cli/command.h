/* SPDX-License-Identifier: MIT
 * What a command of wgctl is to main and to complete, and what it returns. */
#pragma once

#include <stdbool.h>

enum command_result {
	COMMAND_OK,
	COMMAND_FAILED, /* the command has said why */
	COMMAND_USAGE,  /* called wrongly: main prints the command's usage; exit status 1 */
	/* The same two in a command whose exit status 1 is an answer; exit status 2. */
	COMMAND_TROUBLE,
	COMMAND_TROUBLE_USAGE,
};

struct command {
	const char *name;
	enum command_result (*run)(int argc, char **argv);
	const char *arguments;
	const char *grammar; /* the arguments again, for completion: see complete.h */
	const char *help;    /* one line */
	const char *more;    /* what `wgctl help COMMAND` adds */
	bool is_wg;          /* a command of wg(8) */
};
