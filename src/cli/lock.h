/* SPDX-License-Identifier: MIT
 * One wgctl at a time changes an interface, or chooses default routes. */
#pragma once

/* Takes the lock of that name, an interface's: a file descriptor, which closes on exec.
 * -EWOULDBLOCK: another one has it. Where no lock can be kept (no right to, a read-only /run), *fd
 * is -1 and all goes on without. */
int lock_take(int *fd, const char *name);
/* Gives it back; -1 is fine. */
void lock_release(int fd, const char *name);
