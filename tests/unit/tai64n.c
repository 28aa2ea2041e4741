/* SPDX-License-Identifier: MIT
 * The time that initiations claim: it never goes back, whatever clocks and records do. */
#include "engine/tai64n.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "draw.h"

#define TODAY (UINT64_C(1700000000) * SECOND)
#define HOUR (3600 * SECOND)

static const uint8_t BOOT[TAI64N_BOOT_LEN] = {1}, NEXT_BOOT[TAI64N_BOOT_LEN] = {2};
static const uint8_t UNKNOWN_BOOT[TAI64N_BOOT_LEN];

static struct tai64n fresh(const uint8_t boot[TAI64N_BOOT_LEN])
{
	struct tai64n time;

	tai64n_init(&time, boot);
	return time;
}

/* The time after a restart with the record of *before. */
static struct tai64n restarted(const struct tai64n *before, const uint8_t boot[TAI64N_BOOT_LEN],
			       uint64_t now)
{
	struct tai64n time = fresh(boot);
	uint8_t record[TAI64N_RECORD_LEN];

	tai64n_record(before, record);
	assert_int_equal(tai64n_restore(&time, record, now), 0);
	return time;
}

static void follows_the_wall_clock(void **state)
{
	struct tai64n time = fresh(BOOT);
	bool due;

	(void)state;
	assert_int_equal(tai64n_at(&time, 5 * SECOND, TODAY, &due), TODAY);
	assert_true(due);
	assert_int_equal(tai64n_at(&time, 6 * SECOND, TODAY + SECOND, &due), TODAY + SECOND);
	assert_false(due);
	/* Set forward. */
	assert_int_equal(tai64n_at(&time, 7 * SECOND, TODAY + HOUR, &due), TODAY + HOUR);
	assert_true(due);
}

static void goes_on_while_the_wall_clock_is_behind(void **state)
{
	struct tai64n time = fresh(BOOT);
	bool due;

	(void)state;
	tai64n_at(&time, 5 * SECOND, TODAY, &due);
	assert_int_equal(tai64n_at(&time, 6 * SECOND, TODAY - HOUR, &due), TODAY + SECOND);
	assert_int_equal(tai64n_at(&time, 7 * SECOND, 0, &due), TODAY + 2 * SECOND);
	assert_false(due);
	assert_int_equal(tai64n_at(&time, 8 * SECOND, TODAY + 3 * SECOND, &due),
			 TODAY + 3 * SECOND);
	/* A wall clock beyond all reason is not believed. */
	assert_int_equal(tai64n_at(&time, 9 * SECOND, UINT64_MAX, &due), TODAY + 4 * SECOND);
}

static void a_record_is_due_once_an_hour(void **state)
{
	struct tai64n time = fresh(BOOT);
	unsigned records = 0;
	bool due;

	(void)state;
	for (uint64_t i = 0; i < 24 * 3600; i += 120) {
		uint64_t at = tai64n_at(&time, (5 + i) * SECOND, TODAY + i * SECOND, &due);
		records += due;
		assert_true(at <= time.reserved);
	}
	assert_in_range(records, 24, 25);
}

static void a_restart_goes_on_where_it_was(void **state)
{
	struct tai64n before = fresh(BOOT), after;
	bool due;

	(void)state;
	tai64n_at(&before, 5 * SECOND, TODAY, &due);
	/* In the same boot to the nanosecond, however often. */
	after = restarted(&before, BOOT, 6 * SECOND);
	assert_int_equal(tai64n_at(&after, 7 * SECOND, TODAY - HOUR, &due), TODAY + 2 * SECOND);
	assert_true(due);
	after = restarted(&after, BOOT, 8 * SECOND);
	assert_int_equal(tai64n_at(&after, 9 * SECOND, 0, &due), TODAY + 4 * SECOND);
	/* The wall clock is ahead again. */
	after = restarted(&after, BOOT, 10 * SECOND);
	assert_int_equal(tai64n_at(&after, 11 * SECOND, TODAY + HOUR, &due), TODAY + HOUR);
}

