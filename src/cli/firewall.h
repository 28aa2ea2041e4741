/* SPDX-License-Identifier: MIT
 * The packet filter beside default routes, as wg-quick(8) sets it up: strangers cannot address the
 * tunnel past it, and replies of the engine's peers carry its mark. */
#pragma once

#include <stdint.h>

struct file;
struct plan;
struct policy;

extern const struct plan_verb *const firewall_verbs[]; /* ends in NULL */
/* Appends the step, if there are default routes. 0 or -ENOMEM. */
int firewall_plan(struct plan *plan, const struct policy *policy, const struct file *file);
