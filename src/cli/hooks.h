/* SPDX-License-Identifier: MIT
 * The steps that run commands of the configuration file: PreUp, PostUp, PreDown, PostDown. Compare
 * wg-quick(8). */
#pragma once

#include "conf/file.h"

struct plan;

extern const struct plan_verb *const hooks_verbs[]; /* ends in NULL */

/* Appends a step for each command of that kind, with the interface's name for %i; those for the
 * way down in reverse, as undoing goes from the end. */
void hooks_plan(struct plan *plan, const struct file *file, enum file_hook hook, const char *name);
