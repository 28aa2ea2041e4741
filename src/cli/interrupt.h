/* SPDX-License-Identifier: MIT
 * SIGINT, SIGTERM and SIGHUP held back while a plan is carried out, so that what was begun can
 * be undone. */
#pragma once

#include <signal.h>
#include <stdbool.h>

struct interrupt {
	sigset_t old;   /* the signal mask of children */
	int signal;     /* the one of the three that came; 0: none */
	bool is_nested; /* another one holds the signals back already */
};

/* Holds the signals back; SIGPIPE is ignored from here on (a reader of stderr that went away
 * stops nothing half-way), and SIGCHLD is not (children can be waited for). */
void interrupt_begin(struct interrupt *interrupt);
/* Whether one came since; does not wait. */
bool interrupt_pending(struct interrupt *interrupt);
/* Waits for one, for the end of a child, or ms milliseconds. */
void interrupt_wait(struct interrupt *interrupt, int ms);
/* The signal that came, which is forgotten; or 0. */
int interrupt_take(struct interrupt *interrupt);
/* Restores the mask. What came is forgotten, or known to the one around this one. */
void interrupt_end(struct interrupt *interrupt);
