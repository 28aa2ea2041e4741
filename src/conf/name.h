/* SPDX-License-Identifier: MIT
 * Names of peers, and that each of a file's names only one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include "conf/value.h"

#define NAME_MAX_LEN 64 /* bytes, without the NUL */

/* UTF-8 of 1 to NAME_MAX_LEN bytes without control characters, and not a key. */
bool name_is_valid(const char *text, size_t len);

/* Where a peer got its name. */
struct name_place {
	const char *name; /* borrowed from the model by name_settle() */
	size_t peer;      /* its index */
	unsigned line, column;
	bool is_remark; /* "# Name = alice", which other tools do not read, and we need not */
};

struct name_places {
	struct name_place *items; /* owned */
	size_t count, size;
};

/* The place of a peer's name instead of an earlier one of the same peer, the last one. 0 or
 * -ENOMEM. */
int name_note(struct name_places *places, const struct name_place *place);
/* A name that two peers have is an error (EINVAL), which names both lines; but a remark that shares
 * its name with another peer is given up, with a warning. 0 or -errno with the error filled. */
int name_settle(struct name_places *places, struct model *model, const struct value_report *report);
void name_places_free(struct name_places *places);
