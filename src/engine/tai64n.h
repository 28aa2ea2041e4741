/* SPDX-License-Identifier: MIT
 * The time that our initiations claim (whitepaper section 5.4.2). A peer refuses an initiation that
 * is not later than the last it took, so this time never goes back: while the wall clock is behind
 * the latest that it ever showed, time goes on from there, as fast as the clock that only goes
 * forward. A record of it keeps that so over restarts of the engine and of the machine. All times
 * are nanoseconds: `now` of CLOCK_BOOTTIME, `wall` of CLOCK_REALTIME. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "engine/wire.h"

#define TAI64N_BOOT_LEN 16
#define TAI64N_RECORD_LEN 64
/* So far ahead a record is good, which bounds how often one is due. */
#define TAI64N_RESERVE (3600 * SECOND)

struct tai64n {
	uint8_t boot[TAI64N_BOOT_LEN]; /* names the time since the machine started; zeros: unknown
					*/
	uint64_t offset;               /* the greatest seen of wall - now */
	uint64_t reserved;             /* the record says: nothing was later than this */
};

/* Before anything was recorded. */
void tai64n_init(struct tai64n *time, const uint8_t boot[TAI64N_BOOT_LEN]);
/* From now on not before what the record says. 0 or -EBADMSG: damaged, or none; nothing changed. */
int tai64n_restore(struct tai64n *time, const uint8_t bytes[TAI64N_RECORD_LEN], uint64_t now);
/* The time to claim at this moment. *due: a new record has to be written before it is used. */
uint64_t tai64n_at(struct tai64n *time, uint64_t now, uint64_t wall, bool *due);
/* The record for time->boot, offset and reserved. */
void tai64n_record(const struct tai64n *time, uint8_t bytes[TAI64N_RECORD_LEN]);
