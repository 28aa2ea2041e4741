/* SPDX-License-Identifier: MIT
 * Options, by getopt_long, with messages that help. */
#include "cli/args.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>
#include "cli/say.h"
#include "conf/nearest.h"
#include "conf/number.h"

/* No letters. */
#define JSON 0x100
#define PORTABLE 0x101
#define HTTP 0x102
#define OPENMETRICS 0x103
#define VALUE 0x200 /* and its number */

static const char *const value_names[] = {
	[ARGS_INTERVAL] = "interval", [ARGS_COUNT] = "count", [ARGS_WAIT] = "wait",
	[ARGS_MAX_AGE] = "max-age",   [ARGS_DNS] = "dns",     [ARGS_READY] = "ready",
};

static void say_unknown(const char *command, const char *word, const struct option *options)
{
	const char *names[7 + ARGS_VALUES], *meant;
	size_t count = 0, len = strcspn(word, "=");
	char name[32];

	for (; options[count].name; count++)
		names[count] = options[count].name;
	if (strncmp(word, "--", 2) != 0 || len - 2 >= sizeof(name)) {
		say_error("unknown option `%s' of `%s'", word, command);
		return;
	}
	memcpy(name, word + 2, len - 2);
	name[len - 2] = '\0';
	meant = nearest_word(name, names, count);
	if (meant)
		say_error("unknown option `--%s' of `%s'; did you mean `--%s'?", name, command,
			  meant);
	else
		say_error("unknown option `--%s' of `%s'", name, command);
}

static bool *flag_of(struct args *args, int option)
{
	switch (option) {
	case 'q':
		return &args->quiet;
	case 'n':
		return &args->dry_run;
	case JSON:
		return &args->json;
	case PORTABLE:
		return &args->portable;
	case HTTP:
		return &args->http;
	case OPENMETRICS:
		return &args->openmetrics;
	default:
		return NULL;
	}
}

int args_parse(struct args *args, int argc, char **argv, unsigned accepts)
{
	struct option options[8 + ARGS_VALUES] = {{"help", no_argument, NULL, 'h'}};
	const char *letters = accepts & ARGS_IN_ORDER ? "+:h" : ":h";
	size_t count = 1;
	int option;

	*args = (struct args){0};
	if (accepts & ARGS_QUIET) {
		options[count++] = (struct option){"quiet", no_argument, NULL, 'q'};
		letters = ":hq";
	}
	if (accepts & ARGS_DRY_RUN) {
		options[count++] = (struct option){"dry-run", no_argument, NULL, 'n'};
		letters = ":hqn";
	}
	if (accepts & ARGS_JSON)
		options[count++] = (struct option){"json", no_argument, NULL, JSON};
	if (accepts & ARGS_PORTABLE)
		options[count++] = (struct option){"portable", no_argument, NULL, PORTABLE};
	if (accepts & ARGS_HTTP)
		options[count++] = (struct option){"http", no_argument, NULL, HTTP};
	if (accepts & ARGS_OPENMETRICS)
		options[count++] = (struct option){"openmetrics", no_argument, NULL, OPENMETRICS};
	for (int i = 0; i < ARGS_VALUES; i++)
		if (accepts & ARGS_TAKES((unsigned)i))
			options[count++] =
				(struct option){value_names[i], required_argument, NULL, VALUE + i};
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		bool *flag = flag_of(args, option);

		if (flag) {
			*flag = true;
		} else if (option >= VALUE) {
			args->values[option - VALUE] = optarg;
		} else if (option == ':') {
			say_error("`%s' of `%s' takes a value", argv[optind - 1], argv[0]);
			return -EINVAL;
		} else if (option == '?' && optopt && !strchr(letters, optopt)) {
			say_error("unknown option `-%c' of `%s'", optopt, argv[0]);
			return -EINVAL;
		} else if (option != 'h') {
			say_unknown(argv[0], argv[optind - 1], options);
			return -EINVAL;
		}
	}
	args->count = argc - optind;
	args->words = argv + optind;
	return 0;
}

static int parse(uint64_t *thousandths, const char *text, uint64_t max)
{
	size_t whole = strcspn(text, "."), digits;
	uint64_t fraction = 0;

	if (number_parse(thousandths, text, whole, max / 1000))
		return -EINVAL;
	*thousandths *= 1000;
	if (!text[whole])
		return 0;
	digits = strlen(text + whole + 1);
	if (number_parse(&fraction, text + whole + 1, digits, 999))
		return -EINVAL;
	for (; digits < 3; digits++)
		fraction *= 10;
	*thousandths += fraction;
	return 0;
}

int args_thousandths(uint64_t *thousandths, const struct args *args, enum args_value option,
		     uint64_t min, uint64_t max, const char *unit)
{
	const char *text = args->values[option];
	uint64_t value;

	if (!text)
		return 0;
	if (parse(&value, text, max) || value < min || value > max) {
		say_error("--%s takes %g to %g %s, not `%s'", value_names[option],
			  (double)min / 1000, (double)max / 1000, unit, text);
		return -EINVAL;
	}
	*thousandths = value;
	return 0;
}
