/* SPDX-License-Identifier: MIT
 * Landlock: what a process may no longer do to the file system and to the network. */
#pragma once

/* For the calling thread and those it starts, for good: no file can be opened, made, run or removed
 * any more, no TCP socket connected or bound, and (where the kernel knows how) no process outside
 * signalled and no abstract UNIX socket reached. What is open stays open. In directory alone files
 * may still be removed (NULL: nowhere). The version of the kernel's Landlock, or -errno: -ENOSYS,
 * -EOPNOTSUPP (switched off). Needs no_new_privs. */
int landlock_restrict(const char *directory);
