/* SPDX-License-Identifier: MIT
 * Signals are blocked and asked for: no handler, no global. */
#include "cli/interrupt.h"

#include <stddef.h>
#include <time.h>

static sigset_t held_back(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	return set;
}

void interrupt_begin(struct interrupt *interrupt)
{
	sigset_t set = held_back();

	interrupt->happened = false;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, &interrupt->old);
}

void interrupt_wait(struct interrupt *interrupt, int ms)
{
	const struct timespec limit = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	sigset_t set = held_back();
	int number = sigtimedwait(&set, NULL, &limit);

	if (number > 0 && number != SIGCHLD)
		interrupt->happened = true;
}

bool interrupt_pending(struct interrupt *interrupt)
{
	sigset_t set;

	sigpending(&set);
	if (sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) || sigismember(&set, SIGHUP))
		interrupt->happened = true;
	return interrupt->happened;
}

void interrupt_end(struct interrupt *interrupt)
{
	while (interrupt_pending(interrupt)) {
		const struct timespec now = {0};
		sigset_t set = held_back();

		if (sigtimedwait(&set, NULL, &now) < 0)
			break;
	}
	sigprocmask(SIG_SETMASK, &interrupt->old, NULL);
}
