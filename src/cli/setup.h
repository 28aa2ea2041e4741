/* SPDX-License-Identifier: MIT
 * What a configuration file asks of this machine: from the file to the plan that up carries out,
 * reload compares and, where nothing was recorded, down undoes. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include "cli/command.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/tunnel.h"
#include "conf/file.h"

struct args;
struct interrupt;

/* What is asked for; all is borrowed. */
struct setup_order {
	const char *word; /* FILE or NAME */
	const char *dns;  /* the way to set name servers; NULL: whichever there is */
	bool quiet, dry_run;
	/* Of a process that goes on afterwards: it holds signals back, and waits for others that
	 * are at work on the interface. NULL: it does not. */
	struct interrupt *interrupt;
};

struct setup {
	const struct setup_order *order; /* borrowed */
	struct paths paths;
	struct file file;
	struct plan plan;     /* what is wanted */
	struct plan recorded; /* what was done */
	struct record *record;
	struct tunnel tunnel; /* the world of both */
	struct model before;  /* reload: the device as it is */
	char engine[PATH_MAX];
	int lock;
	int turn;      /* a lock on the choice of default routes */
	bool is_guess; /* what is there was not recorded: the plan is to find it */
};

/* A command's work; 0 or -errno, said. */
typedef int setup_work(struct setup *setup);

/* Reads a command's arguments; accepts: ARGS_*, beside --dns. 0 or -EINVAL, said where the usage
 * alone does not say it. args keeps what else there is. */
int setup_parse(struct setup_order *order, struct args *args, int argc, char **argv,
		unsigned accepts);
/* Finds the file and the name (the file need not exist unless needs_file), takes the interface's
 * lock, reads what was recorded, and works. 0 or -errno, said. */
int setup_carry_out(const struct setup_order *order, bool needs_file, setup_work *work);
/* All of a command that does just that. */
enum command_result setup_run(int argc, char **argv, bool needs_file, setup_work *work);

/* Reads the file with its warnings, and refuses what cannot be done. 0 or -errno, said. */
int setup_read(struct setup *setup);
/* Asks the resolver. 0 or -errno, said. */
int setup_resolve(struct setup *setup);
/* Fills the plan; endpoints should be resolved. 0 or -errno, said. */
int setup_plan(struct setup *setup);
/* Goes from one plan to the other, with signals held back. 0 or -errno, said. */
int setup_go(struct setup *setup, struct plan *from, struct plan *to, enum plan_way way);
