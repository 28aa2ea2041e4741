/* SPDX-License-Identifier: MIT
 * wgctl: finds the command and prints all help. What commands do is in one file each. Called by the
 * name wg it has the commands of wg(8) only, and answers --help, --version and nothing as that
 * does; likewise by the name wg-quick. */
#include "config.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sodium.h>
#include "cli/check.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/down.h"
#include "cli/genkey.h"
#include "cli/metrics.h"
#include "cli/pubkey.h"
#include "cli/qr.h"
#include "cli/reload.h"
#include "cli/run.h"
#include "cli/save.h"
#include "cli/say.h"
#include "cli/self.h"
#include "cli/set.h"
#include "cli/setconf.h"
#include "cli/show.h"
#include "cli/showconf.h"
#include "cli/status.h"
#include "cli/strip.h"
#include "cli/up.h"
#include "cli/watch.h"
#include "conf/nearest.h"

#define EXIT_TROUBLE 2
#define STACK_DEPTH (64 << 10) /* of which a command uses less */

static enum command_result help_run(int argc, char **argv);
static enum command_result version_run(int argc, char **argv);

#define FILE_OR_NAME                                                                               \
	"FILE is a configuration file NAME.conf, NAME being the interface. A NAME alone means\n"   \
	"/etc/wireguard/NAME.conf, or NAME.conf in the directories of WGCTL_PATH (a:b:c).\n"

#define OPTIONS "[-q|--quiet] [-n|--dry-run] [--dns WAY] FILE|NAME"
#define STEP_GRAMMAR "-q|--quiet -n|--dry-run --dns=VALUE "
#define STEP_OPTIONS                                                                               \
	"\n"                                                                                       \
	"  -q, --quiet    do not show each step\n"                                                 \
	"  -n, --dry-run  show each step, and do none\n"                                           \
	"  --dns WAY      set name servers (DNS) by resolved (systemd's), resolvconf, file\n"      \
	"                 (/etc/resolv.conf itself) or not at all (off); otherwise by the first\n" \
	"                 of these that is there, and on a reload by the one of before\n"

#define FIELDS                                                                                     \
	"public-key | private-key | listen-port | fwmark | peers | preshared-keys | endpoints | "  \
	"allowed-ips | latest-handshakes | transfer | persistent-keepalive | dump"

#define KEY_FILES                                                                                  \
	"Keys are read from files, /dev/stdin and <(...) among them; an empty file or /dev/null\n" \
	"removes the key.\n"

#define WG_FILE                                                                                    \
	"FILE holds wg's keys only: PrivateKey, ListenPort and FwMark in [Interface]; "            \
	"PublicKey,\n"                                                                             \
	"PresharedKey, AllowedIPs, Endpoint and PersistentKeepalive in [Peer].\n"

#define STATES                                                                                     \
	"A peer is up while its last handshake is at most 195 seconds ago (or 135 seconds and\n"   \
	"its keepalive interval, if that is more). Else it is down, if it has a keepalive "        \
	"interval\n"                                                                               \
	"or was sent to and never answered; or idle, as nobody had anything to say.\n"

