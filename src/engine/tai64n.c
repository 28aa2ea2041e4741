/* SPDX-License-Identifier: MIT
 * Within one boot the offset says all. After another start of the machine `now` began anew, and
 * what counts is the time up to which the record reserved. */
#include "engine/tai64n.h"

#include <errno.h>
#include <string.h>
#include "engine/blake2s.h"

/* Time stamps are blurred down to this: to be later is to be later by it. */
#define STEP (UINT64_C(1) << 24)
/* Later times (the year 2262) are no times of ours, and no sum of two of them overflows. */
#define LATEST ((uint64_t)INT64_MAX)

static const char MAGIC[8] = "tai64n 1";

struct record {
	char magic[8];
	uint8_t boot[TAI64N_BOOT_LEN];
	uint8_t offset[8];
	uint8_t reserved[8];
	uint8_t unused[8];
	uint8_t check[16]; /* of all before: tells a record that was written in part */
};

_Static_assert(sizeof(struct record) == TAI64N_RECORD_LEN, "a record has no gaps");

static void check_of(const struct record *record, uint8_t check[16])
{
	blake2s_hash(check, 16, record, offsetof(struct record, check), NULL, 0);
}

static bool same_boot(const struct tai64n *time, const struct record *record)
{
	static const uint8_t unknown[TAI64N_BOOT_LEN];

	return memcmp(time->boot, unknown, TAI64N_BOOT_LEN) != 0 &&
	       memcmp(time->boot, record->boot, TAI64N_BOOT_LEN) == 0;
}

void tai64n_init(struct tai64n *time, const uint8_t boot[TAI64N_BOOT_LEN])
{
	*time = (struct tai64n){0};
	memcpy(time->boot, boot, TAI64N_BOOT_LEN);
}

int tai64n_restore(struct tai64n *time, const uint8_t bytes[TAI64N_RECORD_LEN], uint64_t now)
{
	struct record record;
	uint8_t check[16];

	memcpy(&record, bytes, sizeof(record));
	check_of(&record, check);
	uint64_t offset = wire_get64(record.offset), reserved = wire_get64(record.reserved);
	if (memcmp(record.magic, MAGIC, sizeof(MAGIC)) != 0 ||
	    memcmp(record.check, check, sizeof(check)) != 0 || offset > LATEST || reserved > LATEST)
		return -EBADMSG;
	if (!same_boot(time, &record))
		offset = reserved > now ? reserved + STEP - now : 0;
	if (offset > time->offset)
		time->offset = offset;
	return 0;
}

uint64_t tai64n_at(struct tai64n *time, uint64_t now, uint64_t wall, bool *due)
{
	*due = false;
	if (wall > now && wall <= LATEST && wall - now > time->offset) {
		time->offset = wall - now;
		*due = true;
	}
	uint64_t at = now + time->offset;
	if (at > time->reserved)
		*due = true;
	if (*due)
		time->reserved = at + TAI64N_RESERVE;
	return at;
}

void tai64n_record(const struct tai64n *time, uint8_t bytes[TAI64N_RECORD_LEN])
{
	struct record record = {0};

	memcpy(record.magic, MAGIC, sizeof(MAGIC));
	memcpy(record.boot, time->boot, TAI64N_BOOT_LEN);
	wire_put64(record.offset, time->offset);
	wire_put64(record.reserved, time->reserved);
	check_of(&record, record.check);
	memcpy(bytes, &record, sizeof(record));
}
