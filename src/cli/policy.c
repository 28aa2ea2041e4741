/* SPDX-License-Identifier: MIT
 * The rules' priorities are chosen as the kernel chooses them when none is given, but here, so that
 * each tunnel can tell its own from another's. */
#include "cli/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "cli/iface.h"
#include "cli/iface_rule.h"
#include "cli/plan.h"
#include "cli/policy_steps.h"
#include "cli/routes.h"
#include "cli/tables.h"
#include "cli/tunnel.h"
#include "conf/error.h"
#include "conf/file.h"
#include "conf/prefix.h"
#include "conf/value.h"

#define FIRST_MARK 51820 /* wg-quick(8)'s */
#define MAIN_TABLE 254
#define MAIN_PRIORITY 32766 /* of the kernel's own rule for it */

static bool names_table(const struct file *file)
{
	return file->table && strcmp(file->table, "auto") != 0;
}

static int choose_table(struct policy *policy, const struct file *file, struct conf_error *error)
{
	const char *table = file->table;
	struct value_part part = {.text = table};

	if (!names_table(file))
		return 0;
	part.len = strlen(table);
	policy->off = !strcmp(table, "off");
	if (policy->off || !tables_find(&policy->table, table))
		return 0;
	return conf_error_set(error, ENOENT, file->line_of[KEYWORD_TABLE], 0,
			      "%s is no routing table here: name one that "
			      "/etc/iproute2/rt_tables lists, or give its number",
			      value_quote(&part).text);
}

static int check_kill_switch(const struct file *file, bool has_default, struct conf_error *error)
{
	const unsigned line = file->line_of[KEYWORD_KILL_SWITCH];

	if (!file->kill_switch)
		return 0;
	if (names_table(file))
		return conf_error_set(error, EINVAL, line, 0,
				      "KillSwitch needs Table = auto: with Table = %s the rules "
				      "are yours",
				      file->table);
	if (!has_default)
		return conf_error_set(error, EINVAL, line, 0,
				      "KillSwitch needs a peer with AllowedIPs = 0.0.0.0/0 or "
				      "::/0: other routes have nothing to keep back");
	return 0;
}

static uint32_t find_recorded_mark(const struct plan *recorded)
{
	struct iface_rule rule;

	for (size_t i = 0; i < recorded->count; i++)
		if (policy_steps_read_rule(&recorded->steps[i], &rule) && rule.mark)
			return rule.mark;
	return 0;
}

static int find_free_mark(uint32_t *mark, struct iface *iface, struct conf_error *error)
{
	bool used = true;
	int err = 0;

	for (*mark = FIRST_MARK; !err; ++*mark) {
		err = iface_table_is_used(iface, *mark, &used);
		if (!used)
			break;
	}
	return err ? conf_error_set(error, -err, 0, 0, "cannot read the routing tables: %s",
				    strerror(-err))
		   : 0;
}

static int choose_mark(struct policy *policy, struct model *device, struct iface *iface,
		       const struct plan *recorded, struct conf_error *error)
{
	int err = 0;

	policy->mark = device->has_fwmark ? device->fwmark : 0;
	if (!policy->mark)
		policy->mark = find_recorded_mark(recorded);
	if (!policy->mark)
		err = find_free_mark(&policy->mark, iface, error);
	device->has_fwmark = true;
	device->fwmark = policy->mark;
	return err;
}

/* Priorities of rules of this family and mark that are recorded; false: not both are. */
static bool find_recorded(struct policy_family *family, uint32_t mark, const struct plan *recorded)
{
	struct iface_rule rule;

	family->lookup = family->main = 0;
	for (size_t i = 0; i < recorded->count; i++) {
		if (!policy_steps_read_rule(&recorded->steps[i], &rule) ||
		    rule.family != family->family)
			continue;
		if (rule.mark == mark)
			family->lookup = rule.priority;
		else if (!rule.mark)
			family->main = rule.priority;
	}
	return family->lookup && family->main;
}

/* The same of those that the kernel has. The two follow each other. */
static bool find_present(struct policy_family *family, uint32_t mark,
			 const struct iface_rule *rules, size_t count)
{
	for (size_t i = 0; i + 1 < count; i++) {
		if (!rules[i].skips_default || rules[i].table != MAIN_TABLE ||
		    rules[i + 1].mark != mark || rules[i + 1].table != mark)
			continue;
		family->main = rules[i].priority;
		family->lookup = rules[i + 1].priority;
		return true;
	}
	return false;
}

