/* SPDX-License-Identifier: MIT
 * The UDP sockets. */
#include "engine/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
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
	struct udp_room *room = malloc(sizeof(*room));

	for (unsigned i = 0; room && i < UDP_BATCH; ++i) {
		room->vectors[i] = (struct iovec){room->bytes[i], sizeof(room->bytes[i])};
		room->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &room->names[i],
			.msg_iov = &room->vectors[i],
			.msg_iovlen = 1,
			.msg_control = room->controls[i],
		};
	}
	return room;
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

	/* Trains come in whole where the kernel can (5.0); without, each datagram is a train of
	 * one. */
	(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)))
		return -errno;
	if (family == AF_INET) {
		/* Fragments get through where a packet too big would vanish. */
		if (setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont4, sizeof(dont4)) ||
		    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
		    setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)))
			return -errno;
	} else {
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &dont6, sizeof(dont6)) ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
		    setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on)))
			return -errno;
	}
	return 0;
}

static int bind_port(int fd, int family, uint16_t *port)
{
	union sockaddr_ip addr = {.sa.sa_family = (sa_family_t)family};
	socklen_t len = sizeof(addr);

	if (family == AF_INET)
		addr.in4.sin_port = htons(*port);
	else
		addr.in6.sin6_port = htons(*port);
	if (bind(fd, &addr.sa, endpoint_len(&addr)) || getsockname(fd, &addr.sa, &len))
		return -errno;
	*port = ntohs(family == AF_INET ? addr.in4.sin_port : addr.in6.sin6_port);
	return 0;
}

/* The first of several binds alone, so that it fails when anybody else has the port, and opens it
 * to the others afterwards. */
static int share(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ? -errno : 0;
}

/* *port: what is wanted; 0 is replaced by what was given. *fd is -1 when the machine does not have
 * the family. */
static int open_one(int *fd, int family, uint16_t *port, uint32_t fwmark, bool first, bool shared)
{
	int err = 0;

	*fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
	if (*fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	err = set_options(*fd, family, fwmark);
	if (!err && !first)
		err = share(*fd);
	if (!err)
		err = bind_port(*fd, family, port);
	if (!err && first && shared)
		err = share(*fd);
	if (err) {
		close(*fd);
		*fd = -1;
	}
	/* IPv6 switched off by sysctl: the family is there, but no address of it. */
	return family == AF_INET6 && err == -EADDRNOTAVAIL ? 0 : err;
}

static int open_all(struct udp *udp, unsigned count, uint16_t port, uint32_t fwmark)
{
	int err = 0;

	for (unsigned i = 0; i < count; ++i)
		udp[i] = (struct udp){.fd4 = -1, .fd6 = -1};
	for (unsigned i = 0; i < count && !err; ++i) {
		err = open_one(&udp[i].fd4, AF_INET, &port, fwmark, i == 0, count > 1);
		if (!err)
			err = open_one(&udp[i].fd6, AF_INET6, &port, fwmark, i == 0, count > 1);
		if (!err && udp[i].fd4 < 0 && udp[i].fd6 < 0)
			err = -EAFNOSUPPORT;
		udp[i].port = port;
		udp[i].fwmark = fwmark;
	}
	for (unsigned i = 0; i < count && err; ++i)
		udp_close(&udp[i]);
	return err;
}

int udp_open(struct udp *udp, unsigned count, uint16_t port, uint32_t fwmark)
{
	int err = -EADDRINUSE;

	/* A port that is free for one family may be taken for the other. */
	for (int tries = port ? 1 : PORT_TRIES; tries > 0 && err == -EADDRINUSE; --tries)
		err = open_all(udp, count, port, fwmark);
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

int udp_set_fwmark(struct udp *udp, uint32_t fwmark)
{
	const int fds[] = {udp->fd4, udp->fd6};

	for (unsigned i = 0; i < 2; ++i)
		if (fds[i] >= 0 && setsockopt(fds[i], SOL_SOCKET, SO_MARK, &fwmark, sizeof(fwmark)))
			return -errno;
	udp->fwmark = fwmark;
	return 0;
}

/* What the kernel says of a train: where it came to, its stride, its outer header. */
static void read_controls(struct udp_train *train, struct msghdr *header)
{
	struct path *path = &train->path;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			path->source.in4 = info.ipi_spec_dst;
			path->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			path->source.in6 = info.ipi6_addr;
			path->ifindex = info.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			int stride;
			memcpy(&stride, CMSG_DATA(c), sizeof(stride));
			if (stride > 0)
				train->stride = (size_t)stride;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			memcpy(&train->tos, CMSG_DATA(c), sizeof(train->tos));
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
			int class;
			memcpy(&class, CMSG_DATA(c), sizeof(class));
			train->tos = (uint8_t) class;
		}
	}
}

