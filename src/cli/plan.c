/* SPDX-License-Identifier: MIT
 * Carries plans out, and back. Knows the order of things, never what a step does. */
#include "cli/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cli/interrupt.h"
#include "cli/record.h"
#include "cli/say.h"
#include "conf/array.h"
#include "conf/error.h"
#include "conf/text.h"

void plan_add(struct plan *plan, const struct plan_verb *verb, const struct prefix *prefix,
	      uint32_t number, const char *text)
{
	struct plan_step step = {.verb = verb, .number = number};
	struct plan_step *steps = array_room(plan->steps, plan->count, &plan->size, sizeof(*steps));

	if (!steps)
		goto failed;
	plan->steps = steps;
	if (prefix)
		step.prefix = *prefix;
	if (text && !(step.text = strdup(text)))
		goto failed;
	plan->steps[plan->count++] = step;
	return;
failed:
	plan->failed = true;
}

static int compare(const void *left, const void *right)
{
	const struct plan_step *a = *(struct plan_step *const *)left;
	const struct plan_step *b = *(struct plan_step *const *)right;
	int order = strcmp(a->verb->name, b->verb->name);

	if (!order)
		order = strcmp(a->text ? a->text : "", b->text ? b->text : "");
	if (!order && a->number != b->number)
		order = a->number < b->number ? -1 : 1;
	return order ? order : prefix_compare(&a->prefix, &b->prefix);
}

void plan_forget(struct plan *plan, const struct plan_step *step)
{
	for (size_t i = plan->count; i-- > 0;) {
		struct plan_step *same = &plan->steps[i];

		if (compare(&same, &step))
			continue;
		free(same->text);
		plan->count--;
		memmove(same, same + 1, (plan->count - i) * sizeof(*same));
		return;
	}
}

void plan_keep_lasting(struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (plan->steps[i].verb->is_lasting)
			plan->steps[kept++] = plan->steps[i];
		else
			free(plan->steps[i].text);
	}
	plan->count = kept;
}

void plan_free(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		free(plan->steps[i].text);
	free(plan->steps);
	*plan = (struct plan)PLAN_EMPTY;
}

/* One thing that was done on the way: step was done, in the place of former (may be NULL); or
 * it was undone. */
struct move {
	struct plan_step *step, *former;
	bool undone;
};

/* Steps in order of what they are. */
struct index {
	struct plan_step **steps; /* owned; the steps borrowed */
	size_t count;
};

struct journey {
	const struct plan_walk *walk;
	struct plan *from;
	struct index before, after; /* what from and to have */
	struct move *moves;         /* room for all that there can be; owned */
	size_t count;
	int err; /* the first, on a way that goes on */
};

static int index_build(struct index *index, const struct plan *plan)
{
	index->steps = calloc(plan->count + 1, sizeof(struct plan_step *));
	if (!index->steps || plan->failed)
		return -ENOMEM;
	while (index->count < plan->count) {
		index->steps[index->count] = &plan->steps[index->count];
		index->count++;
	}
	qsort(index->steps, index->count, sizeof(struct plan_step *), compare);
	return 0;
}

static bool index_has(const struct index *index, const struct plan_step *step)
{
	return bsearch(&step, index->steps, index->count, sizeof(struct plan_step *), compare);
}

/* The one that a new one of its kind takes the place of, or NULL. */
static struct plan_step *find_former(const struct journey *journey, const struct plan_step *step)
{
	struct plan *from = journey->from;

	for (size_t i = 0; step->verb->is_single && i < from->count; i++)
		if (from->steps[i].done && from->steps[i].verb == step->verb)
			return &from->steps[i];
	return NULL;
}

static void trace(const struct journey *journey, const struct plan_step *step,
		  enum plan_phrase phrase)
{
	struct text line = TEXT_EMPTY;

	if (journey->walk->quiet && !journey->walk->only_says)
		return;
	step->verb->describe(journey->walk->world, step, phrase, &line);
	if (line.len)
		say_trace(false, line.data);
	text_wipe(&line);
}

static void say_why(const struct journey *journey, const char *what, const struct plan_step *step,
		    const struct conf_error *why)
{
	struct text goal = TEXT_EMPTY;

	step->verb->describe(journey->walk->world, step, PLAN_GOAL, &goal);
	say_error("%s %s: %s", what, goal.len ? goal.data : "go on", why->what);
	text_wipe(&goal);
}

/* Does one step. It is recorded first: what may have been done can be undone. */
static int act(const struct journey *journey, struct plan_step *step, struct conf_error *why)
{
	const struct plan_walk *walk = journey->walk;
	const bool skip = !step->verb->act || (step->verb->is_event && walk->way != PLAN_UP);
	int err = 0;

	if (!skip)
		trace(journey, step, PLAN_DO);
	if (walk->only_says)
		return 0;
	record_add(walk->record, step);
	if (!skip)
		err = step->verb->act(walk->world, step, why);
	step->done = !err;
	if (err)
		record_remove(walk->record, step);
	return err;
}