static int choose_priorities(struct policy *policy, struct policy_family *family,
			     struct iface *iface, const struct plan *recorded, bool is_there)
{
	struct iface_rule *rules;
	uint32_t before = MAIN_PRIORITY;
	size_t count;
	int err;

	if (find_recorded(family, policy->mark, recorded))
		return 0;
	err = iface_rule_list(iface, family->family, &rules, &count);
	if (err)
		return err;
	/* The kernel takes the one before the second. */
	if (count > 1)
		before = rules[1].priority;
	if (before < 3)
		before = 3;
	if (!is_there || !find_present(family, policy->mark, rules, count)) {
		family->lookup = before - 1;
		family->main = before - 2;
	}
	free(rules);
	return 0;
}

int policy_choose(struct policy *policy, struct file *file, struct iface *iface,
		  const struct plan *recorded, bool is_there, struct conf_error *error)
{
	bool has_default = false;
	int err;

	*policy = (struct policy){.families = {{.family = AF_INET}, {.family = AF_INET6}}};
	err = choose_table(policy, file, error);
	for (size_t i = 0; i < 2; i++) {
		struct policy_family *family = &policy->families[i];

		family->has_default = routes_has_default(&file->device, family->family);
		has_default = has_default || family->has_default;
	}
	if (!err)
		err = check_kill_switch(file, has_default, error);
	if (err || !has_default || names_table(file))
		return err;
	policy->has_kill_switch = file->kill_switch;
	err = choose_mark(policy, &file->device, iface, recorded, error);
	for (size_t i = 0; i < 2 && !err; i++) {
		struct policy_family *family = &policy->families[i];

		family->has_rules = family->has_default || policy->has_kill_switch;
		if (!family->has_rules)
			continue;
		err = choose_priorities(policy, family, iface, recorded, is_there);
		if (err)
			conf_error_set(error, -err, 0, 0, "cannot read the routing rules: %s",
				       strerror(-err));
	}
	return err;
}

static void plan_rules(struct plan *plan, const struct policy *policy,
		       const struct policy_family *family)
{
	/* So that the main table is asked first from the beginning. */
	policy_steps_rule(plan, family->family, family->main, 0);
	policy_steps_rule(plan, family->family, family->lookup, policy->mark);
}

static int plan_exclusions(struct plan *plan, const struct policy *policy,
			   const struct policy_family *family, const struct file *file)
{
	struct prefix *exclusions;
	size_t count;
	int err = routes_collect_exclusions(&file->device, family->family, &exclusions, &count);

	for (size_t i = 0; i < count && !err; i++)
		policy_steps_throw(plan, &exclusions[i], policy->mark);
	free(exclusions);
	return err;
}

void policy_plan_kill_switch(struct plan *plan, const struct policy *policy)
{
	for (size_t i = 0; i < 2 && policy->has_kill_switch; i++) {
		policy_steps_unreachable(plan, policy->families[i].family, policy->mark);
		plan_rules(plan, policy, &policy->families[i]);
	}
}

int policy_plan_defaults(struct plan *plan, const struct policy *policy, const struct file *file)
{
	bool needs_marks = false;
	int err = 0;

	for (size_t i = 0; i < 2 && policy->mark && !err; i++) {
		const struct policy_family *family = &policy->families[i];
		const struct prefix all = {.family = family->family};

		if (!family->has_default)
			continue;
		tunnel_plan_route(plan, &all, policy->mark);
		err = plan_exclusions(plan, policy, family, file);
		if (!policy->has_kill_switch)
			plan_rules(plan, policy, family);
		needs_marks = needs_marks || family->family == AF_INET;
	}
	if (needs_marks)
		policy_steps_marks(plan);
	return err;
}

void policy_keep(struct plan *kept, const struct plan *recorded)
{
	bool is_kept = false;

	for (size_t i = 0; i < recorded->count; i++)
		is_kept = is_kept || policy_steps_is_kill_switch(&recorded->steps[i]);
	for (size_t i = 0; i < recorded->count && is_kept; i++) {
		const struct plan_step *step = &recorded->steps[i];

		if (policy_steps_are(step))
			plan_add(kept, step->verb, &step->prefix, step->number, step->text);
	}
}
