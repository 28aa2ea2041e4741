/* SPDX-License-Identifier: MIT
 * The clock of our initiations: tai64n over the system's clocks, and the file that keeps its
 * record. The file holds two records, which are written in turn, so that one is whole whenever the
 * machine stops. Control thread only. After clockfile_open() nothing is opened any more: only
 * pwrite and fdatasync on what is open. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "engine/tai64n.h"

struct clockfile {
	struct tai64n time;
	int fd;        /* -1: no file */
	unsigned slot; /* of the next record */
	bool warned;
};

/* The clock as it is without a file. */
void clockfile_init(struct clockfile *clock);
/* Takes over what the file says, and makes it (0600) where there is none; its room is taken now, so
 * that a full disk does no harm later. Where that fails, says so once and goes on without. */
void clockfile_open(struct clockfile *clock, const char *path);
/* Records that nothing later than now was claimed, and closes. */
void clockfile_close(struct clockfile *clock);
/* The time stamp of an initiation at this moment. Once an hour at the most, or when the wall clock
 * was set forward, this waits for the disk. */
void clockfile_stamp(struct clockfile *clock, uint8_t timestamp[WIRE_TIMESTAMP_LEN]);
