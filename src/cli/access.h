/* SPDX-License-Identifier: MIT
 * Interfaces as the commands of wg(8) reach them: what fails is said here, in wg's words. */
#pragma once

struct model;

/* Reads all into an empty model, which the caller wipes, also after an error. 0 or -errno, said. */
int access_get(const char *name, struct model *model);
/* The same for one interface among others: its name is said too. */
int access_get_named(const char *name, struct model *model);
/* Configures. 0 or -errno, said. */
int access_set(const char *name, const struct model *model);
/* Takes what "!" excludes out of the peers' lists. 0 or -errno, said. */
int access_exclude(struct model *model);
/* The same, and asks the resolver for the endpoints that are named by a host; file (NULL: none) is
 * where they come from. 0 or -errno, said. */
int access_resolve(struct model *model, const char *file);
