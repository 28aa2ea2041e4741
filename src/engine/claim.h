/* SPDX-License-Identifier: MIT
 * That a TUN interface of several queues is ours alone. Until its owner is set any local user may
 * attach a queue, which then reads and writes what the tunnel carries, and keeps it; and one call
 * makes the interface, another sets the owner. So the queues are counted afterwards. */
#pragma once

/* The interface's owner is set, and the caller has the one queue of it. 0; -EUSERS: somebody else
 * has one too, and the interface was deleted; -ENODATA: the kernel does not say (before 4.17);
 * -errno. */
int claim_check(unsigned ifindex);
