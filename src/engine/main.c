/* SPDX-License-Identifier: MIT
 * wgengine [-f|--foreground] IFNAME: the contract of the other userspace engines. The parent
 * returns when the UAPI socket accepts, non-zero with one line on stderr when the start failed. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "conf/scope.h"
#include "engine/attack.h"
#include "engine/engine.h"
#include "engine/log.h"
#include "engine/loop.h"
#include "engine/memlock.h"
#include "engine/opener.h"
#include "engine/sandbox.h"
#include "engine/uapi_server.h"

#define STACK_DEPTH (32 << 10) /* of which the end of an engine uses less */

struct options {
	const char *ifname;
	bool foreground;
	bool chatty;  /* LOG_LEVEL is set: keep stderr */
	bool offload; /* use super-packets */
	unsigned threads;
	const char *state_file; /* NULL: the usual one */
	int tun_fd, uapi_fd;    /* handed down; -1: none */
};

static const char usage[] =
	"usage: wgengine [-f|--foreground] [--threads N] [--no-offload]\n"
	"                [--state-file PATH] INTERFACE\n"
	"       wgengine --version | --help\n"
	"  -f, --foreground  stay in the foreground\n"
	"  --threads N       data workers (default: the processors, 4 at the most)\n"
	"  --no-offload      one packet at a time, for kernels with broken offloads\n"
	"  --state-file PATH keeps the time that peers have seen of us; for machines without a\n"
	"                    clock of their own, on a disk (default: with the socket)\n"
	"environment: WG_PROCESS_FOREGROUND=1, WG_THREADS=N, WG_OFFLOAD=off, WG_STATE_FILE=PATH,\n"
	"  LOG_LEVEL=verbose|error|silent, WG_TUN_FD, WG_UAPI_FD\n";

static bool valid_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && name[0] != '-' && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && strcmp(name, "all") != 0 &&
	       strcmp(name, "default") != 0 && !strpbrk(name, "/ \t\n\v\f\r:%");
}

/* An open file descriptor by its number in the environment. 0 with -1 when not set. */
static int inherited_fd(const char *variable, int *fd)
{
	const char *value = getenv(variable);
	char *end;
	long number;

	*fd = -1;
	if (!value || !*value)
		return 0;
	errno = 0;
	number = strtol(value, &end, 10);
	if (errno || *end || number < 0 || number > 1 << 20 || fcntl((int)number, F_GETFD) < 0) {
		fprintf(stderr, "wgengine: %s=%s is not an open file descriptor\n", variable,
			value);
		return -EBADF;
	}
	*fd = (int)number;
	return 0;
}

/* Nothing was asked for: as many as there are processors for us, 4 at the most. */
static unsigned default_threads(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return count > 4 ? 4 : (unsigned)count;
}

static int read_threads(const char *text, unsigned *threads)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || number < 1 || number > TUN_QUEUES_MAX) {
		fprintf(stderr, "wgengine: '%s' is no number of threads: 1 to %d\n", text,
			TUN_QUEUES_MAX);
		return -EINVAL;
	}
	*threads = (unsigned)number;
	return 0;
}

static int read_environment(struct options *options)
{
	const char *level = getenv("LOG_LEVEL"), *foreground = getenv("WG_PROCESS_FOREGROUND");
	const char *offload = getenv("WG_OFFLOAD"), *threads = getenv("WG_THREADS");

	*options = (struct options){
		.state_file = getenv("WG_STATE_FILE"),
		.foreground = foreground && !strcmp(foreground, "1"),
		.chatty = level && *level,
		.offload = !offload || strcmp(offload, "off") != 0,
		.threads = default_threads(),
	};
	if (threads && *threads && read_threads(threads, &options->threads))
		return -EINVAL;
	if (inherited_fd("WG_TUN_FD", &options->tun_fd) ||
	    inherited_fd("WG_UAPI_FD", &options->uapi_fd))
		return -EBADF;
	return 0;
}

enum action {
	ACTION_RUN,
	ACTION_DONE,
	ACTION_FAIL,
};

