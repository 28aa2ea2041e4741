/* SPDX-License-Identifier: MIT
 * wgctl: finds the command and prints all help. What commands do is in one file each. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sodium.h>
#include "cli/command.h"
#include "cli/down.h"
#include "cli/genkey.h"
#include "cli/pubkey.h"
#include "cli/say.h"
#include "cli/show.h"
#include "cli/up.h"
#include "conf/nearest.h"

#define STACK_DEPTH (64 << 10) /* of which a command uses less */

static enum command_result help_run(int argc, char **argv);
static enum command_result version_run(int argc, char **argv);

struct command {
	const char *name;
	enum command_result (*run)(int argc, char **argv);
	const char *arguments;
	const char *help; /* one line */
	const char *more; /* what `wgctl help COMMAND` adds */
};

#define FILE_OR_NAME                                                                               \
	"FILE is a configuration file NAME.conf, NAME being the interface. A NAME alone means\n"   \
	"/etc/wireguard/NAME.conf, or NAME.conf in the directories of WGCTL_PATH (a:b:c).\n"

static const struct command commands[] = {
	{"up", up_run, "[-q|--quiet] FILE|NAME", "bring a tunnel up",
	 FILE_OR_NAME
	 "\n"
	 "  -q, --quiet  do not show each step\n"
	 "\n"
	 "The engine is WGCTL_ENGINE, or WG_QUICK_USERSPACE_IMPLEMENTATION, or the wgengine\n"
	 "beside wgctl or in PATH. If a step fails, those before it are undone.\n"},
	{"down", down_run, "[-q|--quiet] FILE|NAME", "take a tunnel down",
	 FILE_OR_NAME
	 "The file itself is not needed.\n"
	 "\n"
	 "  -q, --quiet  do not show each step\n"},
	{"show", show_run,
	 "{ <interface> | all | interfaces } [public-key | private-key | listen-port | fwmark | "
	 "peers | preshared-keys | endpoints | allowed-ips | latest-handshakes | transfer | "
	 "persistent-keepalive | dump]",
	 "show the state of tunnels, as `wg show' does",
	 "Without arguments: all. WG_COLOR_MODE=always|never and WG_HIDE_KEYS=never change how it\n"
	 "looks.\n"},
	{"genkey", genkey_run, "", "print a new private key", NULL},
	{"genpsk", genkey_run_psk, "", "print a new preshared key", NULL},
	{"pubkey", pubkey_run, "", "read a private key from stdin and print its public key", NULL},
	{"version", version_run, "", "print the version", NULL},
	{"help", help_run, "[COMMAND]", "explain wgctl, or one command", NULL},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static void say_unknown(const char *name)
{
	const char *names[COMMANDS], *meant;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	meant = nearest_word(name, names, COMMANDS);
	if (meant)
		say_error("unknown command `%s'; did you mean `%s'?", name, meant);
	else
		say_error("unknown command `%s'; `wgctl help' lists them", name);
}

static void print_usage(FILE *to, const struct command *command)
{
	fprintf(to, "Usage: wgctl %s%s%s\n", command->name, command->arguments[0] ? " " : "",
		command->arguments);
}

static void print_command_help(const struct command *command)
{
	print_usage(stdout, command);
	printf("\n%s: %s\n", command->name, command->help);
	if (command->more)
		printf("\n%s", command->more);
}

static void print_help(FILE *to)
{
	fputs("Usage: wgctl COMMAND [ARGUMENTS]\n\nCommands:\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n`wgctl help COMMAND' explains one of them.\n", to);
}

static enum command_result help_run(int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return COMMAND_USAGE;
	if (argc < 2) {
		print_help(stdout);
		return COMMAND_OK;
	}
	command = find(argv[1]);
	if (!command) {
		say_unknown(argv[1]);
		return COMMAND_FAILED;
	}
	print_command_help(command);
	return COMMAND_OK;
}

static enum command_result version_run(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return COMMAND_USAGE;
	puts("wgctl " PACKAGE_VERSION);
	return COMMAND_OK;
}

/* -h or --help among the options of a command. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help"))
			return true;
	return false;
}

static enum command_result run(int argc, char **argv)
{
	const struct command *command;
	enum command_result result;
	const char *name = argv[0];

	if (!strcmp(name, "-h") || !strcmp(name, "--help"))
		name = "help";
	else if (!strcmp(name, "-v") || !strcmp(name, "--version"))
		name = "version";
	command = find(name);
	if (!command && name[0] == '-') {
		say_error("unknown option `%s'; `wgctl help' explains how to call wgctl", name);
		return COMMAND_FAILED;
	}
	if (!command) {
		say_unknown(name);
		return COMMAND_FAILED;
	}
	if (wants_help(argc, argv)) {
		print_command_help(command);
		return COMMAND_OK;
	}
	result = command->run(argc, argv);
	if (result == COMMAND_USAGE)
		print_usage(stderr, command);
	return result;
}

/* No core dump of keys, and no look into them for other processes of the same user. The limit on
 * core dumps stays: it would be the children's too. */
static int hide_memory(void)
{
#ifdef WITH_SANITIZER
	/* The leak check of a sanitizer has to look into the process. */
	return 0;
#else
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int main(int argc, char **argv)
{
	enum command_result result;

	if (argc < 2) {
		print_help(stderr);
		return EXIT_FAILURE;
	}
	if (hide_memory() || sodium_init() < 0) {
		say_error("cannot protect the process's memory, or libsodium does not start");
		return EXIT_FAILURE;
	}
	result = run(argc - 1, argv + 1);
	sodium_stackzero(STACK_DEPTH);
	if (fflush(stdout) || ferror(stdout)) {
		say_error("cannot write to standard output");
		return EXIT_FAILURE;
	}
	return result == COMMAND_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
