/* SPDX-License-Identifier: MIT
 * What was done to an interface, step by step, in /run/wgctl/IFNAME.record, so that another process
 * can undo it, whatever became of the configuration file, the engine or the process that did it.
 * Holds no keys. Who writes one holds the interface's lock (lock.h). */
#pragma once

#include <limits.h>
#include <stdbool.h>

struct plan;
struct plan_step;
struct record;

#define RECORD_BOOT_MAX 40

enum record_state {
	RECORD_NONE,      /* nothing is recorded */
	RECORD_HERE,      /* of this boot and this network namespace */
	RECORD_ELSEWHERE, /* of another network namespace */
	RECORD_OLD,       /* of another boot */
};

/* The record of an interface, and the steps in it, in the order in which they were done (after
 * another boot those alone that outlive one). 0 or -ENOMEM; what cannot be read is said, and is
 * none. *record is the caller's to close. */
int record_open(struct record **record, const char *name, struct plan *steps);
enum record_state record_state(const struct record *record);
/* The configuration file that the steps came from; "": none is known. */
const char *record_file(const struct record *record);
/* The same for who only looks, and says nothing. 0 or -ENOENT. */
int record_find_file(const char *name, char file[PATH_MAX]);
/* One word for this boot of the machine; returns boot. */
const char *record_read_boot(char boot[RECORD_BOOT_MAX]);
/* Says where the steps to come are from; written with the next of the others. */
void record_set_file(struct record *record, const char *file);

/* Each may be called with NULL, which keeps none. That a record cannot be kept is said once, and
 * hinders nothing. */
void record_add(struct record *record, const struct plan_step *step);    /* is about to be done */
void record_remove(struct record *record, const struct plan_step *step); /* was undone */
void record_replace(struct record *record, const struct plan *plan);     /* those that are done */
/* A record without steps is removed. NULL is fine. */
void record_close(struct record *record);
