/* SPDX-License-Identifier: MIT
 * Keeps the process's memory out of swap. */
#pragma once

#include <stdbool.h>

/* All of it, present and future: stacks and buffers hold keys, not only the tables. A page counts
 * once it is used, so the process grows no larger. Call it while the process may still lift its
 * limit (RLIMIT_MEMLOCK). *by_right: it could not, and owes it to CAP_IPC_LOCK alone; without that
 * right, later allocations would fail. 0 or -errno, and then nothing is locked. */
int memlock_all(bool *by_right);
