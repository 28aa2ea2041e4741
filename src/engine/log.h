/* SPDX-License-Identifier: MIT
 * Lines on stderr, prefixed "wgengine: IFNAME: ". Never per packet, never a key. The level is set
 * once, before threads. */
#pragma once

enum log_level {
	LOG_SILENT,
	LOG_ERROR,
	LOG_NOTICE, /* what is no error, and said once */
	LOG_VERBOSE,
};

/* environment: the value of LOG_LEVEL ("verbose", "debug", "error", "silent"; NULL or other:
 * notice). */
void log_init(const char *ifname, const char *environment);
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_notice(...) log_line(LOG_NOTICE, __VA_ARGS__)
#define log_verbose(...) log_line(LOG_VERBOSE, __VA_ARGS__)
/* Writes it if LOG_LEVEL asks for lines of that level. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
