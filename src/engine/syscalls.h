/* SPDX-License-Identifier: MIT
 * The system calls that are left to a process (seccomp). Any other fails with EPERM, and the kernel
 * logs it. */
#pragma once

/* What a running engine calls, for all its threads. It makes no socket, opens no file, starts no
 * process or thread and makes no memory executable. 0 or -errno: -ENOSYS, built without
 * libseccomp; -EOPNOTSUPP, the kernel or a container refuses. Needs no_new_privs. */
int syscalls_limit_engine(void);
/* What the opener calls. */
int syscalls_limit_opener(void);
