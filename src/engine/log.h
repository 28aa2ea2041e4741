/* SPDX-License-Identifier: MIT
 * Lines on stderr, prefixed "wgengine: IFNAME: ". Never per packet, never a key. The level is set
 * once, before threads. */
#pragma once

enum log_level {
	LOG_SILENT,
	LOG_ERROR,
	LOG_VERBOSE,
};

/* environment: the value of LOG_LEVEL ("verbose", "debug", "error", "silent"; NULL or other:
 * error). */
void log_init(const char *ifname, const char *environment);
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));
