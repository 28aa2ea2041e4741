/* SPDX-License-Identifier: MIT
 * Messages. Never prints a key: no caller passes one. */
#include "cli/say.h"

#include <stdarg.h>
#include <stdio.h>
#include "conf/error.h"
#include "conf/file.h"

static void say_line(const char *prefix, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void say_line(const char *prefix, const char *format, va_list args)
{
	flockfile(stderr);
	fputs(prefix, stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	funlockfile(stderr);
}

static void say_place(const char *file, unsigned line, unsigned column, const char *kind,
		      const char *what)
{
	if (line && column)
		fprintf(stderr, "%s:%u:%u: %s: %s\n", file, line, column, kind, what);
	else if (line)
		fprintf(stderr, "%s:%u: %s: %s\n", file, line, kind, what);
	else
		fprintf(stderr, "%s: %s: %s\n", file, kind, what);
}

void say_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line("wgctl: ", format, args);
	va_end(args);
}

void say_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line("wgctl: warning: ", format, args);
	va_end(args);
}

void say_plain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line("", format, args);
	va_end(args);
}

void say_file_error(const char *file, const struct conf_error *error)
{
	say_place(file, error->line, error->column, "error", error->what);
}

void say_conf_error(const char *file, const struct conf_error *error)
{
	if (file && error->line)
		say_file_error(file, error);
	else
		say_error("%s", error->what);
}

void say_file_warnings(const char *path, const struct file *file)
{
	for (size_t i = 0; i < file->warning_count; i++) {
		const struct file_warning *warning = &file->warnings[i];

		say_place(path, warning->line, warning->column, "warning", warning->what);
	}
}

void say_exposed(const char *file)
{
	say_warning("%s is accessible to other users; `chmod 600 %s' keeps its keys secret", file,
		    file);
}

void say_trace(bool quiet, const char *what)
{
	if (!quiet)
		fprintf(stderr, "[#] %s\n", what);
}
