/* SPDX-License-Identifier: MIT
 * An interface looked at again and again: its state now, and how fast its counters went since. */
#pragma once

#include <net/if.h>
#include "conf/model.h"

#define SAMPLE_UNKNOWN UINT64_MAX

struct sample_rate {
	uint64_t rx, tx; /* bytes a second; SAMPLE_UNKNOWN */
};

struct sample {
	char name[IFNAMSIZ];
	const char *problem;       /* why there is no state: "gone", ...; NULL: there is */
	struct model model;        /* without its secret keys */
	struct sample_rate *rates; /* one a peer of the model; owned */
	uint64_t taken;            /* milliseconds of CLOCK_BOOTTIME; 0: never */
};

/* Looks, for at most a second or two. sample: zeroed but for the name at first, the last state
 * since. 0 or -ENOMEM; an interface that cannot be read is no error, but has a problem. */
int sample_take(struct sample *sample);
/* Rates over ms milliseconds: of new's peers, or NULL (ENOMEM). Unknown for who was not there
 * before, or whose counters went back. The caller's to free(). Pure. */
struct sample_rate *sample_rates(const struct model *old, const struct model *new, uint64_t ms);
void sample_wipe(struct sample *sample);
