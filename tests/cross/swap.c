/* SPDX-License-Identifier: MIT
 * What qemu-user (7.2 at least) leaves in the other order of bytes: the numbers of the control messages that the engine sends
 * and receives. Loaded before the C library in programs of such an architecture. Numbers are turned around only where the kernel
 * refuses them, or where they are too great, so that an emulator that does it is not in the way. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

static int is_class(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
	       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS);
}

static int is_stride(const struct cmsghdr *c)
{
	return c->cmsg_level == IPPROTO_UDP &&
	       (c->cmsg_type == UDP_SEGMENT || c->cmsg_type == UDP_GRO);
}

/* Turns those around whose number is above the limit; returns how many. */
static int turn(struct msghdr *header, int above)
{
	int count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		uint32_t number;
		uint16_t stride;

		if (c->cmsg_len == CMSG_LEN(sizeof(number)) && (is_class(c) || is_stride(c))) {
			memcpy(&number, CMSG_DATA(c), sizeof(number));
			if ((int64_t)number <= above)
				continue;
			number = __builtin_bswap32(number);
			memcpy(CMSG_DATA(c), &number, sizeof(number));
			++count;
		} else if (c->cmsg_len == CMSG_LEN(sizeof(stride)) && is_stride(c) && above < 0) {
			memcpy(&stride, CMSG_DATA(c), sizeof(stride));
			stride = __builtin_bswap16(stride);
			memcpy(CMSG_DATA(c), &stride, sizeof(stride));
			++count;
		}
	}
	return count;
}

ssize_t sendmsg(int fd, const struct msghdr *header, int flags)
{
	ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");
	ssize_t sent = next(fd, header, flags);

	if (sent < 0 && errno == EINVAL && turn((struct msghdr *)header, -1) > 0) {
		sent = next(fd, header, flags);
		if (sent < 0)
			turn((struct msghdr *)header, -1);
	}
	return sent;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit)
{
	int (*next)(int, struct mmsghdr *, unsigned, int, struct timespec *) =
		dlsym(RTLD_NEXT, "recvmmsg");
	int received = next(fd, messages, count, flags, limit);

	for (int i = 0; i < received; ++i)
		turn(&messages[i].msg_hdr, UINT16_MAX);
	return received;
}
