/* SPDX-License-Identifier: MIT
 * The step that has names asked of a tunnel's servers (DNS=), over whatever the machine has for
 * that: systemd-resolved, resolvconf, or /etc/resolv.conf itself. Compare wg-quick(8). */
#pragma once

#include <stdbool.h>

struct conf_error;
struct file;
struct plan;

extern const struct plan_verb *const dns_verbs[]; /* ends in NULL */

/* "resolved", "resolvconf", "file", "off". */
bool dns_is_way(const char *word);
/* Appends the step, if the file wants one. name: of the way; NULL for the recorded one, or else the
 * first that the machine has. leaks: all traffic of the tunnel's machine is meant to go through it,
 * so that names that are asked elsewhere are a leak: then it is an error if it cannot be done, and
 * else a warning. 0, or -EINVAL with *why filled: another way is recorded. */
int dns_plan(struct plan *plan, const struct plan *recorded, const struct file *file,
	     const char *name, bool leaks, struct conf_error *why);
/* Takes what the tunnel has left in /etc/resolv.conf away, though nothing is recorded of it: the
 * machine was rebooted. Returns whether there was something; what fails is said. */
bool dns_clear(const char *name);
