/* SPDX-License-Identifier: MIT
 * Lines on stderr. */
#include "engine/log.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Set once, before any thread is started. */
static enum log_level wanted = LOG_NOTICE;
static char name[IFNAMSIZ];

void log_init(const char *ifname, const char *environment)
{
	snprintf(name, sizeof(name), "%s", ifname);
	wanted = LOG_NOTICE;
	if (environment && (!strcmp(environment, "verbose") || !strcmp(environment, "debug")))
		wanted = LOG_VERBOSE;
	else if (environment && !strcmp(environment, "error"))
		wanted = LOG_ERROR;
	else if (environment && !strcmp(environment, "silent"))
		wanted = LOG_SILENT;
}

void log_line(enum log_level level, const char *format, ...)
{
	char text[512];
	va_list args;

	if (level > wanted)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(stderr, "wgengine: %s: %s\n", name, text);
}
