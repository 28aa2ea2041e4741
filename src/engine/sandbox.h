/* SPDX-License-Identifier: MIT
 * What the processes of the engine give up. Each piece is taken as far as the system has it; what
 * is missing is reported, and the others apply without it. */
#pragma once

#include <stdbool.h>

/* What is on and what is not, in words, for one line of the log. */
struct sandbox {
	char on[256];
	char off[256]; /* with the reasons; empty: nothing */
};

/* First of all: no core dumps, no ptrace by others of the same user, no new privileges through
 * exec. 0 or -errno. */
int sandbox_harden(void);
/* The engine, once all is open that takes rights, and before it starts threads: the rights of an
 * unprivileged user, no capabilities, no files (Landlock). locked_by_right: of memlock_all(), which
 * then leaves CAP_IPC_LOCK. */
void sandbox_drop(struct sandbox *sandbox, bool locked_by_right);
/* The engine, once its threads run, for all of them: no system calls but those of its work. */
void sandbox_seal(struct sandbox *sandbox);
/* The opener: nothing but capabilities for the network, the removal of files in directory (NULL:
 * none), and the system calls of its work. */
void sandbox_limit_opener(const char *directory);