static const struct command commands[] = {
	{"up", up_run, OPTIONS, STEP_GRAMMAR "CONF", "bring a tunnel up",
	 FILE_OR_NAME STEP_OPTIONS
	 "\n"
	 "The engine is WGCTL_ENGINE, or WG_QUICK_USERSPACE_IMPLEMENTATION, or the wgengine\n"
	 "beside wgctl, in its ../sbin or in PATH; with WGCTL_ENGINE=kernel there is none, but\n"
	 "the kernel's own WireGuard. If a step fails, those before it are undone.\n",
	 false},
	{"reload", reload_run, OPTIONS, STEP_GRAMMAR "IF|CONF",
	 "lead a tunnel to what its file says now",
	 FILE_OR_NAME
	 "A NAME means the file that the tunnel was brought up from.\n" STEP_OPTIONS "\n"
	 "Only what differs is touched: sessions live on. If a step fails, those before\n"
	 "it are undone.\n",
	 false},
	{"run", run_run, "[-q|--quiet] [--dns WAY] [--ready interface|handshake] FILE|NAME",
	 "-q|--quiet --dns=VALUE --ready=interface|handshake CONF",
	 "keep a tunnel up for as long as this process lives, for containers and services",
	 FILE_OR_NAME
	 "\n"
	 "Brings the tunnel up and stays in the foreground. SIGTERM and SIGINT take it down,\n"
	 "SIGHUP reloads its file (with a terminal: takes it down). It may be process 1. If the\n"
	 "engine ends, it ends with exit status 1; a kill switch then stays.\n"
	 "\n"
	 "  --ready WHEN   tell systemd (Type=notify) that all is ready with the interface, which\n"
	 "                 is the default, or with the first handshake\n"
	 "  -q, --quiet    do not show each step\n"
	 "  --dns WAY      as in `wgctl up'\n",
	 false},
	{"down", down_run, OPTIONS, STEP_GRAMMAR "IF|CONF", "take a tunnel down",
	 FILE_OR_NAME "The file itself is not needed.\n" STEP_OPTIONS, false},
	{"save", save_run, OPTIONS, STEP_GRAMMAR "IF|CONF",
	 "write what a tunnel is now into its file",
	 FILE_OR_NAME "A NAME means the file that the tunnel was brought up from.\n" STEP_OPTIONS
		      "\n"
		      "Only what changed is edited; comments, order, names and host names stay.\n",
	 false},
	{"check", check_run, "[--portable] [--json] FILE|NAME...", "--portable --json CONF",
	 "say all that is wrong with configuration files",
	 FILE_OR_NAME
	 "An error is what `wgctl up' refuses, or what cannot work as it is written; a warning, "
	 "what\n"
	 "it would do but hardly was meant. Nothing is changed, and nobody is asked.\n"
	 "\n"
	 "  --portable  also what wg-quick would refuse or read otherwise\n"
	 "  --json      one JSON object, for programs\n"
	 "\n"
	 "Exit status: 0 no error, 1 errors.\n",
	 false},
	{"strip", strip_run, "FILE|NAME", "CONF",
	 "print a configuration file as `wg setconf' takes it",
	 FILE_OR_NAME
	 "wg-quick's keys and wgctl's own are left out, and all else is as it was written, as\n"
	 "`wg-quick strip' prints it; keys from files of their own are put in, and lists with\n"
	 "exclusions become the prefixes that are left.\n",
	 false},
	{"qr", qr_run, "FILE|NAME", "CONF",
	 "show a configuration file to WireGuard's app on a phone",
	 FILE_OR_NAME
	 "The QR code holds the private key: nobody else should see it. Comments, names and what\n"
	 "the app does not know are left out; keys from files of their own are put in, and lists\n"
	 "with exclusions become the prefixes that are left.\n",
	 false},
	{"show", show_run, "{ <interface> | all | interfaces } [" FIELDS "]",
	 "--json IF|all|interfaces! FIELD", "show the state of tunnels, as `wg show' does",
	 "Without arguments: all. WG_COLOR_MODE=always|never and WG_HIDE_KEYS=never change how it\n"
	 "looks.\n"
	 "\n"
	 "  names   a field of wgctl's own: the peers' names (Name = ... in [Peer]) from the\n"
	 "          tunnel's file, or NAME.conf in /etc/wireguard or WGCTL_PATH\n"
	 "  --json  the same as JSON, for programs; without WG_HIDE_KEYS=never secret keys are\n"
	 "          null, unless they or dump are asked for\n",
	 true},
	{"watch", watch_run, "[--interval SECONDS] [--count N] [--json] [IF]",
	 "--interval=VALUE --count=VALUE --json IF",
	 "show the peers of tunnels, their traffic and their state, again and again",
	 "Without IF: all. On a terminal a page, until q or Ctrl-C; else plain text, one snapshot\n"
	 "after the other, without control characters. Rates are bytes a second since the last\n"
	 "snapshot. NO_COLOR and WG_COLOR_MODE=always|never change how it looks.\n"
	 "\n"
	 "  --interval SECONDS  between two snapshots: 0.1 to 3600, otherwise 1\n"
	 "  --count N           end after N of them\n"
	 "  --json              a JSON object a line, for programs\n"
	 "\n" STATES,
	 false},
	{"status", status_run,
	 "[-q|--quiet] [--json] [--wait SECONDS] [--max-age SECONDS] [IF] [PEER]",
	 "-q|--quiet --json --wait=VALUE --max-age=VALUE IF|PEER PEER",
	 "say whether tunnels work, for health checks and scripts",
	 "PEER is a name, a key or the beginning of one. An interface is healthy if it answers "
	 "and\n"
	 "none of its peers is down. A peer that is named is healthy if it is up.\n"
	 "\n"
	 "  --wait SECONDS     wait until all is healthy, so long at most; also for what is not\n"
	 "                     there yet\n"
	 "  --max-age SECONDS  each peer's last handshake must not be older: no peer may be idle\n"
	 "  --json             one JSON object, for programs\n"
	 "  -q, --quiet        the exit status alone\n"
	 "\n" STATES "\n"
	 "Exit status: 0 healthy, 1 not, 2 no answer: no such thing, more than one that PEER may\n"
	 "be, no permission, or called wrongly.\n",
	 false},
	{"metrics", metrics_run, "[--openmetrics] [IF] | --http", "--openmetrics --http IF",
	 "print the state of tunnels for Prometheus",
	 "The text format of Prometheus. Without IF: all. An engine that does not answer costs a\n"
	 "second at most, and is shown by wgctl_up. No secret key is shown.\n"
	 "\n"
	 "  --openmetrics  the text format of OpenMetrics 1.0 instead\n"
	 "  --http         answer one HTTP request (GET /metrics) from standard input, as\n"
	 "                 wgctl-metrics.socket of systemd wants it, in the format it accepts\n",
	 false},
	{"showconf", showconf_run, "<interface>", "IF",
	 "print a tunnel's configuration, keys included",
	 "The output is a file for `wgctl setconf'.\n", true},
	{"set", set_run,
	 "<interface> [listen-port <port>] [fwmark <mark>] [private-key <file path>] "
	 "[peer <base64 public key> [remove] [preshared-key <file path>] [endpoint <ip>:<port>] "
	 "[persistent-keepalive <interval seconds>] "
	 "[allowed-ips [+|-]<ip1>/<cidr1>[,[+|-]<ip2>/<cidr2>]...] ]...",
	 "IF listen-port=VALUE fwmark=off|VALUE private-key=FILE peer=PEER / remove "
	 "preshared-key=FILE endpoint=VALUE persistent-keepalive=off|VALUE allowed-ips=VALUE",
	 "change a tunnel's configuration",
	 "What is not named stays as it is. allowed-ips replaces what the peer has, or adds to it\n"
	 "(+) and takes from it (-); !PREFIX leaves that part out of the others. A peer's name,\n"
	 "from the tunnel's file, or NAME.conf in /etc/wireguard or WGCTL_PATH, may stand for its\n"
	 "key. " KEY_FILES,
	 true},
	{"setconf", setconf_run, "<interface> <configuration filename>", "IF FILE",
	 "replace a tunnel's configuration by a file",
	 WG_FILE "What FILE does not name is reset; all sessions end.\n", true},
	{"addconf", setconf_run_add, "<interface> <configuration filename>", "IF FILE",
	 "add a file to a tunnel's configuration", WG_FILE, true},
	{"syncconf", setconf_run_sync, "<interface> <configuration filename>", "IF FILE",
	 "change a tunnel's configuration to what a file says",
	 WG_FILE "Only what differs is changed: sessions go on. Peers that FILE does not name are "
		 "removed;\n"
		 "a private key, port or mark that it does not name is kept.\n",
	 true},
	{"genkey", genkey_run, "", "", "print a new private key", NULL, true},
	{"genpsk", genkey_run_psk, "", "", "print a new preshared key", NULL, true},
	{"pubkey", pubkey_run, "", "", "read a private key from stdin and print its public key",
	 NULL, true},
	{"version", version_run, "", "", "print the version", NULL, false},
	{"help", help_run, "[COMMAND]", "COMMAND", "explain wgctl, or one command", NULL, false},
};

