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
#define TUN_HEADROOM 10 /* sizeof(struct virtio_net_hdr) */
#define TUN_QUEUES_MAX 16

struct iovec;
struct virtio_net_hdr;

/* One queue of the interface. The name and what it can do are the same for all. */
struct tun {
	int fd; /* -1: closed */
	char name[IFNAMSIZ];
	unsigned ifindex; /* in the network namespace that we were started in */
	bool headers;     /* a struct virtio_net_hdr goes before every packet */
	bool join_tcp;    /* TCP super-packets may be written */
	bool join_udp;    /* and UDP ones (Linux 6.2) */
};

/* Makes the interface, down, with TUN_MTU_DEFAULT, and *count queues, or fewer where the kernel
 * has no more, or does not say whether they are ours alone. offload: super-packets, where the
 * kernel has them. Nobody but root or ourselves may attach to it, or has. 0 or -errno:
 * -ENOENT/-ENXIO no /dev/net/tun, -EPERM no right, -EBUSY name taken. */
int tun_create(struct tun *queues, unsigned *count, const char *name, bool offload);
/* Takes over an open TUN; consumes fd (also on failure). */
int tun_adopt(struct tun *tun, int fd, bool offload);
void tun_close(struct tun *tun);

/* Reads one packet, which may be a super-packet, to packet; TUN_HEADROOM bytes before it are
 * overwritten. The length, 0 when there is none now, or -errno; -EBADFD: the interface was
 * deleted. */
ssize_t tun_read(const struct tun *tun, uint8_t *packet, size_t size,
		 struct virtio_net_hdr *header);
/* Writes one packet; vectors[0] is its struct virtio_net_hdr. 0 or -errno. */
int tun_write(const struct tun *tun, const struct iovec *vectors, unsigned count);
/* Is it up? Works from any network namespace. -errno: it is gone. */
int tun_probe_up(const struct tun *tun, bool *up);
/* The name that it has now, wherever it is. 0 or -errno: it is gone. */
int tun_get_name(const struct tun *tun, char name[IFNAMSIZ]);
