/* SPDX-License-Identifier: MIT
 * Tables: what is shown of them at each width and height, and characters of all widths. */
#include "cli/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>
#include "conf/text.h"

static const struct table_column columns[] = {
	{"WHO", 4, 0, false}, {"PLACE", 6, 2, false}, {"AGE", 0, 1, true},
	{"IN", 0, 3, true},   {"OUT", 0, 3, true},
};

static void add(struct table *table, const char *const cells[5])
{
	table_add(table, "\x1b[31m", false);
	for (size_t c = 0; c < 5; c++)
		if (cells[c])
			table_set(table, c, "%s", cells[c]);
}

static void fill(struct table *table)
{
	*table = (struct table){.columns = columns, .column_count = 5};
	table_add(table, NULL, true);
	table_set(table, 0, "all of %s", "them");
	add(table, (const char *const[]){"alice", "somewhere", "5s", "1 KiB", "20 B"});
	add(table, (const char *const[]){"bob", NULL, "1m", NULL, NULL});
}

static void check(const struct table *table, unsigned width, unsigned height, const char *is)
{
	struct text out = TEXT_EMPTY;

	table_print(&out, table, width, height, false);
	assert_string_equal(out.data, is);
	text_wipe(&out);
}

static void widths(void **state)
{
	struct table table;

	(void)state;
	fill(&table);
	check(&table, 0, 0,
	      "WHO    PLACE      AGE     IN   OUT\n"
	      "all of them\n"
	      "alice  somewhere   5s  1 KiB  20 B\n"
	      "bob                1m\n");
	check(&table, 34, 0,
	      "WHO    PLACE      AGE     IN   OUT\n"
	      "all of them\n"
	      "alice  somewhere   5s  1 KiB  20 B\n"
	      "bob                1m\n");
	/* The widest shrinks first. */
	check(&table, 31, 0,
	      "WHO    PLACE   AGE     IN   OUT\n"
	      "all of them\n"
	      "alice  somew…   5s  1 KiB  20 B\n"
	      "bob             1m\n");
	check(&table, 30, 0,
	      "WHO   PLACE   AGE     IN   OUT\n"
	      "all of them\n"
	      "ali…  somew…   5s  1 KiB  20 B\n"
	      "bob            1m\n");
	/* Then those of the highest rank are left out, and there is room again. */
	check(&table, 29, 0,
	      "WHO    PLACE      AGE\n"
	      "all of them\n"
	      "alice  somewhere   5s\n"
	      "bob                1m\n");
	check(&table, 15, 0,
	      "WHO    AGE\n"
	      "all of them\n"
	      "alice   5s\n"
	      "bob     1m\n");
	check(&table, 8, 0, "WHO\nall of …\nalice\nbob\n");
	check(&table, 1, 0, "…\n…\n…\n…\n");
	table_wipe(&table);
}

static void heights(void **state)
{
	struct table table;

	(void)state;
	fill(&table);
	check(&table, 10, 4, "WHO    AGE\nall of th…\nalice   5s\nbob     1m\n");
	check(&table, 12, 3, "WHO    AGE\nall of them\n2 more lines\n");
	check(&table, 12, 2, "WHO    AGE\n3 more lines\n");
	check(&table, 12, 1, "WHO    AGE\n");
	table_wipe(&table);
}

static void colours(void **state)
{
	struct text out = TEXT_EMPTY;
	struct table table;

	(void)state;
	fill(&table);
	table_print(&out, &table, 10, 0, true);
	assert_string_equal(out.data, "\x1b[1mWHO    AGE\x1b[0m\n"
				      "all of th…\n"
				      "\x1b[31malice   5s\x1b[0m\n"
				      "\x1b[31mbob     1m\x1b[0m\n");
	text_wipe(&out);
	table_wipe(&table);
}

/* Two columns wide, none wide, none to be seen, no UTF-8. */
static void characters(void **state)
{
	struct table table = {.columns = columns, .column_count = 5};

	(void)state;
	add(&table, (const char *const[]){"東京", "zoe\u0308", "1", NULL, NULL});
	add(&table, (const char *const[]){"\x1b[2J\x07", "\xff\xc3", "2", NULL, NULL});
	add(&table, (const char *const[]){"a\nb", "\xe2\x82", "3", NULL, NULL});
	check(&table, 0, 0,
	      "WHO    PLACE  AGE  IN  OUT\n"
	      "東京   zoe\u0308      1\n"
	      "?[2J?  ??       2\n"
	      "a?b    ??       3\n");
	/* Half a character is none. */
	check(&table, 3, 0, "WHO\n東…\n?[…\na?b\n");
	check(&table, 2, 0, "W…\n…\n?…\na…\n");
	table_wipe(&table);
}

/* No line is ever wider, whatever is in it. */
static void never_wider(void **state)
{
	static const char *const cells[] = {"",
					    "a",
					    "名前名前名前名前名前",
					    "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
					    "\x80",
					    "e\u0301e\u0301",
					    "a long name of somebody",
					    NULL};
	struct table table = {.columns = columns, .column_count = 5};

	(void)state;
	for (size_t i = 0; i < 8 * 8 * 8; i++)
		add(&table, (const char *const[]){cells[i % 8], cells[i / 8 % 8], cells[i / 64],
						  cells[i * 5 % 8], cells[i * 3 % 8]});
	for (unsigned width = 1; width < 120; width++) {
		struct text out = TEXT_EMPTY;
		wchar_t line[512];

		table_print(&out, &table, width, 0, false);
		for (char *at = out.data; *at; at += strlen(at) + 1) {
			char *end = strchr(at, '\n');

			assert_non_null(end);
			*end = '\0';
			assert_true(mbstowcs(line, at, 512) < 512);
			assert_in_range(wcswidth(line, 512), 0, width);
		}
		text_wipe(&out);
	}
	table_wipe(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),      cmocka_unit_test(heights),
		cmocka_unit_test(colours),     cmocka_unit_test(characters),
		cmocka_unit_test(never_wider),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
