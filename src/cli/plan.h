/* SPDX-License-Identifier: MIT
 * A plan: the steps that make up a state of an interface, in the order in which they are done. To
 * go from one state to another is to do what the new one has more and to undo what the old one had
 * more; a step that fails undoes the way up to there, in reverse. What was done is recorded, so
 * that another process can undo it (record.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/prefix.h"

struct conf_error;
struct interrupt;
struct record;
struct text;

enum plan_phrase {
	PLAN_DO,   /* the command that does the same, for the trace */
	PLAN_UNDO, /* the command that undoes the same */
	PLAN_GOAL, /* completes "cannot ..." */
};

/* Two steps are the same if their verbs and all arguments are. */
struct plan_step {
	const struct plan_verb *verb;
	struct prefix prefix; /* what the step is about, if a prefix; else all zero */
	uint32_t number;      /* or a number */
	char *text;           /* or words, without a newline; NULL: none; owned */
	bool done;
};

/* world: what the steps work on; the plan only passes it through. A step may be undone by another
 * process than did it, so that undo finds all it needs in the step and in the world. */
struct plan_verb {
	const char *name; /* one word, by which records know the verb */
	bool is_single;   /* doing a new one of the kind undoes the old one */
	bool is_event; /* for going up and going down alone: not on a change, not after a failure */
	bool is_refreshed; /* is done again on each change, and undone if that fails */
	bool is_lasting;   /* what it does outlives a boot */
	bool is_of_link;   /* what it does goes with the link: undone by itself on a change alone */
	/* Puts nothing: not worth a line. */
	void (*describe)(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			 struct text *out);
	bool (*holds)(void *world, const struct plan_step *step); /* nothing to do? NULL: never */
	/* 0 or -errno with *why filled, and then nothing of the step is left done. NULL: nothing is
	 * to be done, only to be undone. */
	int (*act)(void *world, const struct plan_step *step, struct conf_error *why);
	/* The same. What is not there any more is undone. NULL: undoing an earlier step undoes this
	 * one too. */
	int (*undo)(void *world, const struct plan_step *step, struct conf_error *why);
};

struct plan {
	struct plan_step *steps; /* owned */
	size_t count, size;
	bool failed; /* an add ran out of memory: plan_go() will refuse */
};

#define PLAN_EMPTY                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

/* Appends a step; prefix and text may be NULL. verb is borrowed, text copied. */
void plan_add(struct plan *plan, const struct plan_verb *verb, const struct prefix *prefix,
	      uint32_t number, const char *text);
/* Removes the last step that is the same, if there is one: undoing is in reverse. */
void plan_forget(struct plan *plan, const struct plan_step *step);
/* Leaves the steps that outlive a boot. */
void plan_keep_lasting(struct plan *plan);
void plan_free(struct plan *plan);

enum plan_way {
	PLAN_UP,     /* from nothing */
	PLAN_DOWN,   /* to nothing; what fails is said, and the rest goes on */
	PLAN_CHANGE, /* what both have stays untouched; new steps first, so that nothing is missing
		      */
	PLAN_CLEAR,  /* as PLAN_DOWN, without events */
};

struct plan_walk {
	enum plan_way way;
	void *world;
	struct interrupt *interrupt; /* NULL: nothing interrupts */
	struct record *record;       /* NULL: none is kept */
	bool quiet;                  /* no trace */
	bool only_says;              /* the trace alone */
};

/* Leads from one state to the other, and says what goes wrong. 0 or -errno: then all is as before,
 * or (down, clear) all else is undone. done is set in the steps of what is now the state. */
int plan_go(struct plan *from, struct plan *to, const struct plan_walk *walk);
