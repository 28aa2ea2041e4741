/* SPDX-License-Identifier: MIT
 * The table against an array that is searched from end to end. The unit is compiled into this
 * test, so that memory can be made to run out. */
#include "stingy.h"

#include "engine/indextable.c"
#undef calloc

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <cmocka.h>
#include "draw.h"

#define ENTRIES 700u

struct indices {
	struct indextable table;
	struct indextable_entry entries[ENTRIES];
};

static struct indextable_entry *model_find(struct indices *indices, uint32_t index)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		if (indices->entries[i].kind && indices->entries[i].index == index)
			return &indices->entries[i];
	}
	return NULL;
}

/* Few enough to meet again, and many of them alike in their low bits. */
static uint32_t some_index(void)
{
	return (uint32_t)(draw(2) ? draw(600) : draw(600) << 20);
}

static void add_index(struct indices *indices, struct indextable_entry *entry)
{
	uint32_t index = some_index();
	bool taken = model_find(indices, index) != NULL;

	entry->index = index;
	entry->kind = (uint8_t)(1 + draw(2));
	assert_int_equal(indextable_add(&indices->table, entry), taken ? -EEXIST : 0);
	if (taken) /* Never was in the table: must not harm who is. */
		indextable_remove(&indices->table, entry);
}

static void replace_index(struct indices *indices, struct indextable_entry *old,
			  struct indextable_entry *entry)
{
	uint32_t index = old->index;

	if (entry->kind)
		return;
	entry->kind = 2;
	indextable_replace(&indices->table, old, entry);
	assert_int_equal(old->kind, 0);
	assert_int_equal(entry->kind, 2);
	assert_int_equal(entry->index, index);
}

static void check_indices(struct indices *indices)
{
	size_t count = 0;

	for (unsigned i = 0; i < ENTRIES; i++) {
		const struct indextable_entry *entry = &indices->entries[i];

		count += entry->kind != 0;
		if (entry->kind)
			assert_ptr_equal(indextable_find(&indices->table, entry->index), entry);
	}
	assert_int_equal(indices->table.count, count);
	for (unsigned i = 0; i < 50; i++) {
		uint32_t index = some_index();

		assert_ptr_equal(indextable_find(&indices->table, index),
				 model_find(indices, index));
	}
}

static void random_indices(struct indices *indices, unsigned rounds)
{
	for (unsigned round = 0; round < rounds; round++) {
		struct indextable_entry *entry = &indices->entries[draw(ENTRIES)];

		if (!entry->kind)
			add_index(indices, entry);
		else if (draw(3) == 0)
			replace_index(indices, entry, &indices->entries[draw(ENTRIES)]);
		else if (draw(2))
			indextable_remove(&indices->table, entry);
		if (round % 50 == 0)
			check_indices(indices);
	}
	check_indices(indices);
}

static void test_indices(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct indices *indices = calloc(1, sizeof(*indices));

		assert_non_null(indices);
		seed = 300 + i;
		assert_int_equal(indextable_init(&indices->table), 0);
		random_indices(indices, 10000);
		assert_true(indices->table.size >= indices->table.count);
		indextable_free(&indices->table);
		free(indices);
	}
}

static void test_indices_without_memory(void **state)
{
	struct indices *indices = calloc(1, sizeof(*indices));

	(void)state;
	assert_non_null(indices);
	seed = 400;
	calloc_left = 0;
	assert_int_equal(indextable_init(&indices->table), -ENOMEM);
	calloc_left = -1;
	assert_int_equal(indextable_init(&indices->table), 0);
	calloc_left = 0;
	random_indices(indices, 5000);
	assert_int_equal(indices->table.size, SIZE_MIN);
	calloc_left = -1;
	random_indices(indices, 5000);
	assert_true(indices->table.size > SIZE_MIN);
	indextable_free(&indices->table);
	free(indices);
}

static void test_index_not_there(void **state)
{
	struct indextable table;
	struct indextable_entry in = {.index = 7, .kind = 1}, out = {0}, twin = {0};

	(void)state;
	assert_int_equal(indextable_init(&table), 0);
	indextable_remove(&table, &out);
	assert_int_equal(indextable_add(&table, &in), 0);
	twin = (struct indextable_entry){.index = 7, .kind = 1};
	out.kind = 1;
	indextable_replace(&table, &twin, &out);
	assert_ptr_equal(indextable_find(&table, 7), &in);
	indextable_remove(&table, &twin);
	assert_ptr_equal(indextable_find(&table, 7), &in);
	indextable_remove(&table, &in);
	indextable_remove(&table, &in);
	assert_int_equal(in.kind, 0);
	assert_int_equal(table.count, 0);
	assert_null(indextable_find(&table, 7));
	indextable_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_indices),
		cmocka_unit_test(test_indices_without_memory),
		cmocka_unit_test(test_index_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
