/* SPDX-License-Identifier: MIT
 * Arrays that grow: what is in them stays, and they seldom move. */
#include "conf/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

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
	more = array_room(items, size, &size, SIZE_MAX / 2);
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
