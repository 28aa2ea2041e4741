/* SPDX-License-Identifier: MIT
 * The heap against a list that is searched from end to end. */
#include "engine/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <cmocka.h>
#include "draw.h"

#define ENTRIES 300u

struct fixture {
	struct schedule schedule;
	struct schedule_entry entries[ENTRIES];
	bool in[ENTRIES];
};

static void check(struct fixture *f)
{
	const struct schedule_entry *first = schedule_first(&f->schedule);
	uint64_t earliest = UINT64_MAX;
	size_t count = 0;

	for (unsigned i = 0; i < ENTRIES; ++i) {
		assert_int_equal(f->in[i], f->entries[i].place != 0);
		if (!f->in[i])
			continue;
		++count;
		assert_ptr_equal(f->schedule.heap[f->entries[i].place], &f->entries[i]);
		if (f->entries[i].when < earliest)
			earliest = f->entries[i].when;
	}
	assert_int_equal(f->schedule.count, count);
	if (count)
		assert_true(first->when == earliest);
	else
		assert_null(first);
}

static void test_random(void **state)
{
	struct fixture f = {0};

	(void)state;
	assert_int_equal(schedule_reserve(&f.schedule, ENTRIES), 0);
	for (unsigned round = 0; round < 20000; ++round) {
		unsigned i = (unsigned)draw(ENTRIES);
		if (draw(3)) {
			schedule_set(&f.schedule, &f.entries[i], draw(1000));
			f.in[i] = true;
		} else {
			schedule_remove(&f.schedule, &f.entries[i]);
			f.in[i] = false;
		}
		if (round % 20 == 0)
			check(&f);
	}
	check(&f);
	schedule_free(&f.schedule);
}

static void test_in_order(void **state)
{
	struct fixture f = {0};
	uint64_t last = 0;

	(void)state;
	for (unsigned i = 0; i < ENTRIES; ++i) {
		assert_int_equal(schedule_reserve(&f.schedule, i + 1), 0);
		schedule_set(&f.schedule, &f.entries[i], draw(100));
	}
	for (unsigned i = 0; i < ENTRIES; ++i) {
		struct schedule_entry *first = schedule_first(&f.schedule);
		assert_true(first->when >= last);
		last = first->when;
		schedule_remove(&f.schedule, first);
		assert_int_equal(first->place, 0);
	}
	assert_null(schedule_first(&f.schedule));
	schedule_free(&f.schedule);
}

static void test_remove_absent(void **state)
{
	struct schedule schedule = {0};
	struct schedule_entry entry = {0};

	(void)state;
	schedule_remove(&schedule, &entry);
	assert_null(schedule_first(&schedule));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_remove_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
