/* SPDX-License-Identifier: MIT
 * What a configuration file asks of this machine: from the file to the plan that up carries out,
 * reload compares and, where nothing was recorded, down undoes. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/tunnel.h"
#include "conf/file.h"

struct setup {
	struct paths paths;
	struct file file;
	struct plan plan;     /* what is wanted */
	struct plan recorded; /* what was done */
	struct record *record;
	struct tunnel tunnel; /* the world of both */
	struct model before;  /* reload: the device as it is */
	char engine[PATH_MAX];
	const char *dns; /* the way to set name servers; NULL: whichever there is; borrowed */
	int lock;
	bool quiet, dry_run;
	bool is_guess; /* what is there was not recorded: the plan is to find it */
};

/* Reads the command's arguments, finds the file and the name (the file need not exist unless
 * needs_file), takes the interface's lock, and reads what was recorded. 0 or -errno, said, or
 * -EINVAL unsaid: the usage is wrong. Whatever comes of it, setup_end() is called in the end. */
int setup_begin(struct setup *setup, int argc, char **argv, bool needs_file);
/* Reads the file with its warnings, and refuses what cannot be done. 0 or -errno, said. */
int setup_read(struct setup *setup);
/* Asks the resolver. 0 or -errno, said. */
int setup_resolve(struct setup *setup);
/* Fills the plan; endpoints should be resolved. 0 or -errno, said. */
int setup_plan(struct setup *setup);
/* Goes from one plan to the other, with signals held back. 0 or -errno, said. */
int setup_go(struct setup *setup, struct plan *from, struct plan *to, enum plan_way way);
void setup_end(struct setup *setup);
