/* SPDX-License-Identifier: MIT
 * The step that gives an interface its keys and peers. */
#pragma once

struct model;
struct plan;

extern const struct plan_verb *const configure_verbs[]; /* ends in NULL */

/* Appends the step, and one for each endpoint as the file names it, which only says so in the
 * record: by it a change knows an endpoint that the file has named anew from one that the peer has
 * left for another. */
void configure_plan(struct plan *plan, const struct model *model);
/* Gives the peers whose endpoints the record names just so, and that are present, the endpoint that
 * they have now. */
void configure_keep_endpoints(struct model *wanted, const struct plan *recorded,
			      const struct model *now);
