/* SPDX-License-Identifier: MIT
 * Children get the signal mask that wgctl was called with, and SIGPIPE's default. What they read is
 * in memory, so that who writes never waits for who reads. */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/interrupt.h"
#include "conf/error.h"

#define POLL_INTERVAL 1000 /* ms; the end of a child is a signal, which ends the wait */

/* 0 or -errno. */
static int open_input(int *fd, const char *input)
{
	const size_t len = strlen(input);

	*fd = memfd_create("input", MFD_CLOEXEC);
	if (*fd < 0)
		return -errno;
	if (pwrite(*fd, input, len, 0) == (ssize_t)len)
		return 0;
	close(*fd);
	*fd = -1;
	return -ENOSPC;
}

/* 0 or an errno. */
static int add_files(posix_spawn_file_actions_t *files, const struct child *child, int input)
{
	int err = 0;

	if (input >= 0)
		err = posix_spawn_file_actions_adddup2(files, input, 0);
	if (child->is_silent)
		err = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDWR, 0);
	for (int i = 1; child->is_silent && i <= 2 && !err; i++)
		err = posix_spawn_file_actions_adddup2(files, 0, i);
	if (err || !child->is_apart)
		return err;
	err = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(files, 2, 1);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(files, 3);
	return err;
}

/* 0 or an errno. */
static int add_attributes(posix_spawnattr_t *attributes, const struct child *child,
			  const sigset_t *mask)
{
	const int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
			  (child->is_apart ? POSIX_SPAWN_SETSID : 0);
	sigset_t defaults;
	int err;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	err = posix_spawnattr_setsigmask(attributes, mask);
	if (!err)
		err = posix_spawnattr_setsigdefault(attributes, &defaults);
	if (!err)
		err = posix_spawnattr_setflags(attributes, (short)flags);
	return err;
}

int child_start(pid_t *pid, const struct child *child, const sigset_t *mask)
{
	char *const *argv = (char *const *)(uintptr_t)child->argv; /* it does not write there */
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int input = -1, err = 0;

	if (child->input)
		err = open_input(&input, child->input);
	if (err)
		return err;
	err = posix_spawn_file_actions_init(&files);
	if (err)
		goto err_input;
	err = posix_spawnattr_init(&attributes);
	if (err)
		goto err_files;
	err = add_files(&files, child, input);
	if (!err)
		err = add_attributes(&attributes, child, mask);
	if (!err)
		err = posix_spawnp(pid, child->argv[0], &files, &attributes, argv,
				   child->environment ? child->environment : environ);
	posix_spawnattr_destroy(&attributes);
err_files:
	posix_spawn_file_actions_destroy(&files);
err_input:
	if (input >= 0)
		close(input);
	return -err;
}

int child_judge(int status, const char *name, struct conf_error *why)
{
	if (WIFSIGNALED(status))
		return conf_error_set(why, ECHILD, 0, 0, "%s was killed by signal %d (%s)", name,
				      WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status))
		return conf_error_set(why, ECHILD, 0, 0, "%s ended with exit status %d", name,
				      WEXITSTATUS(status));
	return 0;
}

int child_run(const struct child *child, const char *name, struct interrupt *interrupt,
	      struct conf_error *why)
{
	bool is_told = interrupt_pending(interrupt);
	int status = 0, err;
	pid_t pid = -1;

	err = child_start(&pid, child, &interrupt->old);
	if (err)
		return conf_error_set(why, -err, 0, 0, "%s: %s", name, strerror(-err));
	while (waitpid(pid, &status, WNOHANG) == 0) {
		interrupt_wait(interrupt, POLL_INTERVAL);
		if (interrupt->signal && !is_told)
			kill(pid, SIGTERM);
		is_told = interrupt->signal;
	}
	return child_judge(status, name, why);
}
