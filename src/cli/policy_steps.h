/* SPDX-License-Identifier: MIT
 * The steps of policy: rules, routes that keep packets from the tunnel or in it, and the kernel's
 * setting for marks. They are in the record by the names rule, throw, unreachable, marks. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct iface_rule;
struct plan;
struct plan_step;
struct prefix;

extern const struct plan_verb *const policy_steps_verbs[]; /* ends in NULL */

/* Packets without the mark go by the table of that number; mark 0: all packets go by the main
 * table, without its default routes. */
void policy_steps_rule(struct plan *plan, int family, uint32_t priority, uint32_t mark);
void policy_steps_throw(struct plan *plan, const struct prefix *to, uint32_t table);
/* What the table has no other route for. */
void policy_steps_unreachable(struct plan *plan, int family, uint32_t table);
/* Replies to marked packets are looked for where these go. */
void policy_steps_marks(struct plan *plan);

bool policy_steps_are(const struct plan_step *step); /* one of rule, throw, unreachable */
bool policy_steps_is_kill_switch(const struct plan_step *step);
/* false: the step is no rule. */
bool policy_steps_read_rule(const struct plan_step *step, struct iface_rule *rule);
