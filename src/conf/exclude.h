/* SPDX-License-Identifier: MIT
 * AllowedIPs with exceptions: "0.0.0.0/0, !192.168.0.0/16" comes to the 16 prefixes that hold all
 * of the first and none of the second. Pure. */
#pragma once

#include <stdbool.h>

struct model;
struct model_peer;

#define EXCLUDE_MAX (1u << 20) /* prefixes that one peer's list may come to */

/* Whether any prefix of the list is an exclusion. */
bool exclude_is_used(const struct model_peer *peer);
/* Takes the excluded prefixes out of those that the list adds, whatever their order, and the
 * exclusions themselves out of the list. The rest stays, in its order. 0, -ENOMEM, or -E2BIG (then
 * the peer is as it was). */
int exclude_apply(struct model_peer *peer);
/* The same for all peers, up to the first that fails. */
int exclude_apply_all(struct model *model);
/* What is wrong, of these errors, in words for the user. */
const char *exclude_problem(int err);
