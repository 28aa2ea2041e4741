/* SPDX-License-Identifier: MIT
 * The TUN device. */
#include "engine/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "engine/claim.h"
#include "engine/log.h"
#include "engine/offload.h"

#define CREATE_TRIES 10

/* Linux 6.2; the headers of a distribution may be older than its kernel. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

_Static_assert(TUN_HEADROOM == sizeof(struct virtio_net_hdr), "the default header of a TUN");

static int set_mtu(const char *name, int mtu)
{
	struct ifreq request = {.ifr_mtu = mtu};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int err = ioctl(fd, SIOCSIFMTU, &request) ? -errno : 0;
	close(fd);
	return err;
}

/* Asks for super-packets; with less of them, or none, everything works too. */
static void set_offload(struct tun *tun)
{
	const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	const unsigned udp = TUN_F_USO4 | TUN_F_USO6;

	tun->join_udp = !ioctl(tun->fd, TUNSETOFFLOAD, tcp | udp);
	tun->join_tcp = tun->join_udp || !ioctl(tun->fd, TUNSETOFFLOAD, tcp);
}

static int attach(struct tun *tun, const char *name, int flags)
{
	struct ifreq request = {.ifr_flags = (short)flags};
	int err;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	*tun = (struct tun){.fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
	if (tun->fd < 0)
		return -errno;
	if (ioctl(tun->fd, TUNSETIFF, &request)) {
		err = -errno;
		tun_close(tun);
		return err;
	}
	snprintf(tun->name, sizeof(tun->name), "%s", request.ifr_name);
	tun->headers = flags & IFF_VNET_HDR;
	return 0;
}

/* The interface with its first queue, nobody else's. */
static int create(struct tun *tun, const char *name, int flags)
{
	int err = attach(tun, name, flags | IFF_TUN_EXCL);

	if (err)
		return err;
	tun->ifindex = if_nametoindex(tun->name);
	if (ioctl(tun->fd, TUNSETOWNER, geteuid()))
		err = -errno;
	else if (flags & IFF_MULTI_QUEUE)
		err = claim_check(tun->ifindex);
	if (err)
		tun_close(tun);
	return err;
}

/* Nobody can join a single queue. */
static const char *why_alone(int err)
{
	if (err == -EUSERS)
		return "another user's program keeps attaching to the interface while it is made";
	if (err == -ENODATA)
		return "this kernel (before 4.17) does not tell who else is attached";
	return "this kernel makes no interface with several queues";
}

int tun_create(struct tun *queues, unsigned *count, const char *name, bool offload)
{
	const int flags = IFF_TUN | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0);
	unsigned wanted = *count;
	int err = -EUSERS;

	for (unsigned i = 0; wanted > 1 && err == -EUSERS && i < CREATE_TRIES; ++i)
		err = create(&queues[0], name, flags | IFF_MULTI_QUEUE);
	if (err == -EINVAL || err == -EUSERS || err == -ENODATA) {
		if (wanted > 1)
			log_notice("one worker instead of %u: %s", wanted, why_alone(err));
		wanted = 1;
		err = create(&queues[0], name, flags);
	}
	if (err)
		return err;
	err = set_mtu(queues[0].name, TUN_MTU_DEFAULT);
	if (err) {
		tun_close(&queues[0]);
		return err;
	}
	if (offload) {
		set_offload(&queues[0]);
		offload_prove(&queues[0]);
	}
	for (*count = 1; *count < wanted; ++*count) {
		struct tun *queue = &queues[*count];
		err = attach(queue, queues[0].name, flags | IFF_MULTI_QUEUE);
		if (err) {
			log_notice("%u workers instead of %u: cannot open more queues: %s", *count,
				   wanted, strerror(-err));
			break;
		}
		queue->join_tcp = queues[0].join_tcp;
		queue->join_udp = queues[0].join_udp;
	}
	return 0;
}

int tun_adopt(struct tun *tun, int fd, bool offload)
{
	struct ifreq request = {0};
	int err = 0;

	*tun = (struct tun){.fd = fd};
	int flags = fcntl(fd, F_GETFL);
	if (ioctl(fd, TUNGETIFF, &request) || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		err = -errno;
		tun_close(tun);
		return err;
	}
	snprintf(tun->name, sizeof(tun->name), "%s", request.ifr_name);
	tun->headers = request.ifr_flags & IFF_VNET_HDR;
	tun->ifindex = if_nametoindex(tun->name);
	if (tun->headers && offload)
		set_offload(tun);
	return 0;
}

void tun_close(struct tun *tun)
{
	if (tun->fd >= 0)
		close(tun->fd);
	tun->fd = -1;
}

ssize_t tun_read(const struct tun *tun, uint8_t *packet, size_t size, struct virtio_net_hdr *header)
{
	size_t before = tun->headers ? sizeof(*header) : 0;
	ssize_t len = read(tun->fd, packet - before, size + before);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if ((size_t)len < before)
		return 0;
	if (before)
		memcpy(header, packet - before, before);
	else
		memset(header, 0, sizeof(*header));
	return len - (ssize_t)before;
}

int tun_write(const struct tun *tun, const struct iovec *vectors, unsigned count)
{
	unsigned skip = tun->headers ? 0 : 1;

	return writev(tun->fd, vectors + skip, (int)(count - skip)) < 0 ? -errno : 0;
}

int tun_probe_up(const struct tun *tun, bool *up)
{
	struct pollfd state = {.fd = tun->fd, .events = POLLOUT};

	if (poll(&state, 1, 0) < 0)
		return -errno;
	if (state.revents & POLLERR)
		return -EBADFD;
	*up = state.revents & POLLOUT;
	return 0;
}

int tun_get_name(const struct tun *tun, char name[IFNAMSIZ])
{
	struct ifreq request = {0};

	if (ioctl(tun->fd, TUNGETIFF, &request))
		return -errno;
	snprintf(name, IFNAMSIZ, "%s", request.ifr_name);
	return 0;
}
