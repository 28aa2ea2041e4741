/* SPDX-License-Identifier: MIT
 * What the lines of a set, and a get, mean to the engine. */
#pragma once

#include <stdbool.h>
#include "conf/key.h"
#include "conf/text.h"
#include "conf/uapi.h"

struct engine;

/* Where a set has got to; zeroed: at its start. The peer is remembered by its key, since another
 * client may remove it in between. */
struct uapi_set {
	struct key peer;
	bool in_peer; /* a public_key line was seen */
	bool skip;    /* ... of a peer that is ourselves, or is gone or to be left alone */
	bool created; /* ... and this set made it */
	bool greet;   /* ... and its persistent keepalive was switched on */
};

/* Applies one line. 0 or -errno; lines before it stay applied. */
int uapi_set_line(struct engine *engine, struct uapi_set *set, const struct uapi_line *line);
/* The set ends: the last peer is complete. Wipes *set. */
void uapi_set_end(struct engine *engine, struct uapi_set *set);
/* The state of the engine as a reply to get, without its errno line. */
void uapi_set_report(struct engine *engine, struct text *out);
