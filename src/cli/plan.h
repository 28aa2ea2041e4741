/* SPDX-License-Identifier: MIT
 * A plan: the steps from the state that is to the state that is wanted. Each can be described,
 * done and undone; a step that fails undoes those before it, in reverse. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/prefix.h"

struct conf_error;
struct interrupt;
struct text;

enum plan_phrase {
	PLAN_DO,   /* the command that does the same, for the trace */
	PLAN_UNDO, /* the command that undoes the same */
	PLAN_GOAL, /* completes "cannot ..." */
};

struct plan_step {
	const struct plan_verb *verb;
	struct prefix prefix; /* what the step is about, if a prefix */
	uint32_t number;      /* or a number */
	bool done;
};

/* world: what the steps work on; the plan only passes it through. */
struct plan_verb {
	void (*describe)(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			 struct text *out);
	bool (*holds)(void *world, const struct plan_step *step); /* nothing to do? NULL: never */
	/* 0 or -errno with *why filled, and then nothing of the step is left done. */
	int (*act)(void *world, const struct plan_step *step, struct conf_error *why);
	/* The same; NULL: undoing an earlier step undoes this one too. */
	int (*undo)(void *world, const struct plan_step *step, struct conf_error *why);
};

struct plan {
	struct plan_step *steps; /* owned */
	size_t count, size;
	bool failed; /* an add ran out of memory: plan_run() will refuse */
};

#define PLAN_EMPTY {0}

/* Appends a step; prefix may be NULL. verb is borrowed. */
void plan_add(struct plan *plan, const struct plan_verb *verb, const struct prefix *prefix,
	      uint32_t number);
/* Carries the steps out, in order, and says what goes wrong. 0 or -errno: then all was undone. */
int plan_run(struct plan *plan, void *world, struct interrupt *interrupt, bool quiet);
void plan_free(struct plan *plan);