int udp_receive(int fd, struct udp_room *room, const struct udp_train **trains)
{
	int count;

	for (unsigned i = 0; i < UDP_BATCH; ++i) {
		room->headers[i].msg_hdr.msg_namelen = sizeof(room->names[i]);
		room->headers[i].msg_hdr.msg_controllen = sizeof(room->controls[i]);
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
		read_controls(train, &room->headers[i].msg_hdr);
	}
	*trains = room->trains;
	return count;
}

/* The control messages of one call to sendmsg. */
struct controls {
	size_t len;
	_Alignas(struct cmsghdr) uint8_t bytes[128];
};

static void add_control(struct controls *controls, int level, int type, const void *data,
			size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)(controls->bytes + controls->len);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	controls->len += CMSG_SPACE(len);
}

/* The address alone: with the interface the kernel would send even where a rule forbids the mark.
 */
static void add_source(struct controls *controls, const struct path *path)
{
	if (path->remote.sa.sa_family == AF_INET) {
		struct in_pktinfo info = {.ipi_spec_dst = path->source.in4};
		add_control(controls, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		struct in6_pktinfo info = {.ipi6_addr = path->source.in6};
		add_control(controls, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

static void add_tos(struct controls *controls, const struct udp_train *train)
{
	int tos = train->tos;

	if (train->path.remote.sa.sa_family == AF_INET)
		add_control(controls, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else
		add_control(controls, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

/* One call: the bytes from at on, as datagrams of stride bytes; with the source address, or
 * without. */
static int send_part(int fd, const struct udp_train *train, size_t at, size_t len, bool source)
{
	union sockaddr_ip remote = train->path.remote;
	struct controls controls = {0};
	struct iovec vector = {train->bytes + at, len};
	struct msghdr header = {
		.msg_name = &remote,
		.msg_namelen = endpoint_len(&remote),
		.msg_iov = &vector,
		.msg_iovlen = 1,
	};
	uint16_t stride = (uint16_t)train->stride;

	if (source)
		add_source(&controls, &train->path);
	if (train->tos)
		add_tos(&controls, train);
	if (len > train->stride)
		add_control(&controls, IPPROTO_UDP, UDP_SEGMENT, &stride, sizeof(stride));
	if (controls.len) {
		header.msg_control = controls.bytes;
		header.msg_controllen = controls.len;
	}
	return sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* The source address or its interface went away, and the notice of it is still on the way. */
static bool source_failed(int err)
{
	return err == -EINVAL || err == -ENETUNREACH || err == -EHOSTUNREACH ||
	       err == -EADDRNOTAVAIL || err == -ENODEV || err == -ENETDOWN;
}

/* The train cannot be split on its way: the device has no checksum offload (EIO), the route's MTU
 * is smaller than a datagram (EINVAL, EMSGSIZE), or the kernel does not know UDP_SEGMENT. */
static bool split_failed(int err)
{
	return err == -EIO || err == -EINVAL || err == -EMSGSIZE || err == -EOPNOTSUPP;
}

static int send_singly(int fd, const struct udp_train *train, bool source)
{
	int err = 0, last = 0;

	for (size_t at = 0; at < train->len; at += train->stride) {
		size_t left = train->len - at, len = left < train->stride ? left : train->stride;
		err = send_part(fd, train, at, len, source);
		if (source && source_failed(err)) {
			source = false;
			err = send_part(fd, train, at, len, false);
		}
		if (err)
			last = err;
	}
	return last;
}

int udp_send(struct udp *udp, const struct udp_train *train)
{
	int fd = train->path.remote.sa.sa_family == AF_INET ? udp->fd4 : udp->fd6;
	bool source = train->path.ifindex && !train->path.elsewhere;
	int err;

	if (fd < 0)
		return -EAFNOSUPPORT;
	if (train->len <= train->stride ||
	    atomic_load_explicit(&udp->unsplit, memory_order_relaxed))
		return send_singly(fd, train, source);
	err = send_part(fd, train, 0, train->len, source);
	if (!split_failed(err) && !(source && source_failed(err)))
		return err;
	if (err == -EIO)
		atomic_store_explicit(&udp->unsplit, true, memory_order_relaxed);
	return send_singly(fd, train, source);
}
