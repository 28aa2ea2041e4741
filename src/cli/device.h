/* SPDX-License-Identifier: MIT
 * A WireGuard interface, whoever runs it: an engine behind its UAPI socket, else the kernel's own
 * module. For a name that both have it is the engine, as for wg(8). */
#pragma once

#include <net/if.h>
#include <stddef.h>

struct conf_error;
struct model;

/* Configures; endpoints must be resolved and exclusions applied. 0 or -errno with *error filled;
 * what came before the error may have been done. */
int device_set(const char *name, const struct model *model, struct conf_error *error);
/* Reads all into an empty model, which the caller wipes, also after an error. 0 or -errno with
 * *error filled; -ENODEV: there is no such interface. */
int device_get(const char *name, struct model *model, struct conf_error *error);
/* The same; wait_ms: how long an engine may be silent (-ETIMEDOUT); 0: ten seconds. */
int device_get_within(const char *name, unsigned wait_ms, struct model *model,
		      struct conf_error *error);
/* All interfaces, the kernel's first; *names is the caller's to free(), also after an error, when
 * some may be missing. 0 or -errno. */
int device_list(char (**names)[IFNAMSIZ], size_t *count);
