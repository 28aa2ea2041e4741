/* SPDX-License-Identifier: MIT
 * Fills a struct conf_error: one printable line, cut where it is too long. */
#include "conf/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int conf_error_set(struct conf_error *error, int err, unsigned line, unsigned column,
		   const char *format, ...)
{
	va_list args;

	if (!error)
		return -err;
	memset(error, 0, sizeof(*error));
	error->err = err;
	error->line = line;
	error->column = column;
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	/* The text may reach a terminal. */
	for (char *c = error->what; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	return -err;
}
