/* SPDX-License-Identifier: MIT
 * The scopes of IPv6 addresses (RFC 4007): what stands behind '%', the name of an interface or its
 * index. */
#pragma once

#include <net/if.h>
#include <stdbool.h>

/* Keeps open what the others ask with, for a process that may open nothing later. Once, before
 * there are threads. */
void scope_keep(void);
/* The index of the interface; 0: there is none of that name. */
unsigned scope_index(const char *name);
/* False: there is no such interface. */
bool scope_name(char name[IFNAMSIZ], unsigned index);
