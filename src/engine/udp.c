/* SPDX-License-Identifier: MIT
 * The UDP sockets. */
#include "engine/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_WANTED (7 << 20) /* bytes of socket buffer, as the other engines ask for */
#define PORT_TRIES 100

struct udp_room {
	struct mmsghdr headers[UDP_BATCH];
	struct iovec vectors[UDP_BATCH];
	union sockaddr_ip names[UDP_BATCH];
	struct udp_train trains[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t controls[UDP_BATCH][128];
	uint8_t bytes[UDP_BATCH][UDP_DATAGRAM_MAX + 1];
};

struct udp_room *udp_room_new(void)
{
	/* Pages that no datagram ever reaches cost nothing. */
	return malloc(sizeof(struct udp_room));
}

void udp_room_free(struct udp_room *room)
{
	free(room);
}

static void set_buffer(int fd, int forced, int plain)
{
	int size = BUFFER_WANTED;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)))
		(void)setsockopt(fd, SOL_SOCKET, plain, &size, sizeof(size));
}

static int set_options(int fd, int family, uint32_t fwmark)
{
	int on = 1;
	int dont4 = IP_PMTUDISC_DONT, dont6 = IPV6_PMTUDISC_DONT;

	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)))
		return -errno;
	if (family == AF_INET) {
		/* Fragments get through where a packet too big would vanish. */
		if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont4, sizeof(dont4)) ||
		    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)))
			return -errno;
	} else {
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &dont6, sizeof(dont6)) ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)))
			return -errno;
	}
	return 0;
}

/* *port: what is wanted; 0 is replaced by what was given. *fd is -1 when the machine does not have
 * the family. */
static int open_one(int *fd, int family, uint16_t *port, uint32_t fwmark)
{
	union sockaddr_ip addr = {0};
	socklen_t len = sizeof(addr);
	int err;

	*fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	if (*fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	addr.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		addr.in4.sin_port = htons(*port);
	else
		addr.in6.sin6_port = htons(*port);
	err = set_options(*fd, family, fwmark);
	if (!err && bind(*fd, &addr.sa, endpoint_len(&addr)))
		err = -errno;
	if (!err && getsockname(*fd, &addr.sa, &len))
		err = -errno;
	if (err) {
		close(*fd);
		*fd = -1;
		/* IPv6 switched off by sysctl: the family is there, but no address of it. */
		return family == AF_INET6 && err == -EADDRNOTAVAIL ? 0 : err;
	}
	*port = ntohs(family == AF_INET ? addr.in4.sin_port : addr.in6.sin6_port);
	return 0;
}

int udp_open(struct udp *udp, uint16_t port, uint32_t fwmark)
{
	int err = 0;

	for (int tries = port ? 1 : PORT_TRIES; tries > 0; --tries) {
		udp->port = port;
		udp->fd4 = udp->fd6 = -1;
		err = open_one(&udp->fd4, AF_INET, &udp->port, fwmark);
		if (!err)
			err = open_one(&udp->fd6, AF_INET6, &udp->port, fwmark);
		if (!err && udp->fd4 < 0 && udp->fd6 < 0)
			err = -EAFNOSUPPORT;
		if (!err)
			return 0;
		udp_close(udp);
		if (err != -EADDRINUSE)
			break;
	}
	return err;
}

void udp_close(struct udp *udp)
{
	if (udp->fd4 >= 0)
		close(udp->fd4);
	if (udp->fd6 >= 0)
		close(udp->fd6);
	*udp = (struct udp){.fd4 = -1, .fd6 = -1};
}

int udp_set_fwmark(const struct udp *udp, uint32_t fwmark)
{
	const int fds[] = {udp->fd4, udp->fd6};

	for (unsigned i = 0; i < 2; ++i)
		if (fds[i] >= 0 && setsockopt(fds[i], SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)))
			return -errno;
	return 0;
}

/* Where the datagram came to. */
static void read_source(struct path *path, struct msghdr *header, uint32_t generation)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			path->source.in4 = info.ipi_spec_dst;
			path->ifindex = (uint32_t)info.ipi_ifindex;
			path->generation = generation;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			path->source.in6 = info.ipi6_addr;
			path->ifindex = info.ipi6_ifindex;
			path->generation = generation;
		}
	}
}

int udp_receive(int fd, struct udp_room *room, uint32_t generation, const struct udp_train **trains)
{
	int count;

	for (unsigned i = 0; i < UDP_BATCH; ++i) {
		room->vectors[i] = (struct iovec){room->bytes[i], sizeof(room->bytes[i])};
		room->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &room->names[i],
			.msg_namelen = sizeof(room->names[i]),
			.msg_iov = &room->vectors[i],
			.msg_iovlen = 1,
			.msg_control = room->controls[i],
			.msg_controllen = sizeof(room->controls[i]),
		};
	}
	count = recvmmsg(fd, room->headers, UDP_BATCH, MSG_DONTWAIT, NULL);
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; ++i) {
		struct udp_train *train = &room->trains[i];
		*train = (struct udp_train){
			.bytes = room->bytes[i],
			.len = room->headers[i].msg_len,
			.stride = room->headers[i].msg_len,
			.path.remote = room->names[i],
		};
		read_source(&train->path, &room->headers[i].msg_hdr, generation);
	}
	*trains = room->trains;
	return count;
}

/* The control message that names our source. Returns its length. */
static size_t write_source(struct msghdr *header, const struct path *path)
{
	struct cmsghdr *c = header->msg_control;

	if (path->remote.sa.sa_family == AF_INET) {
		struct in_pktinfo info = {.ipi_ifindex = (int)path->ifindex,
					  .ipi_spec_dst = path->source.in4};
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	struct in6_pktinfo info = {.ipi6_ifindex = path->ifindex, .ipi6_addr = path->source.in6};
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

static int send_one(int fd, struct msghdr *header)
{
	return sendmsg(fd, header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The source address or its interface went away, and the notice of it is still on the way. */
static bool source_failed(int err)
{
	return err == -EINVAL || err == -ENETUNREACH || err == -EHOSTUNREACH ||
	       err == -EADDRNOTAVAIL || err == -ENODEV || err == -ENETDOWN;
}

int udp_send(const struct udp *udp, const struct udp_train *train, uint32_t generation)
{
	_Alignas(struct cmsghdr) uint8_t control[128] = {0};
	union sockaddr_ip remote = train->path.remote;
	int fd = remote.sa.sa_family == AF_INET ? udp->fd4 : udp->fd6;
	struct iovec vector;
	struct msghdr header = {
		.msg_name = &remote,
		.msg_namelen = endpoint_len(&remote),
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};
	int err = 0;

	if (fd < 0)
		return -EAFNOSUPPORT;
	if (generation && train->path.generation == generation) {
		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		header.msg_controllen = write_source(&header, &train->path);
	}
	for (size_t at = 0; at < train->len && !err; at += train->stride) {
		size_t left = train->len - at;
		vector = (struct iovec){train->bytes + at,
					left < train->stride ? left : train->stride};
		err = send_one(fd, &header);
		if (header.msg_controllen && source_failed(err)) {
			header.msg_control = NULL;
			header.msg_controllen = 0;
			err = send_one(fd, &header);
		}
	}
	return err;
}
