/* SPDX-License-Identifier: MIT
 * Starts an engine, by the contract of wireguard-go: `ENGINE IFNAME` goes to the background by
 * itself. */
#pragma once

#include <limits.h>

struct conf_error;
struct interrupt;

/* The engine to use: WGCTL_ENGINE or WG_QUICK_USERSPACE_IMPLEMENTATION (one word), else the
 * wgengine that lies beside this program, else the one in PATH. Returns engine; or NULL: none, but
 * the kernel's own module. That is so with WGCTL_ENGINE=kernel; and, as wg-quick(8) has it, by its
 * name without WGCTL_ENGINE, where the kernel has the module. */
char *spawn_find_engine(char engine[PATH_MAX]);
/* Starts it and waits until it answers on its socket. 0 or -errno with *error filled; -EINTR
 * after an interrupt. What a failed engine leaves behind (a link, a socket) is the caller's to
 * clear. */
int spawn_engine(const char *engine, const char *name, struct interrupt *interrupt,
		 struct conf_error *error);
