/* SPDX-License-Identifier: MIT
 * The TUN device: packets to and from the system. One packet a read and a write: the kernel has no
 * other way. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TUN_MTU_DEFAULT 1420
#define TUN_PACKET_MAX 65535

struct tun {
	int fd;
	char name[IFNAMSIZ];
	unsigned ifindex; /* in the network namespace that we were started in */
};

/* Makes the interface, down, with TUN_MTU_DEFAULT. Nobody but root or ourselves may attach to it. 0
 * or -errno: -ENOENT/-ENXIO no /dev/net/tun, -EPERM no right, -EBUSY name taken. */
int tun_create(struct tun *tun, const char *name);
/* Takes over an open TUN; consumes fd (also on failure). */
int tun_adopt(struct tun *tun, int fd);
void tun_close(struct tun *tun);

/* The length, 0 when there is none now, or -errno; -EBADFD: the interface was deleted. */
ssize_t tun_read(int fd, uint8_t *buffer, size_t size);
/* 0 or -errno. */
int tun_write(int fd, const uint8_t *packet, size_t len);
/* Is it up? Works from any network namespace. -errno: it is gone. */
int tun_probe_up(int fd, bool *up);
/* The name that it has now, wherever it is. 0 or -errno: it is gone. */
int tun_get_name(int fd, char name[IFNAMSIZ]);