static int undo(const struct journey *journey, struct plan_step *step, struct conf_error *why)
{
	const struct plan_walk *walk = journey->walk;
	const bool skip = !step->verb->undo || (step->verb->is_event && walk->way != PLAN_DOWN) ||
			  (step->verb->is_of_link && walk->way != PLAN_CHANGE);
	int err = 0;

	if (!skip)
		trace(journey, step, PLAN_UNDO);
	if (walk->only_says)
		return 0;
	if (!skip)
		err = step->verb->undo(walk->world, step, why);
	step->done = err && !step->verb->is_event; /* which was, however it went */
	if (!step->done)
		record_remove(walk->record, step);
	return err;
}

/* The new one took the old one's place. */
static void replace(const struct journey *journey, struct plan_step *old)
{
	old->done = false;
	record_remove(journey->walk->record, old);
}

static void take_back(const struct journey *journey, const struct move *move)
{
	const bool again = move->undone || move->former;
	struct plan_step *step = move->former ? move->former : move->step;
	struct conf_error why = {0};
	int err = again ? act(journey, step, &why) : undo(journey, step, &why);

	if (err)
		say_why(journey, again ? "cannot again" : "cannot undo:", step, &why);
	else if (move->former)
		replace(journey, move->step);
}

/* Undoes what failed. Returns err. */
static int fail(struct journey *journey, const struct plan_step *step, int err,
		const struct conf_error *why)
{
	struct interrupt *interrupt = journey->walk->interrupt;

	if (interrupt && interrupt->signal)
		say_error("interrupted; undoing what was done");
	else
		say_why(journey, "cannot", step, why);
	while (journey->count)
		take_back(journey, &journey->moves[--journey->count]);
	return err;
}

static int advance(struct journey *journey, struct plan_step *step)
{
	const struct plan_walk *walk = journey->walk;
	const bool same = index_has(&journey->before, step);
	struct move move = {.step = step};
	struct conf_error why = {0};
	int err = 0;

	if (same && !step->verb->is_refreshed) {
		step->done = true;
		return 0;
	}
	if (walk->interrupt && interrupt_pending(walk->interrupt))
		return fail(journey, step, -EINTR, &why);
	if (step->verb->holds && step->verb->holds(walk->world, step))
		return 0;
	err = act(journey, step, &why);
	if (err)
		return fail(journey, step, err, &why);
	if (!same)
		move.former = find_former(journey, step);
	if (move.former)
		replace(journey, move.former);
	journey->moves[journey->count++] = move;
	return 0;
}

/* Undoes what the new state has not. */
static int retreat(struct journey *journey, struct plan_step *step)
{
	const struct plan_walk *walk = journey->walk;
	const bool goes_on = walk->way != PLAN_CHANGE;
	struct conf_error why = {0};
	int err;

	if (!goes_on && walk->interrupt && interrupt_pending(walk->interrupt))
		return fail(journey, step, -EINTR, &why);
	err = undo(journey, step, &why);
	if (err && !goes_on)
		return fail(journey, step, err, &why);
	if (err) {
		say_why(journey, step->verb->act ? "cannot undo:" : "cannot", step, &why);
		journey->err = journey->err ? journey->err : err;
	}
	journey->moves[journey->count++] = (struct move){.step = step, .undone = true};
	return 0;
}

static int go(struct journey *journey, struct plan *to)
{
	struct plan *from = journey->from;
	int err = 0;

	for (size_t i = 0; i < from->count; i++)
		from->steps[i].done = true;
	for (size_t i = 0; i < to->count && !err; i++)
		err = advance(journey, &to->steps[i]);
	for (size_t i = from->count; i-- > 0 && !err;)
		if (from->steps[i].done && !index_has(&journey->after, &from->steps[i]))
			err = retreat(journey, &from->steps[i]);
	if (!err)
		err = journey->err;
	if (!err && !journey->walk->only_says)
		record_replace(journey->walk->record, to);
	return err;
}

int plan_go(struct plan *from, struct plan *to, const struct plan_walk *walk)
{
	struct journey journey = {.walk = walk, .from = from};
	int err = index_build(&journey.before, from);

	if (!err)
		err = index_build(&journey.after, to);
	journey.moves = calloc(from->count + to->count + 1, sizeof(*journey.moves));
	if (err || !journey.moves) {
		err = -ENOMEM;
		say_error("out of memory");
	} else {
		err = go(&journey, to);
	}
	free(journey.before.steps);
	free(journey.after.steps);
	free(journey.moves);
	return err;
}
