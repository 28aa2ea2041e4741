/* SPDX-License-Identifier: MIT
 * The rules by which the kernel chooses a routing table, over rtnetlink: what `ip rule` does, as
 * far as tunnels need it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_error;
struct iface;

struct iface_rule {
	int family;
	uint32_t priority;
	uint32_t table;     /* 0: what the rule does is none of these things */
	uint32_t mark;      /* for packets without this mark; 0: for all */
	bool skips_default; /* takes no default route from the table */
};

/* -EEXIST: there is the very same with the same priority. */
int iface_rule_add(struct iface *iface, const struct iface_rule *rule, struct conf_error *error);
int iface_rule_delete(struct iface *iface, const struct iface_rule *rule, struct conf_error *error);
/* All of a family, by priority; *rules is the caller's to free(). 0 or -errno; without IPv6 there
 * are none. */
int iface_rule_list(struct iface *iface, int family, struct iface_rule **rules, size_t *count);
