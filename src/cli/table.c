/* SPDX-License-Identifier: MIT
 * Measures, leaves out, shrinks, prints. */
#include "cli/table.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "conf/array.h"
#include "conf/text.h"

#define GAP 2 /* between columns */
#define CUT "\u2026"
#define BOLD "\x1b[1m"
#define RESET "\x1b[0m"

void table_add(struct table *table, const char *colour, bool heading)
{
	struct table_row *rows = array_room(table->rows, table->count, &table->size, sizeof(*rows));

	if (!rows) {
		table->failed = true;
		return;
	}
	table->rows = rows;
	rows[table->count++] = (struct table_row){.colour = colour, .heading = heading};
}

void table_set(struct table *table, size_t column, const char *format, ...)
{
	va_list args;

	if (table->failed)
		return;
	va_start(args, format);
	if (vasprintf(&table->rows[table->count - 1].cells[column], format, args) < 0) {
		table->rows[table->count - 1].cells[column] = NULL;
		table->failed = true;
	}
	va_end(args);
}

/* The bytes of the next character, and its width in columns; -1: it cannot be shown. */
static size_t next(const char *text, int *columns)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t len = mbrtowc(&c, text, strlen(text), &state);

	*columns = -1;
	if (len > MB_LEN_MAX)
		return 1;
	*columns = wcwidth(c);
	return len;
}

static unsigned width_of(const char *text)
{
	unsigned width = 0;
	int columns;

	for (; *text; width += columns < 0 ? 1 : (unsigned)columns)
		text += next(text, &columns);
	return width;
}

/* At most width columns; returns how many. */
static unsigned put_cut(struct text *out, const char *text, unsigned width)
{
	const bool whole = width_of(text) <= width;
	const unsigned room = whole ? width : width ? width - 1 : 0;
	unsigned used = 0;

	while (*text) {
		int columns;
		size_t len = next(text, &columns);
		unsigned more = columns < 0 ? 1 : (unsigned)columns;

		if (used + more > room)
			break;
		if (columns < 0)
			text_puts(out, "?");
		else
			text_append(out, text, len);
		used += more;
		text += len;
	}
	if (whole || !width)
		return used;
	text_puts(out, CUT);
	return used + 1;
}

/* Widths of the columns; 0: left out. */
struct layout {
	unsigned widths[TABLE_COLUMNS];
};

static void measure(struct layout *layout, const struct table *table)
{
	for (size_t c = 0; c < table->column_count; c++) {
		layout->widths[c] = width_of(table->columns[c].title);
		for (size_t r = 0; r < table->count; r++) {
			const struct table_row *row = &table->rows[r];
			unsigned width = 0;

			if (!row->heading && row->cells[c])
				width = width_of(row->cells[c]);
			if (width > layout->widths[c])
				layout->widths[c] = width;
		}
	}
}

static bool may_shrink(const struct layout *layout, const struct table *table, size_t column)
{
	return table->columns[column].least &&
	       layout->widths[column] > table->columns[column].least;
}

/* The width of a line, as it is or at its narrowest. */
static unsigned line_width(const struct layout *layout, const struct table *table, bool narrowest)
{
	unsigned width = 0;

	for (size_t c = 0; c < table->column_count; c++) {
		unsigned column = layout->widths[c];

		if (!column)
			continue;
		if (narrowest && may_shrink(layout, table, c))
			column = table->columns[c].least;
		width += column + (width ? GAP : 0);
	}
	return width;
}

/* Leaves out the columns of the highest rank. False: there is none but 0. */
static bool leave_out(struct layout *layout, const struct table *table)
{
	unsigned rank = 0;

	for (size_t c = 0; c < table->column_count; c++)
		if (layout->widths[c] && table->columns[c].rank > rank)
			rank = table->columns[c].rank;
	for (size_t c = 0; rank && c < table->column_count; c++)
		if (table->columns[c].rank == rank)
			layout->widths[c] = 0;
	return rank;
}

/* Takes a column from the widest that may shrink. False: there is none. */
static bool shrink(struct layout *layout, const struct table *table)
{
	size_t widest = table->column_count;

	for (size_t c = 0; c < table->column_count; c++)
		if (may_shrink(layout, table, c) &&
		    (widest == table->column_count || layout->widths[c] > layout->widths[widest]))
			widest = c;
	if (widest == table->column_count)
		return false;
	layout->widths[widest]--;
	return true;
}

static void fit(struct layout *layout, const struct table *table, unsigned width)
{
	while (line_width(layout, table, true) > width && leave_out(layout, table))
		;
	while (line_width(layout, table, false) > width && shrink(layout, table))
		;
	if (layout->widths[0] > width)
		layout->widths[0] = width;
}

static void put_spaces(struct text *out, unsigned count)
{
	text_printf(out, "%*s", (int)count, "");
}

/* row NULL: the titles. */
static const char *cell_of(const struct table *table, const struct table_row *row, size_t column)
{
	if (!row)
		return table->columns[column].title;
	return row->cells[column] ? row->cells[column] : "";
}

static void put_cells(struct text *out, const struct table *table, const struct layout *layout,
		      const struct table_row *row)
{
	const size_t start = out->len;

	for (size_t c = 0; c < table->column_count; c++) {
		const char *cell = cell_of(table, row, c);
		unsigned width = layout->widths[c], before = 0, used = width_of(cell);

		if (!width)
			continue;
		if (table->columns[c].right && used < width)
			before = width - used;
		put_spaces(out, (out->len > start ? GAP : 0) + before);
		used = before + put_cut(out, cell, width);
		put_spaces(out, width - used);
	}
	while (out->len > start && out->data[out->len - 1] == ' ')
		out->data[--out->len] = '\0';
}

static void put_line(struct text *out, const struct table *table, const struct layout *layout,
		     const struct table_row *row, unsigned width, const char *colour)
{
	if (colour)
		text_puts(out, colour);
	if (row && row->heading)
		put_cut(out, cell_of(table, row, 0), width);
	else
		put_cells(out, table, layout, row);
	if (colour)
		text_puts(out, RESET);
	text_puts(out, "\n");
}

void table_print(struct text *out, const struct table *table, unsigned width, unsigned height,
		 bool colour)
{
	const bool whole = !height || table->count < height;
	const size_t shown = whole ? table->count : height > 2 ? height - 2 : 0;
	const unsigned limit = width ? width : INT_MAX;
	struct layout layout = {0};
	char more[64];

	if (table->failed) {
		out->failed = true;
		return;
	}
	measure(&layout, table);
	fit(&layout, table, limit);
	put_line(out, table, &layout, NULL, limit, colour ? BOLD : NULL);
	for (size_t r = 0; r < shown; r++)
		put_line(out, table, &layout, &table->rows[r], limit,
			 colour ? table->rows[r].colour : NULL);
	if (whole || height < 2)
		return;
	snprintf(more, sizeof(more), "%zu more lines", table->count - shown);
	put_cut(out, more, limit);
	text_puts(out, "\n");
}

void table_wipe(struct table *table)
{
	for (size_t r = 0; r < table->count; r++)
		for (size_t c = 0; c < TABLE_COLUMNS; c++)
			free(table->rows[r].cells[c]);
	free(table->rows);
	table->rows = NULL;
	table->count = table->size = 0;
}