static void another_boot_starts_after_all_that_was_reserved(void **state)
{
	struct tai64n before = fresh(BOOT), after;
	uint64_t at;
	bool due;

	(void)state;
	tai64n_at(&before, 5 * SECOND, TODAY, &due);
	assert_int_equal(before.reserved, TODAY + TAI64N_RESERVE);
	after = restarted(&before, NEXT_BOOT, 2 * SECOND);
	at = tai64n_at(&after, 3 * SECOND, 40 * SECOND, &due);
	/* Also after what is hidden of it, 2^24 ns. */
	assert_true(at >> 24 > before.reserved >> 24);
	assert_true(at < before.reserved + 2 * SECOND);
	assert_true(due);
	/* Where the system does not tell its boots apart, the same. */
	before = fresh(UNKNOWN_BOOT);
	tai64n_at(&before, 5 * SECOND, TODAY, &due);
	after = restarted(&before, UNKNOWN_BOOT, 6 * SECOND);
	assert_true(tai64n_at(&after, 7 * SECOND, 0, &due) > before.reserved);
	/* With a clock that is right, nothing of it is left. */
	after = restarted(&before, NEXT_BOOT, 2 * SECOND);
	assert_int_equal(tai64n_at(&after, 3 * SECOND, TODAY + 2 * HOUR, &due), TODAY + 2 * HOUR);
}

/* Every bit of a record counts, and a damaged one changes nothing. */
static void damaged_records_are_refused(void **state)
{
	struct tai64n before = fresh(BOOT), after = fresh(BOOT);
	uint8_t record[TAI64N_RECORD_LEN], none[TAI64N_RECORD_LEN] = {0};
	bool due;

	(void)state;
	tai64n_at(&before, 5 * SECOND, TODAY, &due);
	tai64n_record(&before, record);
	for (unsigned bit = 0; bit < 8 * TAI64N_RECORD_LEN; ++bit) {
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(tai64n_restore(&after, record, SECOND), -EBADMSG);
		record[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(tai64n_restore(&after, none, SECOND), -EBADMSG);
	/* Right as a record, but no time of ours. */
	before.reserved = UINT64_MAX;
	tai64n_record(&before, record);
	assert_int_equal(tai64n_restore(&after, record, SECOND), -EBADMSG);
	before = (struct tai64n){.offset = (uint64_t)INT64_MAX + 1};
	tai64n_record(&before, record);
	assert_int_equal(tai64n_restore(&after, record, SECOND), -EBADMSG);
	assert_memory_equal(&after, &(struct tai64n){.boot = {1}}, sizeof(after));
}

/* The wall clock jumps about, the engine is killed, the machine is started again without a clock:
 * what is claimed is always later than what was. Only what was recorded outlives a restart. */
static void never_back(void **state)
{
	uint8_t record[TAI64N_RECORD_LEN] = {0}, boot[TAI64N_BOOT_LEN] = {1};
	struct tai64n time = fresh(boot);
	uint64_t now = SECOND, wall = TODAY, last = 0;
	bool due;

	(void)state;
	seed = 1;
	for (unsigned i = 0; i < 100000; ++i) {
		uint64_t passed = 5 * SECOND + draw(300 * SECOND);
		now += passed;
		wall += passed;
		switch (draw(20)) {
		case 0:
			wall = draw(2) ? TODAY - draw(9 * HOUR) : wall + draw(9 * HOUR);
			break;
		case 1:
			time = fresh(boot);
			tai64n_restore(&time, record, now);
			break;
		case 2:
			now = draw(20 * SECOND);
			wall = draw(2) ? now : wall;
			boot[draw(TAI64N_BOOT_LEN)]++;
			time = fresh(boot);
			tai64n_restore(&time, record, now);
			break;
		}
		uint64_t at = tai64n_at(&time, now, wall, &due);
		if (due)
			tai64n_record(&time, record);
		assert_true(at >> 24 > last >> 24);
		last = at;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_wall_clock),
		cmocka_unit_test(goes_on_while_the_wall_clock_is_behind),
		cmocka_unit_test(a_record_is_due_once_an_hour),
		cmocka_unit_test(a_restart_goes_on_where_it_was),
		cmocka_unit_test(another_boot_starts_after_all_that_was_reserved),
		cmocka_unit_test(damaged_records_are_refused),
		cmocka_unit_test(never_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
