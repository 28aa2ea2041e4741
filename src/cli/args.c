/* SPDX-License-Identifier: MIT
 * Options, by getopt_long, with messages that help. */
#include "cli/args.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <string.h>
#include "cli/say.h"
#include "conf/nearest.h"

#define JSON 0x100 /* no letter */

static void say_unknown(const char *command, const char *word, const struct option *options)
{
	const char *names[8], *meant;
	size_t count = 0, len = strcspn(word, "=");
	char name[32];

	for (; count < 8 && options[count].name; count++)
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

int args_parse(struct args *args, int argc, char **argv, unsigned accepts)
{
	struct option options[5] = {{"help", no_argument, NULL, 'h'}};
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
	opterr = 0;
	optind = 0; /* glibc: start afresh */
	while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (option == 'q') {
			args->quiet = true;
		} else if (option == 'n') {
			args->dry_run = true;
		} else if (option == JSON) {
			args->json = true;
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
