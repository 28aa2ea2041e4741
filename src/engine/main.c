/* SPDX-License-Identifier: MIT
 * wgengine [-f|--foreground] IFNAME: the contract of the other userspace engines. The parent
 * returns when the UAPI socket accepts, non-zero with one line on stderr when the start failed. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "engine/engine.h"
#include "engine/log.h"
#include "engine/loop.h"
#include "engine/sandbox.h"
#include "engine/uapi_server.h"

struct options {
	const char *ifname;
	bool foreground;
	bool chatty;         /* LOG_LEVEL is set: keep stderr */
	int tun_fd, uapi_fd; /* handed down; -1: none */
};

static const char usage[] = "usage: wgengine [-f|--foreground] INTERFACE\n"
			    "       wgengine --version | --help\n";

static bool valid_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < IFNAMSIZ && name[0] != '-' && strcmp(name, ".") &&
	       strcmp(name, "..") && !strpbrk(name, "/ \t\n\v\f\r:%");
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

/* 0: go on; else the exit status plus 1. */
static int parse(int argc, char **argv, struct options *options)
{
	const char *level = getenv("LOG_LEVEL");
	const char *foreground = getenv("WG_PROCESS_FOREGROUND");

	*options = (struct options){
		.foreground = foreground && !strcmp(foreground, "1"),
		.chatty = level && *level,
	};
	for (int i = 1; i < argc; ++i) {
		if (!strcmp(argv[i], "--version")) {
			puts("wgengine " PACKAGE_VERSION);
			return 1 + EXIT_SUCCESS;
		}
		if (!strcmp(argv[i], "-h") || !strcmp(argv[i], "--help")) {
			fputs(usage, stdout);
			return 1 + EXIT_SUCCESS;
		}
		if (!strcmp(argv[i], "-f") || !strcmp(argv[i], "--foreground")) {
			options->foreground = true;
		} else if (argv[i][0] != '-' && !options->ifname) {
			options->ifname = argv[i];
		} else {
			fprintf(stderr, "wgengine: unexpected argument '%s'\n%s", argv[i], usage);
			return 1 + EXIT_FAILURE;
		}
	}
	if (!options->ifname) {
		fprintf(stderr, "wgengine: which interface?\n%s", usage);
		return 1 + EXIT_FAILURE;
	}
	if (!valid_name(options->ifname)) {
		fprintf(stderr,
			"wgengine: '%s' is not an interface name: 1 to 15 characters, no '/', ':' "
			"or space\n",
			options->ifname);
		return 1 + EXIT_FAILURE;
	}
	if (inherited_fd("WG_TUN_FD", &options->tun_fd) ||
	    inherited_fd("WG_UAPI_FD", &options->uapi_fd))
		return 1 + EXIT_FAILURE;
	return 0;
}

static int open_tun(const struct options *options, struct tun *tun)
{
	int err;

	if (options->tun_fd >= 0) {
		err = tun_adopt(tun, options->tun_fd);
		if (err)
			log_error("WG_TUN_FD is not a TUN device: %s", strerror(-err));
		return err;
	}
	err = tun_create(tun, options->ifname);
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

static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* From here on the process is on its own: tells the waiting parent, and lets go of the terminal. */
static void tell_parent(int pipe_end, const struct options *options)
{
	char done = 0;
	int null;

	if (pipe_end < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		if (!options->chatty) {
			dup2(null, STDOUT_FILENO);
			dup2(null, STDERR_FILENO);
		}
		close(null);
	}
	(void)!chdir("/");
	(void)!write(pipe_end, &done, 1);
	close(pipe_end);
}

struct start {
	const struct options *options;
	int pipe_end;
};

static void ready(void *arg)
{
	struct start *start = arg;

	log_verbose("ready");
	tell_parent(start->pipe_end, start->options);
}

static int serve(const struct options *options, int pipe_end)
{
	static struct engine engine;
	struct start start = {options, pipe_end};
	struct uapi_server *server = NULL;
	struct tun tun;
	int err;

	block_signals();
	err = sandbox_harden();
	if (err) {
		log_error("cannot protect the process's memory: %s", strerror(-err));
		return err;
	}
	err = open_tun(options, &tun);
	if (err)
		return err;
	err = open_server(options, tun.name, &server);
	if (err) {
		tun_close(&tun);
		return err;
	}
	err = engine_init(&engine, &tun);
	if (!err) {
		err = loop_run(&engine, server, ready, &start);
		uapi_server_close(server);
		engine_free(&engine);
	} else {
		uapi_server_close(server);
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

int main(int argc, char **argv)
{
	struct options options;

	int status = parse(argc, argv, &options);
	if (status)
		return status - 1;
	if (sodium_init() < 0) {
		fputs("wgengine: libsodium does not start\n", stderr);
		return EXIT_FAILURE;
	}
	log_init(options.ifname, getenv("LOG_LEVEL"));
	if (options.foreground)
		return serve(&options, -1) ? EXIT_FAILURE : EXIT_SUCCESS;
	return daemonise(&options);
}
