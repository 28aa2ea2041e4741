/* SPDX-License-Identifier: MIT
 * From one state to another, with steps that note what they are told and fail when they are to. */
#include "cli/plan.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "cli/interrupt.h"
#include "conf/error.h"
#include "conf/text.h"

struct world {
	char log[256];    /* "+a" done, "-a" undone */
	const char *bad;  /* what fails, such as "+a" */
	const char *held; /* the text of what holds already */
};

static void describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
		     struct text *out)
{
	(void)world;
	text_printf(out, "%s %s", phrase == PLAN_GOAL ? "do" : "doing", step->text);
}

static bool holds(void *world, const struct plan_step *step)
{
	const struct world *w = world;

	return w->held && !strcmp(w->held, step->text);
}

static int note(struct world *world, char sign, const struct plan_step *step)
{
	char word[32];

	snprintf(word, sizeof(word), "%c%s", sign, step->text);
	if (world->bad && !strcmp(world->bad, word))
		return -EPERM;
	if (world->log[0])
		strcat(world->log, " ");
	strcat(world->log, word);
	return 0;
}

static int act(void *world, const struct plan_step *step, struct conf_error *why)
{
	int err = note(world, '+', step);

	return err ? conf_error_set(why, -err, 0, 0, "no") : 0;
}

static int undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	int err = note(world, '-', step);

	return err ? conf_error_set(why, -err, 0, 0, "no") : 0;
}

static const struct plan_verb plain = {
	.name = "plain", .describe = describe, .holds = holds, .act = act, .undo = undo};
static const struct plan_verb single = {
	.name = "single", .is_single = true, .describe = describe, .act = act, .undo = undo};
static const struct plan_verb event = {
	.name = "event", .is_event = true, .describe = describe, .act = act, .undo = undo};
static const struct plan_verb fresh = {
	.name = "fresh", .is_refreshed = true, .describe = describe, .act = act, .undo = undo};
static const struct plan_verb linked = {
	.name = "linked", .is_of_link = true, .describe = describe, .act = act, .undo = undo};

/* "a b =c !d *e @f": plain, single, event, fresh, linked steps. */
static struct plan plan_of(const char *words)
{
	struct plan plan = PLAN_EMPTY;
	char copy[128], *rest = copy, *word;

	strcpy(copy, words);
	while ((word = strtok_r(rest, " ", &rest))) {
		const struct plan_verb *verb = &plain;

		if (*word == '=')
			verb = &single;
		else if (*word == '!')
			verb = &event;
		else if (*word == '*')
			verb = &fresh;
		else if (*word == '@')
			verb = &linked;
		plan_add(&plan, verb, NULL, 0, verb == &plain ? word : word + 1);
	}
	return plan;
}

/* Goes from one to the other and compares what was done. */
static void check(enum plan_way way, const char *from, const char *to, struct world world, int err,
		  const char *expected)
{
	struct plan before = plan_of(from), after = plan_of(to);
	struct interrupt interrupt = {0};
	const struct plan_walk walk = {
		.way = way, .world = &world, .interrupt = &interrupt, .quiet = true};

	assert_int_equal(plan_go(&before, &after, &walk), err);
	assert_string_equal(world.log, expected);
	plan_free(&before);
	plan_free(&after);
}

static void test_up_and_down(void **state)
{
	(void)state;
	check(PLAN_UP, "", "a =b !c *d @e", (struct world){0}, 0, "+a +b +c +d +e");
	check(PLAN_DOWN, "a =b !c *d @e", "", (struct world){0}, 0, "-d -c -b -a");
	check(PLAN_CLEAR, "a =b !c *d @e", "", (struct world){0}, 0, "-d -b -a");
	check(PLAN_UP, "", "a b c", (struct world){.held = "b"}, 0, "+a +c");
	check(PLAN_UP, "", "", (struct world){0}, 0, "");
}

static void test_up_that_fails(void **state)
{
	(void)state;
	check(PLAN_UP, "", "a !b @c d", (struct world){.bad = "+d"}, -EPERM, "+a +b +c -a");
	check(PLAN_UP, "", "a b c", (struct world){.bad = "+a"}, -EPERM, "");
}

static void test_down_that_fails(void **state)
{
	(void)state;
	check(PLAN_DOWN, "a b c", "", (struct world){.bad = "-b"}, -EPERM, "-c -a");
}

static void test_change(void **state)
{
	(void)state;
	/* New ones in order, then old ones in reverse; what both have is left alone. */
	check(PLAN_CHANGE, "a b c d", "a x c y", (struct world){0}, 0, "+x +y -d -b");
	check(PLAN_CHANGE, "a b", "b a", (struct world){0}, 0, "");
	check(PLAN_CHANGE, "a @b", "a @c", (struct world){0}, 0, "+c -b");
	/* One of a kind takes the place of the other. */
	check(PLAN_CHANGE, "a =b c", "a =x c", (struct world){0}, 0, "+x");
	check(PLAN_CHANGE, "=b", "a", (struct world){0}, 0, "+a -b");
	/* Events only go into the record. */
	check(PLAN_CHANGE, "a !b", "a !x", (struct world){0}, 0, "");
	/* What is refreshed is done always. */
	check(PLAN_CHANGE, "*a b", "*a b", (struct world){0}, 0, "+a");
}

static void test_change_that_fails(void **state)
{
	(void)state;
	check(PLAN_CHANGE, "a b c", "a x y", (struct world){.bad = "+y"}, -EPERM, "+x -x");
	check(PLAN_CHANGE, "a =b", "=x a y", (struct world){.bad = "+y"}, -EPERM, "+x +b");
	check(PLAN_CHANGE, "a b c", "x", (struct world){.bad = "-b"}, -EPERM, "+x -c +c -x");
	check(PLAN_CHANGE, "*a b", "*a c d", (struct world){.bad = "+d"}, -EPERM, "+a +c -c -a");
	check(PLAN_CHANGE, "*a b", "*a c", (struct world){.bad = "+a"}, -EPERM, "");
}

/* A step is another if anything of it is. */
static void test_forget(void **state)
{
	struct plan plan = plan_of("a b a =a c");
	const struct prefix prefix = {.family = 2, .cidr = 8};
	struct plan_step step = {.verb = &plain, .number = 1};

	(void)state;
	assert_non_null(plan.steps);
	step.text = plan.steps[0].text;
	plan_forget(&plan, &step);
	step.number = 0;
	step.prefix = prefix;
	plan_forget(&plan, &step);
	step = (struct plan_step){.verb = &event, .text = plan.steps[0].text};
	plan_forget(&plan, &step);
	assert_int_equal(plan.count, 5);
	step.verb = &plain;
	plan_forget(&plan, &step);
	assert_int_equal(plan.count, 4);
	assert_string_equal(plan.steps[0].text, "a");
	assert_string_equal(plan.steps[1].text, "b");
	assert_ptr_equal(plan.steps[2].verb, &single);
	assert_string_equal(plan.steps[3].text, "c");
	plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_and_down),       cmocka_unit_test(test_up_that_fails),
		cmocka_unit_test(test_down_that_fails),   cmocka_unit_test(test_change),
		cmocka_unit_test(test_change_that_fails), cmocka_unit_test(test_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
