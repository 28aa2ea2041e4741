/* SPDX-License-Identifier: MIT
 * Arrays that grow: what is in them stays, and they seldom move. The unit is compiled into this
 * test, so that memory can be made to run out. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static bool is_out_of_memory;

static void *stingy_reallocarray(void *items, size_t count, size_t len)
{
	return is_out_of_memory ? NULL : reallocarray(items, count, len);
}

#define reallocarray stingy_reallocarray
#include "conf/array.c"
#undef reallocarray

#define ITEMS 1000

static void grows(void **state)
{
	size_t size = 0, sizes = 0;
	unsigned *items = NULL;

	(void)state;
	for (unsigned i = 0; i < ITEMS; i++) {
		const size_t before = size;

		items = array_room(items, i, &size, sizeof(*items));
		assert_non_null(items);
		assert_true(size > i);
		sizes += size != before;
		items[i] = i;
	}
	for (unsigned i = 0; i < ITEMS; i++)
		assert_int_equal(items[i], i);
	assert_int_equal(sizes, 10); /* 2, 4, ... 1024 */
	free(items);
}

static void fails(void **state)
{
	size_t size = 0;
	char *items = array_room(NULL, 0, &size, sizeof(*items)), *more;
	const size_t before = size;

	(void)state;
	assert_non_null(items);
	items[0] = 'x';
	is_out_of_memory = true;
	more = array_room(items, size, &size, sizeof(*items));
	is_out_of_memory = false;
	assert_null(more);
	assert_int_equal(size, before);
	assert_int_equal(items[0], 'x');
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