static enum action read_arguments(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"foreground", no_argument, NULL, 'f'},
		{"threads", required_argument, NULL, 't'},
		{"no-offload", no_argument, NULL, 'o'},
		{"state-file", required_argument, NULL, 's'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	opterr = 0; /* we say it ourselves */
	while ((option = getopt_long(argc, argv, "fh", known, NULL)) >= 0) {
		switch (option) {
		case 'f':
			options->foreground = true;
			break;
		case 't':
			if (read_threads(optarg, &options->threads))
				return ACTION_FAIL;
			break;
		case 'o':
			options->offload = false;
			break;
		case 's':
			options->state_file = optarg;
			break;
		case 'v':
			puts("wgengine " PACKAGE_VERSION);
			return ACTION_DONE;
		case 'h':
			fputs(usage, stdout);
			return ACTION_DONE;
		default:
			fprintf(stderr, "wgengine: '%s' is not understood\n%s", argv[optind - 1],
				usage);
			return ACTION_FAIL;
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "wgengine: name one interface\n%s", usage);
		return ACTION_FAIL;
	}
	options->ifname = argv[optind];
	if (!valid_name(options->ifname)) {
		fprintf(stderr,
			"wgengine: '%s' is not an interface name: 1 to 15 characters, no '/', ':' "
			"or space, no '-' in front, not all or default\n",
			options->ifname);
		return ACTION_FAIL;
	}
	return ACTION_RUN;
}

static int open_tun(const struct options *options, struct tun *queues, unsigned *count)
{
	int err;

	if (options->tun_fd >= 0) {
		err = tun_adopt(&queues[0], options->tun_fd, options->offload);
		*count = 1;
		if (err)
			log_error("WG_TUN_FD is not a TUN device: %s", strerror(-err));
		return err;
	}
	*count = options->threads;
	err = tun_create(queues, count, options->ifname, options->offload);
	if (err == -EPERM || err == -EACCES)
		log_error("may not create the interface: this needs root, or CAP_NET_ADMIN");
	else if (err == -ENOENT || err == -ENXIO || err == -ENODEV)
		log_error("there is no /dev/net/tun: load the tun module, or give the container "
			  "that device");
	else if (err == -EBUSY || err == -EEXIST || (err && if_nametoindex(options->ifname)))
		log_error("an interface of this name exists already");
	else if (err)
		log_error("cannot create the interface: %s", strerror(-err));
	return err;
}

static int open_server(const struct options *options, const char *ifname,
		       struct uapi_server **server)
{
	int err = uapi_server_open(server, ifname, options->uapi_fd);

	if (err == -EADDRINUSE)
		log_error("another engine answers on " UAPI_SERVER_DIRECTORY "/%s.sock", ifname);
	else if (err)
		log_error("cannot listen on " UAPI_SERVER_DIRECTORY "/%s.sock: %s", ifname,
			  strerror(-err));
	return err;
}

/* Next to the socket it lasts as long as the machine runs. */
static void open_clock(const struct options *options, const char *ifname, struct clockfile *clock)
{
	char usual[sizeof(UAPI_SERVER_DIRECTORY) + IFNAMSIZ + sizeof("/.clock")];
	const char *path = options->state_file;

	if (!path || !*path) {
		snprintf(usual, sizeof(usual), UAPI_SERVER_DIRECTORY "/%s.clock", ifname);
		path = usual;
	}
	clockfile_open(clock, path);
}

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

struct start {
	const struct options *options;
	int pipe_end;         /* to the waiting parent; -1: stays in the foreground */
	int null;             /* /dev/null */
	bool locked_by_right; /* memlock_all() */
	struct sandbox sandbox;
};

/* Opens it while that can be done, and above the standard files, whether those are open or not. */
static int open_null(void)
{
	int null;

	do
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (null >= 0 && null <= STDERR_FILENO);
	return null;
}

/* From here on the process is on its own: tells the waiting parent, and lets go of the terminal. */
static void tell_parent(const struct start *start)
{
	char done = 0;

	if (start->pipe_end < 0)
		return;
	dup2(start->null, STDIN_FILENO);
	if (!start->options->chatty) {
		dup2(start->null, STDOUT_FILENO);
		dup2(start->null, STDERR_FILENO);
	}
	(void)!write(start->pipe_end, &done, 1);
	close(start->pipe_end);
}

static void ready(void *arg)
{
	struct start *start = arg;
	struct sandbox *sandbox = &start->sandbox;

#ifdef WITH_TEST_HOOKS
	attack_arm();
#endif
	sandbox_seal(sandbox);
	log_notice("sandbox: %s%s%s", sandbox->on, *sandbox->off ? "; off: " : "", sandbox->off);
	log_verbose("ready");
	tell_parent(start);
}

/* Gives up what the engine does without, and runs it. Consumes the queues. */
static int run(struct start *start, const struct opener *opener, struct uapi_server *server,
	       struct tun *queues, unsigned count)
{
	static struct engine engine;
	int err = engine_init(&engine, opener, queues, count);

