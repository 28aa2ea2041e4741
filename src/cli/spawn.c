/* SPDX-License-Identifier: MIT
 * The engine's parent is a child that ends once the engine is in the background. */
#include "cli/spawn.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cli/child.h"
#include "cli/client.h"
#include "cli/interrupt.h"
#include "cli/kernel.h"
#include "cli/self.h"
#include "conf/error.h"

#define ENGINE_NAME "wgengine"
#define KERNEL_WORD "kernel" /* in place of a program's name */
#define START_LIMIT 15000    /* ms until the parent has ended */
#define ANSWER_LIMIT 5000    /* ms more until the socket accepts */
#define KILL_LIMIT 2000      /* ms from SIGTERM to SIGKILL */
#define POLL_INTERVAL 10     /* ms */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* In the folder of this program; or, if that is .../bin, in .../sbin, where it is installed. */
static bool find_beside(char engine[PATH_MAX])
{
	static const char beside[] = "/" ENGINE_NAME, in_sbin[] = "/sbin/" ENGINE_NAME;
	ssize_t len = readlink("/proc/self/exe", engine, PATH_MAX - sizeof(in_sbin));
	char *slash;

	if (len <= 0)
		return false;
	engine[len] = '\0';
	slash = strrchr(engine, '/');
	if (!slash)
		return false;
	strcpy(slash, beside);
	if (!access(engine, X_OK))
		return true;
	*slash = '\0';
	slash = strrchr(engine, '/');
	if (!slash || strcmp(slash, "/bin") != 0)
		return false;
	strcpy(slash, in_sbin);
	return !access(engine, X_OK);
}

char *spawn_find_engine(char engine[PATH_MAX])
{
	const char *wanted = getenv("WGCTL_ENGINE");

	if (wanted && !strcmp(wanted, KERNEL_WORD))
		return NULL;
	if (!wanted || !*wanted) {
		if (self_is_quick() && kernel_is_there())
			return NULL;
		wanted = getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
	}
	if (wanted && *wanted)
		snprintf(engine, PATH_MAX, "%s", wanted);
	else if (!find_beside(engine))
		strcpy(engine, ENGINE_NAME);
	return engine;
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
	return child_judge(status, engine, error);
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
	const char *const argv[] = {engine, name, NULL};
	const struct child call = {.argv = argv, .is_apart = true};
	pid_t child = -1;
	int err = child_start(&child, &call, &interrupt->old);

	if (err)
		return conf_error_set(error, -err, 0, 0, "%s: %s", engine, strerror(-err));
	err = wait_parent(child, engine, interrupt, error);
	return err ? err : wait_answer(engine, name, interrupt, error);
}
