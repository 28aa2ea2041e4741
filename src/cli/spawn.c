/* SPDX-License-Identifier: MIT
 * One child: started in a session of its own (the terminal's ^C is not for it) with the signal
 * mask that wgctl was called with; its standard output goes to stderr. */
#include "cli/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cli/client.h"
#include "cli/interrupt.h"
#include "conf/error.h"

#define ENGINE_NAME "wgengine"
#define START_LIMIT 15000 /* ms until the parent has ended */
#define ANSWER_LIMIT 5000 /* ms more until the socket accepts */
#define KILL_LIMIT 2000   /* ms from SIGTERM to SIGKILL */
#define POLL_INTERVAL 10  /* ms */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool find_beside(char engine[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", engine, PATH_MAX - sizeof(ENGINE_NAME));
	char *slash;

	if (len <= 0)
		return false;
	engine[len] = '\0';
	slash = strrchr(engine, '/');
	if (!slash)
		return false;
	strcpy(slash + 1, ENGINE_NAME);
	return !access(engine, X_OK);
}

char *spawn_find_engine(char engine[PATH_MAX])
{
	const char *wanted = getenv("WGCTL_ENGINE");

	if (!wanted || !*wanted)
		wanted = getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
	if (wanted && *wanted)
		snprintf(engine, PATH_MAX, "%s", wanted);
	else if (!find_beside(engine))
		strcpy(engine, ENGINE_NAME);
	return engine;
}

/* 0 or -errno; *child is then running. */
static int start(pid_t *child, const char *engine, const char *name, const sigset_t *mask)
{
	char *argv[] = {(char *)(uintptr_t)engine, (char *)(uintptr_t)name, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int err;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	err = posix_spawn_file_actions_init(&files);
	if (err)
		return -err;
	err = posix_spawnattr_init(&attributes);
	if (err)
		goto err_files;
	if ((err = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) ||
	    (err = posix_spawn_file_actions_adddup2(&files, 2, 1)) ||
	    (err = posix_spawn_file_actions_addclosefrom_np(&files, 3)) ||
	    (err = posix_spawnattr_setsigmask(&attributes, mask)) ||
	    (err = posix_spawnattr_setsigdefault(&attributes, &defaults)) ||
	    (err = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
							  POSIX_SPAWN_SETSIGMASK |
							  POSIX_SPAWN_SETSIGDEF)))
		goto err_attributes;
	err = posix_spawnp(child, engine, &files, &attributes, argv, environ);
err_attributes:
	posix_spawnattr_destroy(&attributes);
err_files:
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

/* Ends a child that did not go to the background, and what it started: its session is its
 * process group. */
static void stop(pid_t child, struct interrupt *interrupt)
{
	const int64_t limit = now_ms() + KILL_LIMIT;

	kill(-child, SIGTERM);
	while (waitpid(child, NULL, WNOHANG) == 0) {
		if (now_ms() >= limit)
			kill(-child, SIGKILL);
		interrupt_wait(interrupt, POLL_INTERVAL);
	}
}

static int wait_parent(pid_t child, const char *engine, struct interrupt *interrupt,
		       struct conf_error *error)
{
	const int64_t limit = now_ms() + START_LIMIT;
	int status;

	while (waitpid(child, &status, WNOHANG) == 0) {
		if (interrupt_pending(interrupt)) {
			stop(child, interrupt);
			return conf_error_set(error, EINTR, 0, 0, "interrupted");
		}
		if (now_ms() >= limit) {
			stop(child, interrupt);
			return conf_error_set(error, ETIMEDOUT, 0, 0,
					      "%s did not go to the background within %d seconds",
					      engine, START_LIMIT / 1000);
		}
		interrupt_wait(interrupt, POLL_INTERVAL);
	}
	if (WIFSIGNALED(status))
		return conf_error_set(error, ECHILD, 0, 0, "%s was killed by signal %d (%s)",
				      engine, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return conf_error_set(error, ECHILD, 0, 0, "%s ended with exit status %d", engine,
				      WEXITSTATUS(status));
	return 0;
}

/* The parent of some engines ends a little before the socket accepts, whatever becomes of their
 * child. */
static int wait_answer(const char *engine, const char *name, struct interrupt *interrupt,
		       struct conf_error *error)
{
	const int64_t limit = now_ms() + ANSWER_LIMIT;
	char path[CLIENT_PATH_MAX];
	int err;

	while ((err = client_probe(name))) {
		if (interrupt_pending(interrupt))
			return conf_error_set(error, EINTR, 0, 0, "interrupted");
		if (err != -ENOENT && err != -ECONNREFUSED)
			return conf_error_set(error, -err, 0, 0, "%s: %s", client_path(path, name),
					      strerror(-err));
		if (now_ms() >= limit)
			return conf_error_set(error, ETIMEDOUT, 0, 0,
					      "%s started, but does not answer on %s", engine,
					      client_path(path, name));
		interrupt_wait(interrupt, POLL_INTERVAL);
	}
	return 0;
}

int spawn_engine(const char *engine, const char *name, struct interrupt *interrupt,
		 struct conf_error *error)
{
	pid_t child = -1;
	int err = start(&child, engine, name, &interrupt->old);

	if (err)
		return conf_error_set(error, -err, 0, 0, "%s: %s", engine, strerror(-err));
	err = wait_parent(child, engine, interrupt, error);
	return err ? err : wait_answer(engine, name, interrupt, error);
}
