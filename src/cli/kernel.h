/* SPDX-License-Identifier: MIT
 * WireGuard interfaces of the kernel's own module, over generic netlink (<linux/wireguard.h>). */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct conf_error;
struct model;

/* Configures; endpoints must be resolved. What does not fit in one request goes in several: after
 * an error the first of them may have been done. 0 or -errno with *error filled; -ENODEV: no such
 * interface, or no module; -ENOSYS: a kernel that cannot do that, *error says what. */
int kernel_set(const char *name, const struct model *model, struct conf_error *error);
/* Reads all into an empty model, which the caller wipes, also after an error. 0 or -errno with
 * *error filled, as above. */
int kernel_get(const char *name, struct model *model, struct conf_error *error);
/* Whether this kernel has WireGuard; loads its module, if there is one. */
bool kernel_is_there(void);
/* Adds the interfaces of this network namespace to a list (names.h). 0 or -errno. */
int kernel_list(char (**names)[IFNAMSIZ], size_t *count);