/* The wg(8) whose behaviour the commands of that name have. */
#define WG_VERSION "1.0.20260223"
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

static void print_usage(FILE *to, const char *program, const struct command *command)
{
	fprintf(to, "Usage: %s %s%s%s\n", program, command->name, command->arguments[0] ? " " : "",
		command->arguments);
}

static void print_command_help(const struct command *command)
{
	print_usage(stdout, "wgctl", command);
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

static bool is_help(const char *word)
{
	return !strcmp(word, "-h") || !strcmp(word, "--help");
}

/* -h or --help among the options of a command. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (is_help(argv[i]))
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
	else if (!strcmp(name, "complete")) /* for the shells: no help names it */
		return complete_run(commands, COMMANDS, argc, argv);
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
	if (result == COMMAND_USAGE || result == COMMAND_TROUBLE_USAGE)
		print_usage(stderr, "wgctl", command);
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

static void print_wg_help(FILE *to)
{
	fputs("Usage: wg <cmd> [<args>]\n\nAvailable subcommands:\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].is_wg)
			fprintf(to, "  %s: %s\n", commands[i].name, commands[i].help);
}

/* Options mean nothing to the commands of wg(8) and wg-quick(8): a "--" keeps ours from seeing any.
 */
static enum command_result run_wg_command(const struct command *command, int argc, char **argv)
{
	char **words = calloc((size_t)argc + 2, sizeof(*words));
	enum command_result result;

	if (!words) {
		say_error("out of memory");
		return COMMAND_FAILED;
	}
	words[0] = argv[0];
	words[1] = (char[]){"--"};
	memcpy(words + 2, argv + 1, (size_t)(argc - 1) * sizeof(*words));
	result = command->run(argc + 1, words);
	free(words);
	return result;
}

/* argv[0]: the command; with argc 0 there is none. */
static enum command_result run_as_wg(int argc, char **argv)
{
	const char *name = argc ? argv[0] : "show";
	const struct command *command = find(name);
	char *show[] = {(char[]){"show"}, NULL};
	enum command_result result;

	if (!strcmp(name, "-h") || !strcmp(name, "--help") || !strcmp(name, "help")) {
		print_wg_help(stdout);
		return COMMAND_OK;
	}
	if (!strcmp(name, "-v") || !strcmp(name, "--version") || !strcmp(name, "version")) {
		puts("wireguard-tools v" WG_VERSION " - wgctl " PACKAGE_VERSION);
		return COMMAND_OK;
	}
	if (!command || !command->is_wg) {
		say_plain("Invalid subcommand: `%s'", name);
		print_wg_help(stderr);
		return COMMAND_FAILED;
	}
	if (argc == 2 && command->run == show_run &&
	    (is_help(argv[1]) || !strcmp(argv[1], "help"))) {
		print_usage(stderr, "wg", command);
		return COMMAND_OK;
	}
	result = argc ? run_wg_command(command, argc, argv) : run_wg_command(command, 1, show);
	if (result == COMMAND_USAGE)
		print_usage(stderr, "wg", command);
	return result;
}

static void print_quick_usage(void)
{
	fputs("Usage: wg-quick [ up | down | save | strip ] [ CONFIG_FILE | INTERFACE ]\n\n"
	      "  CONFIG_FILE is a configuration file, and its name INTERFACE.conf.\n"
	      "  INTERFACE stands for /etc/wireguard/INTERFACE.conf.\n",
	      stderr);
}

static bool is_quick(const char *name)
{
	return !strcmp(name, "up") || !strcmp(name, "down") || !strcmp(name, "save") ||
	       !strcmp(name, "strip");
}

static enum command_result run_as_quick(int argc, char **argv)
{
	const struct command *command = argc == 2 && is_quick(argv[0]) ? find(argv[0]) : NULL;
	enum command_result result;

	if (!command) {
		print_quick_usage();
		return argc == 1 && (is_help(argv[0]) || !strcmp(argv[0], "help")) ? COMMAND_OK
										   : COMMAND_FAILED;
	}
	result = run_wg_command(command, argc, argv);
	if (result == COMMAND_USAGE)
		print_quick_usage();
	return result;
}

int main(int argc, char **argv)
{
	const bool as_wg = self_is_wg(), as_quick = self_is_quick();
	enum command_result result;

	if (argc < 2 && !as_wg && !as_quick) {
		print_help(stderr);
		return EXIT_FAILURE;
	}
	if (hide_memory() || sodium_init() < 0) {
		say_error("cannot protect the process's memory, or libsodium does not start");
		return EXIT_FAILURE;
	}
	if (as_wg)
		result = run_as_wg(argc - 1, argv + 1);
	else if (as_quick)
		result = run_as_quick(argc - 1, argv + 1);
	else
		result = run(argc - 1, argv + 1);
	sodium_stackzero(STACK_DEPTH);
	if (fflush(stdout) || ferror(stdout)) {
		say_error("cannot write to standard output");
		return EXIT_FAILURE;
	}
	if (result == COMMAND_TROUBLE || result == COMMAND_TROUBLE_USAGE)
		return EXIT_TROUBLE;
	return result == COMMAND_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
