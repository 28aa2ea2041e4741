/* SPDX-License-Identifier: MIT
 * Lines on stderr. */
#include "engine/log.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Set once, before any thread is started. */
static enum log_level level = LOG_ERROR;
static char name[IFNAMSIZ];

void log_init(const char *ifname, const char *environment)
{
	snprintf(name, sizeof(name), "%s", ifname);
	level = LOG_ERROR;
	if (environment && (!strcmp(environment, "verbose") || !strcmp(environment, "debug")))
		level = LOG_VERBOSE;
	else if (environment && !strcmp(environment, "silent"))
		level = LOG_SILENT;
}

static void __attribute__((format(printf, 1, 0))) line(const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "wgengine: %s: %s\n", name, text);
}

void log_error(const char *format, ...)
{
	va_list args;

	if (level < LOG_ERROR)
		return;
	va_start(args, format);
	line(format, args);
	va_end(args);
}

void log_verbose(const char *format, ...)
{
	va_list args;

	if (level < LOG_VERBOSE)
		return;
	va_start(args, format);
	line(format, args);
	va_end(args);
}
