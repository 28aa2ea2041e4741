/* SPDX-License-Identifier: MIT
 * Which prefixes a device's peers want routed to it. Pure. */
#pragma once

#include <stddef.h>

struct model;
struct model_peer;
struct prefix;

/* All AllowedIPs, masked, each once, the longest prefixes first, as wg-quick(8) adds them.
 * *routes is the caller's to free(). 0 or -ENOMEM. */
int routes_collect(const struct model *model, struct prefix **routes, size_t *count);
/* The first peer that takes all traffic of a family, or NULL; *prefix is then 0.0.0.0/0 or ::/0. */
const struct model_peer *routes_find_default(const struct model *model, struct prefix *prefix);
