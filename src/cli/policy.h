/* SPDX-License-Identifier: MIT
 * Default routes as wg-quick(8) sets them up: all traffic without the mark of the tunnel's own
 * packets goes by a table of the tunnel's, after what the main table knows more precisely. And the
 * kill switch, which fills that table where the tunnel does not. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct conf_error;
struct file;
struct iface;
struct plan;

struct policy_family {
	int family;
	bool has_default; /* a peer takes all traffic */
	bool has_rules;   /* so that there are rules, or the kill switch wants them */
	uint32_t lookup;  /* priority of the rule that leads to the tunnel's table */
	uint32_t main;    /* of the one that asks the main table first */
};

struct policy {
	bool off;       /* no routes at all */
	uint32_t table; /* of the routes that are no default routes; 0: main */
	uint32_t mark;  /* of packets that stay outside, and number of the table of the default
			 * routes; 0: there are none, or they are routes like others */
	bool has_kill_switch;
	struct policy_family families[2]; /* IPv4, IPv6 */
};

/* What the file asks for. A free mark is found where the file gives none, and free priorities; what
 * was recorded stays, and with is_there what the kernel has. Gives the device the mark. 0 or
 * -errno with *error filled. */
int policy_choose(struct policy *policy, struct file *file, struct iface *iface,
		  const struct plan *recorded, bool is_there, struct conf_error *error);

/* The kill switch, which comes before all else and goes last. */
void policy_plan_kill_switch(struct plan *plan, const struct policy *policy);
/* The default routes with their rules. 0 or -ENOMEM. */
int policy_plan_defaults(struct plan *plan, const struct policy *policy, const struct file *file);
/* The steps of a kill switch that was left behind, if any: they hold until the next one does. */
void policy_keep(struct plan *kept, const struct plan *recorded);
