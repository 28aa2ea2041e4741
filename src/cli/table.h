/* SPDX-License-Identifier: MIT
 * A table of text for a given width: columns shrink, and those that matter least are left out. What
 * is no UTF-8, or no character to be seen, is shown as "?", so that no cell gives orders to a
 * terminal. Pure, but for the locale: widths are wcwidth(3)'s, so LC_CTYPE must be one of UTF-8. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS 8

struct text;

struct table_column {
	const char *title;
	unsigned least; /* it may shrink to this width; 0: it may not */
	unsigned rank;  /* those of the highest rank are left out first, those of 0 never */
	bool right;     /* aligned to the right */
};

struct table_row {
	char *cells[TABLE_COLUMNS]; /* owned; NULL: empty */
	const char *colour;         /* an escape sequence, borrowed; NULL: none */
	bool heading;               /* the first cell is a line of its own */
};

struct table {
	const struct table_column *columns; /* borrowed */
	size_t column_count;                /* at most TABLE_COLUMNS */
	struct table_row *rows;             /* owned */
	size_t count, size;
	bool failed; /* out of memory */
};

/* A new empty row at the end. */
void table_add(struct table *table, const char *colour, bool heading);
/* A cell of the last row. */
void table_set(struct table *table, size_t column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends the titles and the rows, a line each, and none wider than width columns (0: any) nor more
 * than height (0: any) of them: then the last one says how many there would be. */
void table_print(struct text *out, const struct table *table, unsigned width, unsigned height,
		 bool colour);
void table_wipe(struct table *table);
