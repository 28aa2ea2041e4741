/* SPDX-License-Identifier: MIT
 * Which prefixes a device's peers want routed to it. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct model;
struct prefix;

/* All AllowedIPs without what is excluded, masked, each once, the longest prefixes first, as
 * wg-quick(8) adds them. without_defaults: without 0.0.0.0/0 and ::/0, and what they come to.
 * *routes is the caller's to free(). 0, -ENOMEM, or -E2BIG as exclude_apply(). */
int routes_collect(const struct model *model, bool without_defaults, struct prefix **routes,
		   size_t *count);
/* Whether a peer takes all traffic of a family, whatever may be excluded. */
bool routes_has_default(const struct model *model, int family);
/* What no peer takes that takes all traffic of the family: their exclusions, masked. *routes is the
 * caller's to free(). 0 or -ENOMEM. */
int routes_collect_exclusions(const struct model *model, int family, struct prefix **routes,
			      size_t *count);
