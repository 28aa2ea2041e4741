/* SPDX-License-Identifier: MIT
 * Arrays that grow, of what is no secret: the old place of one that moves is not wiped. */
#pragma once

#include <stddef.h>

/* Makes room for one more behind count items of len bytes each, of *size that there is room for; it
 * doubles as needed. Consumes items (NULL: none yet) and returns them, maybe elsewhere; or NULL
 * without memory, and then they and *size are as they were. */
void *array_room(void *items, size_t count, size_t *size, size_t len);
