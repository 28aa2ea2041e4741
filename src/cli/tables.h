/* SPDX-License-Identifier: MIT
 * Routing tables by name, as iproute2 keeps them. */
#pragma once

#include <stdint.h>

/* From "main", "254", "0xfe" or a name that rt_tables or rt_tables.d knows, under /etc/iproute2 or
 * /usr/share/iproute2. 0 is main. 0 or -ENOENT. */
int tables_find(uint32_t *number, const char *name);
