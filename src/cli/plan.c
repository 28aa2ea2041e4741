/* SPDX-License-Identifier: MIT
 * Carries plans out, and back. Knows the order of things, never what a step does. */
#include "cli/plan.h"

#include <errno.h>
#include <stdlib.h>
#include "cli/interrupt.h"
#include "cli/say.h"
#include "conf/error.h"
#include "conf/text.h"

void plan_add(struct plan *plan, const struct plan_verb *verb, const struct prefix *prefix,
	      uint32_t number)
{
	if (plan->count == plan->size) {
		size_t size = plan->size ? plan->size * 2 : 16;
		struct plan_step *steps = reallocarray(plan->steps, size, sizeof(*steps));

		if (!steps) {
			plan->failed = true;
			return;
		}
		plan->steps = steps;
		plan->size = size;
	}
	plan->steps[plan->count] = (struct plan_step){.verb = verb, .number = number};
	if (prefix)
		plan->steps[plan->count].prefix = *prefix;
	plan->count++;
}

static void trace(const void *world, const struct plan_step *step, enum plan_phrase phrase,
		  bool quiet)
{
	struct text line = TEXT_EMPTY;

	if (quiet)
		return;
	step->verb->describe(world, step, phrase, &line);
	if (line.len)
		say_trace(quiet, line.data);
	text_wipe(&line);
}

static void say_why(const char *what, const void *world, const struct plan_step *step,
		    const struct conf_error *why)
{
	struct text goal = TEXT_EMPTY;

	step->verb->describe(world, step, PLAN_GOAL, &goal);
	say_error("%s %s: %s", what, goal.len ? goal.data : "go on", why->what);
	text_wipe(&goal);
}

static void undo(struct plan *plan, void *world, bool quiet)
{
	for (size_t i = plan->count; i-- > 0;) {
		struct plan_step *step = &plan->steps[i];
		struct conf_error why = {0};

		if (!step->done)
			continue;
		step->done = false;
		if (!step->verb->undo)
			continue;
		trace(world, step, PLAN_UNDO, quiet);
		if (step->verb->undo(world, step, &why))
			say_why("cannot undo:", world, step, &why);
	}
}

int plan_run(struct plan *plan, void *world, struct interrupt *interrupt, bool quiet)
{
	if (plan->failed) {
		say_error("out of memory");
		return -ENOMEM;
	}
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_step *step = &plan->steps[i];
		struct conf_error why = {0};
		int err;

		if (interrupt_pending(interrupt)) {
			err = -EINTR;
		} else if (step->verb->holds && step->verb->holds(world, step)) {
			continue;
		} else {
			trace(world, step, PLAN_DO, quiet);
			err = step->verb->act(world, step, &why);
		}
		if (err) {
			if (interrupt->happened)
				say_error("interrupted; undoing what was done");
			else
				say_why("cannot", world, step, &why);
			undo(plan, world, quiet);
			return err;
		}
		step->done = true;
	}
	return 0;
}

void plan_free(struct plan *plan)
{
	free(plan->steps);
	*plan = (struct plan)PLAN_EMPTY;
}
