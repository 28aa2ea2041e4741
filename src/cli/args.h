/* SPDX-License-Identifier: MIT
 * The options of a command and the words that are left. */
#pragma once

#include <stdbool.h>

#define ARGS_QUIET 1u    /* -q, --quiet */
#define ARGS_JSON 2u     /* --json */
#define ARGS_DRY_RUN 8u  /* -n, --dry-run */
#define ARGS_IN_ORDER 4u /* the first word ends the options */

struct args {
	bool quiet, json, dry_run;
	int count;    /* words after the options */
	char **words; /* borrowed from argv */
};

/* Reads argv (argv[0]: the command's name; its order may change); accepts: ARGS_*. An option
 * that is not accepted is said, with the one that was probably meant. 0 or -EINVAL. (-h and
 * --help are main's.) */
int args_parse(struct args *args, int argc, char **argv, unsigned accepts);
