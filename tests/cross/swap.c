/* SPDX-License-Identifier: MIT
 * What qemu-user (7.2) leaves in the order of bytes of the machine, which is not the program's: the
 * numbers of the control messages that the engine sends and receives, and the headers of packets of
 * a TUN. Loaded before the C library. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif

static bool is_class(const struct cmsghdr *c)
{
	return (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
	       (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS);
}

static bool is_stride(const struct cmsghdr *c)
{
	return c->cmsg_level == IPPROTO_UDP &&
	       (c->cmsg_type == UDP_SEGMENT || c->cmsg_type == UDP_GRO);
}

static void turn(const struct msghdr *header)
{
	struct msghdr *in_place = (struct msghdr *)(uintptr_t)header;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(in_place, c)) {
		uint32_t number;
		uint16_t stride;

		if (c->cmsg_len == CMSG_LEN(sizeof(number)) && (is_class(c) || is_stride(c))) {
			memcpy(&number, CMSG_DATA(c), sizeof(number));
			number = __builtin_bswap32(number);
			memcpy(CMSG_DATA(c), &number, sizeof(number));
		} else if (c->cmsg_len == CMSG_LEN(sizeof(stride)) && is_stride(c)) {
			memcpy(&stride, CMSG_DATA(c), sizeof(stride));
			stride = __builtin_bswap16(stride);
			memcpy(CMSG_DATA(c), &stride, sizeof(stride));
		}
	}
}

ssize_t sendmsg(int fd, const struct msghdr *header, int flags)
{
	ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");

	turn(header);
	ssize_t sent = next(fd, header, flags);
	turn(header);
	return sent;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *limit)
{
	int (*next)(int, struct mmsghdr *, unsigned, int, struct timespec *) =
		dlsym(RTLD_NEXT, "recvmmsg");
	int received = next(fd, messages, count, flags, limit);

	for (int i = 0; i < received; ++i)
		turn(&messages[i].msg_hdr);
	return received;
}

#define FDS 256

static bool is_tun[FDS];

static void turn_header(struct virtio_net_hdr *header)
{
	header->hdr_len = __builtin_bswap16(header->hdr_len);
	header->gso_size = __builtin_bswap16(header->gso_size);
	header->csum_start = __builtin_bswap16(header->csum_start);
	header->csum_offset = __builtin_bswap16(header->csum_offset);
}

/* Which files are TUNs, with headers. */
int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	va_list list;

	va_start(list, request);
	void *argument = va_arg(list, void *);
	va_end(list);
	int result = next(fd, request, argument);
	if (request == TUNSETIFF && !result && fd < FDS)
		is_tun[fd] = ((const struct ifreq *)argument)->ifr_flags & IFF_VNET_HDR;
	return result;
}

ssize_t read(int fd, void *bytes, size_t size)
{
	ssize_t (*next)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
	struct virtio_net_hdr header;
	ssize_t len = next(fd, bytes, size);

	if (fd >= 0 && fd < FDS && is_tun[fd] && len >= (ssize_t)sizeof(header)) {
		memcpy(&header, bytes, sizeof(header));
		turn_header(&header);
		memcpy(bytes, &header, sizeof(header));
	}
	return len;
}

ssize_t writev(int fd, const struct iovec *vectors, int count)
{
	ssize_t (*next)(int, const struct iovec *, int) = dlsym(RTLD_NEXT, "writev");
	struct iovec copy[IOV_MAX];
	struct virtio_net_hdr header;

	if (fd < 0 || fd >= FDS || !is_tun[fd] || count < 1 || vectors->iov_len != sizeof(header))
		return next(fd, vectors, count);
	memcpy(copy, vectors, (size_t)count * sizeof(*copy));
	memcpy(&header, vectors->iov_base, sizeof(header));
	turn_header(&header);
	copy->iov_base = &header;
	return next(fd, copy, count);
}
