/* SPDX-License-Identifier: MIT
 * The options of a command and the words that are left. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ARGS_QUIET 1u     /* -q, --quiet */
#define ARGS_JSON 2u      /* --json */
#define ARGS_IN_ORDER 4u  /* the first word ends the options */
#define ARGS_DRY_RUN 8u   /* -n, --dry-run */
#define ARGS_PORTABLE 16u /* --portable */
#define ARGS_HTTP 32u     /* --http */
#define ARGS_OPENMETRICS 64u
#define ARGS_TAKES(value) (128u << (value))

/* Options with a value. */
enum args_value {
	ARGS_INTERVAL, /* --interval */
	ARGS_COUNT,    /* --count */
	ARGS_WAIT,     /* --wait */
	ARGS_MAX_AGE,  /* --max-age */
	ARGS_DNS,      /* --dns */
	ARGS_READY,    /* --ready */
	ARGS_VALUES,
};

struct args {
	bool quiet, json, dry_run, portable, http, openmetrics;
	int count;                       /* words after the options */
	char **words;                    /* borrowed from argv */
	const char *values[ARGS_VALUES]; /* NULL: not given; borrowed from argv */
};

/* Reads argv (argv[0]: the command's name; its order may change); accepts: ARGS_*. An option
 * that is not accepted is said, with the one that was probably meant. 0 or -EINVAL. (-h and
 * --help are main's.) */
int args_parse(struct args *args, int argc, char **argv, unsigned accepts);
/* An option's value as thousandths, min to max: "2", "0.5". Leaves *thousandths alone where the
 * option was not given. 0 or -EINVAL, said with what the unit is. */
int args_thousandths(uint64_t *thousandths, const struct args *args, enum args_value option,
		     uint64_t min, uint64_t max, const char *unit);
