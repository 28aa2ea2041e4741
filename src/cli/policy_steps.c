/* SPDX-License-Identifier: MIT
 * What each step does; each outlives the link. Where IPv6 is off they are not needed: no packet
 * goes that way. */
#include "cli/policy_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/iface.h"
#include "cli/iface_rule.h"
#include "cli/plan.h"
#include "cli/say.h"
#include "cli/tunnel.h"
#include "conf/error.h"
#include "conf/prefix.h"
#include "conf/text.h"

#define MAIN_TABLE 254
#define LAST_METRIC UINT32_MAX /* any other route is better */
#define MARKS_PATH "/proc/sys/net/ipv4/conf/all/src_valid_mark"

static const char *family_flag(const struct plan_step *step)
{
	return step->prefix.family == AF_INET ? "-4" : "-6";
}

static bool is_off(int err)
{
	return err == -EAFNOSUPPORT || err == -EOPNOTSUPP;
}

static bool is_gone(int err)
{
	return err == -ENOENT || err == -ESRCH || is_off(err);
}

/* What cannot be done without IPv6 need not be. */
static int unless_off(int err, const struct plan_step *step)
{
	return is_off(err) && step->prefix.family == AF_INET6 ? 0 : err;
}

static const struct plan_verb rule_verb, unreachable_verb;

static struct iface_rule read_rule(const struct plan_step *step)
{
	const uint32_t mark = step->text ? (uint32_t)strtoul(step->text, NULL, 10) : 0;

	return (struct iface_rule){
		.family = step->prefix.family,
		.priority = step->number,
		.table = mark ? mark : MAIN_TABLE,
		.mark = mark,
		.skips_default = !mark,
	};
}

bool policy_steps_read_rule(const struct plan_step *step, struct iface_rule *rule)
{
	if (step->verb != &rule_verb)
		return false;
	*rule = read_rule(step);
	return true;
}

static void rule_describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			  struct text *out)
{
	const struct iface_rule rule = read_rule(step);
	char what[64] = "table main suppress_prefixlength 0";

	(void)world;
	if (rule.mark)
		snprintf(what, sizeof(what), "not fwmark %" PRIu32 " table %" PRIu32, rule.mark,
			 rule.table);
	switch (phrase) {
	case PLAN_DO:
	case PLAN_UNDO:
		text_printf(out, "ip %s rule %s %s priority %" PRIu32, family_flag(step),
			    phrase == PLAN_DO ? "add" : "delete", what, rule.priority);
		break;
	case PLAN_GOAL:
		text_printf(out, "add the rule %s", what);
		break;
	}
}

static int rule_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	const struct iface_rule rule = read_rule(step);

	return unless_off(iface_rule_add(tunnel->iface, &rule, why), step);
}

static int rule_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	const struct iface_rule rule = read_rule(step);
	int err = iface_rule_delete(tunnel->iface, &rule, why);

	return is_gone(err) ? 0 : err;
}

static struct iface_route read_route(const struct plan_step *step)
{
	const bool last = step->verb == &unreachable_verb;

	return (struct iface_route){
		.to = step->prefix,
		.way = last ? IFACE_UNREACHABLE : IFACE_THROW,
		.table = step->number,
		.metric = last ? LAST_METRIC : 0,
	};
}

static void route_describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			   struct text *out)
{
	const bool last = step->verb == &unreachable_verb;
	char to[PREFIX_TEXT_MAX];

	(void)world;
	prefix_format(to, &step->prefix);
	if (phrase == PLAN_GOAL) {
		text_printf(out,
			    last ? "keep packets to %s in the tunnel"
				 : "keep packets to %s out of the tunnel",
			    to);
		return;
	}
	text_printf(out, "ip %s route %s %s %s table %" PRIu32, family_flag(step),
		    phrase == PLAN_DO ? "add" : "delete", last ? "unreachable" : "throw", to,
		    step->number);
	if (last)
		text_printf(out, " metric %" PRIu32, LAST_METRIC);
}

static int route_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct iface_route route = read_route(step);
	const struct tunnel *tunnel = world;

	return unless_off(iface_add_route(tunnel->iface, &route, why), step);
}

static int route_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct iface_route route = read_route(step);
	const struct tunnel *tunnel = world;
	int err = iface_delete_route(tunnel->iface, &route, why);

	return is_gone(err) ? 0 : err;
}

static void marks_describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			   struct text *out)
{
	(void)world;
	(void)step;
	switch (phrase) {
	case PLAN_DO:
		text_printf(out, "sysctl -q net.ipv4.conf.all.src_valid_mark=1");
		break;
	case PLAN_UNDO:
		break;
	case PLAN_GOAL:
		text_printf(out, "let marks count in the check of source addresses");
		break;
	}
}

static bool marks_hold(void *world, const struct plan_step *step)
{
	FILE *file = fopen(MARKS_PATH, "re");
	int value = file ? fgetc(file) : EOF;

	(void)world;
	(void)step;
	if (file)
		fclose(file);
	return value == '1';
}

/* Nothing leaks without it. */
static int marks_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	int fd = open(MARKS_PATH, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, "1\n", 2) != 2 ? errno : 0;

	(void)world;
	(void)step;
	(void)why;
	if (fd >= 0)
		close(fd);
	if (err)
		say_warning("cannot set net.ipv4.conf.all.src_valid_mark to 1: %s; where rp_filter "
			    "is 1 (strict), packets from the endpoint may be dropped: set it from "
			    "outside",
			    strerror(err));
	return 0;
}

static const struct plan_verb rule_verb = {
	.name = "rule", .describe = rule_describe, .act = rule_act, .undo = rule_undo};
static const struct plan_verb throw_verb = {
	.name = "throw", .describe = route_describe, .act = route_act, .undo = route_undo};
static const struct plan_verb unreachable_verb = {
	.name = "unreachable", .describe = route_describe, .act = route_act, .undo = route_undo};
/* The setting stays: who else needs it is unknown. */
static const struct plan_verb marks_verb = {
	.name = "marks", .describe = marks_describe, .holds = marks_hold, .act = marks_act};

const struct plan_verb *const policy_steps_verbs[] = {&rule_verb, &throw_verb, &unreachable_verb,
						      &marks_verb, NULL};

void policy_steps_rule(struct plan *plan, int family, uint32_t priority, uint32_t mark)
{
	const struct prefix all = {.family = family};
	char text[11];

	snprintf(text, sizeof(text), "%" PRIu32, mark);
	plan_add(plan, &rule_verb, &all, priority, mark ? text : NULL);
}

void policy_steps_throw(struct plan *plan, const struct prefix *to, uint32_t table)
{
	plan_add(plan, &throw_verb, to, table, NULL);
}

void policy_steps_unreachable(struct plan *plan, int family, uint32_t table)
{
	const struct prefix all = {.family = family};

	plan_add(plan, &unreachable_verb, &all, table, NULL);
}

void policy_steps_marks(struct plan *plan)
{
	plan_add(plan, &marks_verb, NULL, 1, NULL);
}

bool policy_steps_are(const struct plan_step *step)
{
	return step->verb == &rule_verb || step->verb == &throw_verb ||
	       step->verb == &unreachable_verb;
}

bool policy_steps_is_kill_switch(const struct plan_step *step)
{
	return step->verb == &unreachable_verb;
}
