/* SPDX-License-Identifier: MIT
 * The TUN device. */
#include "engine/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

int tun_create(struct tun *tun, const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL};
	int err;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	tun->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tun->fd < 0)
		return -errno;
	/* Before the interface has anything to steal: another user could attach to its queue
	 * otherwise. */
	if (ioctl(tun->fd, TUNSETIFF, &request) || ioctl(tun->fd, TUNSETOWNER, geteuid())) {
		err = -errno;
		goto err_close;
	}
	snprintf(tun->name, sizeof(tun->name), "%s", request.ifr_name);
	tun->ifindex = if_nametoindex(tun->name);
	err = set_mtu(tun->name, TUN_MTU_DEFAULT);
	if (err)
		goto err_close;
	return 0;

err_close:
	tun_close(tun);
	return err;
}

int tun_adopt(struct tun *tun, int fd)
{
	tun->fd = fd;
	int err = tun_get_name(fd, tun->name);
	int flags = fcntl(fd, F_GETFL);
	if (!err &&
	    (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC)))
		err = -errno;
	if (err) {
		tun_close(tun);
		return err;
	}
	tun->ifindex = if_nametoindex(tun->name);
	return 0;
}

void tun_close(struct tun *tun)
{
	if (tun->fd >= 0)
		close(tun->fd);
	tun->fd = -1;
}

ssize_t tun_read(int fd, uint8_t *buffer, size_t size)
{
	ssize_t len = read(fd, buffer, size);
	if (len >= 0)
		return len;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int tun_write(int fd, const uint8_t *packet, size_t len)
{
	return write(fd, packet, len) < 0 ? -errno : 0;
}

int tun_probe_up(int fd, bool *up)
{
	struct pollfd state = {.fd = fd, .events = POLLOUT};

	if (poll(&state, 1, 0) < 0)
		return -errno;
	if (state.revents & POLLERR)
		return -EBADFD;
	*up = state.revents & POLLOUT;
	return 0;
}

int tun_get_name(int fd, char name[IFNAMSIZ])
{
	struct ifreq request = {0};

	if (ioctl(fd, TUNGETIFF, &request))
		return -errno;
	snprintf(name, IFNAMSIZ, "%s", request.ifr_name);
	return 0;
}
