/* SPDX-License-Identifier: MIT
 * `wgctl save' and SaveConfig: what a tunnel is now goes into its configuration file. */
#pragma once

#include "cli/command.h"

struct conf_error;
struct plan;
struct tunnel;

/* Edits the file at path to say what the tunnel is now (conf/edit.h), or leaves it alone where it
 * says that already. A link is followed. The file is replaced at once, with its owner and mode, and
 * stays as it was if anything fails. 0 or -errno with *why filled. */
int save_file(const struct tunnel *tunnel, const char *path, struct conf_error *why);

extern const struct plan_verb *const save_verbs[]; /* ends in NULL */
/* Appends a step that saves to the file on the way down, if that still has SaveConfig = true. */
void save_plan(struct plan *plan, const char *path);

enum command_result save_run(int argc, char **argv);
