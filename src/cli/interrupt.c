/* SPDX-License-Identifier: MIT
 * Signals are blocked and asked for: no handler, no global. */
#include "cli/interrupt.h"

#include <stddef.h>
#include <time.h>

static sigset_t interrupting(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	return set;
}

static sigset_t held_back(void)
{
	sigset_t set = interrupting();

	sigaddset(&set, SIGCHLD);
	return set;
}

void interrupt_begin(struct interrupt *interrupt)
{
	sigset_t set = held_back();

	interrupt->signal = 0;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, &interrupt->old);
	interrupt->is_nested = sigismember(&interrupt->old, SIGTERM);
	for (int i = 1; i < NSIG && interrupt->is_nested; i++)
		if (sigismember(&set, i) == 1)
			sigdelset(&interrupt->old, i);
}

/* To end counts more than to read the file again. */
static void note(struct interrupt *interrupt, int number)
{
	if (number > 0 && number != SIGCHLD && (!interrupt->signal || interrupt->signal == SIGHUP))
		interrupt->signal = number;
}

void interrupt_wait(struct interrupt *interrupt, int ms)
{
	const struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	sigset_t set = held_back();

	note(interrupt, sigtimedwait(&set, NULL, &limit));
}

bool interrupt_pending(struct interrupt *interrupt)
{
	const struct timespec now = {0};
	sigset_t set = interrupting();
	int number;

	while ((number = sigtimedwait(&set, NULL, &now)) > 0)
		note(interrupt, number);
	return interrupt->signal;
}

int interrupt_take(struct interrupt *interrupt)
{
	int number = interrupt->signal;

	interrupt->signal = 0;
	return number;
}

void interrupt_end(struct interrupt *interrupt)
{
	(void)interrupt_pending(interrupt);
	if (!interrupt->is_nested)
		sigprocmask(SIG_SETMASK, &interrupt->old, NULL);
	else if (interrupt->signal)
		raise(interrupt->signal);
}
