/* SPDX-License-Identifier: MIT
 * All that a plan can do, by the names that records know. */
#pragma once

/* NULL: there is none of that name. */
const struct plan_verb *verbs_find(const char *name);
