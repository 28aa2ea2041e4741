/* SPDX-License-Identifier: MIT
 * Another program, run as a child. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct conf_error;
struct interrupt;

struct child {
	const char *const *argv;  /* argv[0] is looked for in PATH */
	char *const *environment; /* NULL: ours */
	const char *input;        /* what its standard input holds; NULL: it is ours */
	/* In a session of its own (the terminal's ^C is not for it), with nothing open but an empty
	 * standard input and, twice, our stderr. */
	bool is_apart;
	bool is_silent; /* reads nothing and says nothing */
};

/* Starts it with the signal mask given. 0 or -errno, -ENOENT: there is no such program. */
int child_start(pid_t *pid, const struct child *child, const sigset_t *mask);
/* What became of it, by its wait status: 0, or -ECHILD with *why filled. name: how to call it. */
int child_judge(int status, const char *name, struct conf_error *why);
/* Starts it and waits for its end. Of the signals that interrupt holds back, one that comes
 * meanwhile ends the child (SIGTERM); what came before does not. 0, or -errno with *why filled, as
 * the two above. */
int child_run(const struct child *child, const char *name, struct interrupt *interrupt,
	      struct conf_error *why);
