/* SPDX-License-Identifier: MIT
 * By which name the program was called. */
#pragma once

#include <stdbool.h>

/* By the name wg: then it is wg(8), without what wgctl adds to that. */
bool self_is_wg(void);
/* By the name wg-quick: then it is wg-quick(8). */
bool self_is_quick(void);