	if (err) {
		uapi_server_close(server, opener);
		return err;
	}
	open_clock(start->options, engine.workers[0].tun.name, &engine.clock);
	(void)!chdir("/");
	scope_keep();
	sandbox_drop(&start->sandbox, start->locked_by_right);
	err = loop_run(&engine, server, ready, start);
	uapi_server_close(server, opener);
	engine_free(&engine);
	sodium_stackzero(STACK_DEPTH);
	return err;
}

static int open_all(const struct options *options, struct tun *queues, unsigned *count,
		    struct uapi_server **server)
{
	int err = open_tun(options, queues, count);

	if (err)
		return err;
	err = open_server(options, queues[0].name, server);
	while (err && *count)
		tun_close(&queues[--*count]);
	return err;
}

/* Without it the engine works all the same. */
static void lock_memory(struct start *start)
{
	int err = memlock_all(&start->locked_by_right);

	if (err)
		log_error("keys may be swapped to disk: cannot lock the memory (%s), which takes "
			  "CAP_IPC_LOCK, or no limit on it (ulimit -l unlimited)",
			  strerror(-err));
}

static int serve(const struct options *options, int pipe_end)
{
	struct start start = {.options = options, .pipe_end = pipe_end, .null = open_null()};
	struct uapi_server *server = NULL;
	struct tun queues[TUN_QUEUES_MAX];
	struct opener opener;
	unsigned count;
	int err;

	block_signals();
	err = sandbox_harden();
	if (err) {
		log_error("cannot protect the process's memory: %s", strerror(-err));
		return err;
	}
	err = open_all(options, queues, &count, &server);
	if (err)
		return err;
	lock_memory(&start);
	err = opener_start(&opener, count, uapi_server_path(server), start.null);
	if (!err) {
		err = run(&start, &opener, server, queues, count);
		opener_close(&opener);
	} else {
		uapi_server_close(server, NULL);
	}
	if (err)
		log_error("cannot start: %s", strerror(-err));
	return err;
}

/* The parent's part: waits until the child is ready or has ended. */
static int wait_for(pid_t child, int pipe_end)
{
	char done;
	int status;

	if (read(pipe_end, &done, 1) == 1)
		return EXIT_SUCCESS;
	if (waitpid(child, &status, 0) == child && WIFSIGNALED(status))
		fprintf(stderr, "wgengine: ended by signal %d during start\n", WTERMSIG(status));
	return EXIT_FAILURE;
}

/* What the caller forgot to close is no business of ours, nor of who might take us over. */
static void close_inherited(const struct options *options)
{
	bool ordered = options->tun_fd < options->uapi_fd;
	const int kept[] = {ordered ? options->tun_fd : options->uapi_fd,
			    ordered ? options->uapi_fd : options->tun_fd};
	int last = STDERR_FILENO;

	for (unsigned i = 0; i < 2; ++i) {
		if (kept[i] > last + 1)
			close_range((unsigned)last + 1, (unsigned)kept[i] - 1, 0);
		if (kept[i] > last)
			last = kept[i];
	}
	close_range((unsigned)last + 1, ~0U, 0);
}

static int daemonise(const struct options *options)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC)) {
		perror("wgengine: pipe");
		return EXIT_FAILURE;
	}
	child = fork();
	if (child < 0) {
		perror("wgengine: fork");
		return EXIT_FAILURE;
	}
	if (child) {
		close(ends[1]);
		return wait_for(child, ends[0]);
	}
	close(ends[0]);
	setsid();
	return serve(options, ends[1]) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Where one of them is closed, what is opened next would get its number, and lose it again to the
 * /dev/null of tell_parent(). */
static void open_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options options;

	open_standard_files();
	if (read_environment(&options))
		return EXIT_FAILURE;
	switch (read_arguments(argc, argv, &options)) {
	case ACTION_RUN:
		break;
	case ACTION_DONE:
		return EXIT_SUCCESS;
	case ACTION_FAIL:
		return EXIT_FAILURE;
	}
	close_inherited(&options);
	if (sodium_init() < 0) {
		fputs("wgengine: libsodium does not start\n", stderr);
		return EXIT_FAILURE;
	}
	log_init(options.ifname, getenv("LOG_LEVEL"));
	if (options.foreground)
		return serve(&options, -1) ? EXIT_FAILURE : EXIT_SUCCESS;
	return daemonise(&options);
}
