/* SPDX-License-Identifier: MIT
 * The world of an engine. */
#include "world.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sodium.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "engine/control.h"
#include "engine/inbound.h"
#include "engine/log.h"
#include "engine/opener.h"
#include "engine/outbound.h"
#include "engine/peer.h"
#include "fuzz.h"

#define BOOT (1000 * SECOND) /* what the clock says at first */
#define EPOCH 1700000000     /* seconds since 1970 at that time */
#define FDS_MAX 64
#define SPLIT_MAX 64 /* datagrams of one call: the kernel's UDP_MAX_SEGMENTS */

struct nl_sock;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_socket(int family, int type, int protocol);
int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout);
struct nl_sock *__wrap_route_open(void);
uint32_t __wrap_route_interface(struct nl_sock *socket, const struct path *path, uint32_t fwmark);
int __wrap_opener_open(const struct opener *opener, struct udp *udp, uint16_t port,
		       uint32_t fwmark);
int __wrap_opener_set_fwmark(const struct opener *opener, struct udp *udp, uint32_t fwmark);

int __real_socket(int family, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *addr, socklen_t len);
int __real_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

struct world world;

struct train {
	uint8_t *bytes;
	size_t len, stride;
	uint8_t tos, to;
	union sockaddr_ip from;
};

static struct train trains[UDP_BATCH];
static unsigned train_count;
static uint64_t random_seed;
/* The UDP sockets that are open: family and port. */
static struct {
	int family;
	uint16_t port;
} sockets[FDS_MAX];

/* SplitMix64 */
static uint32_t random_number(void)
{
	uint64_t z = random_seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z ^ z >> 31);
}

static void random_bytes(void *bytes, size_t len)
{
	for (size_t i = 0; i < len; ++i)
		((uint8_t *)bytes)[i] = (uint8_t)random_number();
}

static const char *random_name(void)
{
	return "world";
}

static struct randombytes_implementation source = {
	.implementation_name = random_name,
	.random = random_number,
	.buf = random_bytes,
};

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	now->tv_sec = (time_t)(world.now / SECOND);
	now->tv_nsec = (long)(world.now % SECOND);
	if (clock == CLOCK_REALTIME)
		now->tv_sec += EPOCH - BOOT / SECOND;
	return 0;
}

static bool is_ours(int fd)
{
	return fd >= 0 && fd < FDS_MAX && sockets[fd].family;
}

int __wrap_socket(int family, int type, int protocol)
{
	if (family != AF_INET && family != AF_INET6)
		return __real_socket(family, type, protocol);
	int fd = eventfd(0, EFD_CLOEXEC);
	CHECK(fd >= 0 && fd < FDS_MAX);
	sockets[fd].family = family;
	sockets[fd].port = 0;
	return fd;
}

int __wrap_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	const union sockaddr_ip *ip = (const union sockaddr_ip *)(const void *)addr;

	if (addr->sa_family == AF_UNIX)
		return __real_bind(fd, addr, len);
	CHECK(is_ours(fd) && sockets[fd].family == addr->sa_family);
	uint16_t port = ntohs(addr->sa_family == AF_INET ? ip->in4.sin_port : ip->in6.sin6_port);
	if (port == WORLD_PORT_TAKEN) {
		errno = EADDRINUSE;
		return -1;
	}
	sockets[fd].port = port ? port : WORLD_PORT;
	return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	union sockaddr_ip *ip = (union sockaddr_ip *)(void *)addr;

	if (!is_ours(fd))
		return __real_getsockname(fd, addr, len);
	memset(ip, 0, sizeof(*ip));
	addr->sa_family = (sa_family_t)sockets[fd].family;
	if (addr->sa_family == AF_INET)
		ip->in4.sin_port = htons(sockets[fd].port);
	else
		ip->in6.sin6_port = htons(sockets[fd].port);
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	return is_ours(fd) ? 0 : __real_setsockopt(fd, level, name, value, len);
}

struct nl_sock *__wrap_route_open(void)
{
	return NULL;
}

uint32_t __wrap_route_interface(struct nl_sock *socket, const struct path *path, uint32_t fwmark)
{
	(void)socket, (void)fwmark;
	CHECK(path->ifindex);
	return world.interface;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct iovec *iov = message->msg_iov;
	struct world_datagram datagram = {.bytes = iov->iov_base};
	size_t left = iov->iov_len;
	uint16_t stride = 0;
	int tos;

	(void)flags;
	CHECK(is_ours(fd) && message->msg_iovlen == 1 && left);
	CHECK(message->msg_namelen <= sizeof(datagram.to));
	memcpy(&datagram.to, message->msg_name, message->msg_namelen);
	CHECK(datagram.to.sa.sa_family == sockets[fd].family);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
	     c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, c)) {
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT)
			memcpy(&stride, CMSG_DATA(c), sizeof(stride));
		if (c->cmsg_type == IP_TOS && c->cmsg_level == IPPROTO_IP)
			memcpy(&tos, CMSG_DATA(c), sizeof(tos)), datagram.tos = (uint8_t)tos;
	}
	errno = world.send_error;
	world.send_error = 0;
	if (errno)
		return -1;
	CHECK(left <= 65507 && (!stride || left <= stride * SPLIT_MAX));
	for (; left; datagram.bytes += datagram.len, left -= datagram.len) {
		datagram.len = stride && stride < left ? stride : left;
		if (world.sent)
			world.sent(&datagram);
	}
	return (ssize_t)iov->iov_len;
}

static void add_control(struct msghdr *header, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c =
		(struct cmsghdr *)(void *)((uint8_t *)header->msg_control + header->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	header->msg_controllen += CMSG_SPACE(len);
}

static void fill(struct msghdr *header, const struct train *train)
{
	struct in_pktinfo info4 = {.ipi_spec_dst.s_addr = htonl(0x0a090000u | train->to)};
	struct in6_pktinfo info6 = {.ipi6_addr.s6_addr = {0xfd, [15] = train->to}};
	int stride = (int)train->stride, class = train->tos;

	info4.ipi_ifindex = train->to % 3;
	info6.ipi6_ifindex = train->to % 3u;
	CHECK(header->msg_iov->iov_len >= train->len);
	if (train->len)
		memcpy(header->msg_iov->iov_base, train->bytes, train->len);
	memcpy(header->msg_name, &train->from, header->msg_namelen);
	header->msg_namelen = endpoint_len(&train->from);
	header->msg_controllen = 0;
	if (train->from.sa.sa_family == AF_INET) {
		add_control(header, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
		add_control(header, IPPROTO_IP, IP_TOS, &train->tos, sizeof(train->tos));
	} else {
		add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
		add_control(header, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class));
	}
	if (train->len > train->stride)
		add_control(header, IPPROTO_UDP, UDP_GRO, &stride, sizeof(stride));
}

int __wrap_recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
		    struct timespec *timeout)
{
	unsigned taken = 0;

	(void)flags, (void)timeout;
	CHECK(is_ours(fd) && count <= UDP_BATCH);
	for (unsigned i = 0; i < train_count; ++i) {
		struct train *train = &trains[i];
		if (!train->bytes || train->from.sa.sa_family != sockets[fd].family)
			continue;
		fill(&messages[taken].msg_hdr, train);
		messages[taken++].msg_len = (unsigned)train->len;
		free(train->bytes);
		train->bytes = NULL;
	}
	errno = EAGAIN;
	return taken ? (int)taken : -1;
}

/* The opener is no process of its own here. */
int __wrap_opener_open(const struct opener *opener, struct udp *udp, uint16_t port, uint32_t fwmark)
{
	return udp_open(udp, opener->count, port, fwmark);
}

int __wrap_opener_set_fwmark(const struct opener *opener, struct udp *udp, uint32_t fwmark)
{
	int err = 0;

	for (unsigned i = 0; i < opener->count && !err; ++i)
		err = udp_set_fwmark(&udp[i], fwmark);
	return err;
}

static void start(void)
{
	static const struct opener opener = {.fd = -1, .count = 1};
	int pair[2], size = 4 << 20;

	randombytes_set_implementation(&source);
	CHECK(sodium_init() >= 0);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair));
	for (unsigned i = 0; i < 2; ++i)
		CHECK(!setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
	struct tun tun = {
		.fd = pair[0], .name = "wg0", .headers = true, .join_tcp = true, .join_udp = true};
	world.tun = pair[1];
	CHECK(!engine_init(&world.engine, &opener, &tun, 1));
	device_free(&world.engine.device);
}

static void set_time(uint64_t now)
{
	world.now = now;
	world.engine.lane.now = world.engine.workers[0].lane.now = now;
}

void world_begin(bool up)
{
	static bool started;

	if (!started)
		start();
	started = true;
	random_seed = 1;
	set_time(BOOT);
	world.send_error = 0;
	world.interface = 1;
	world.sent = NULL;
	world.engine.lane.answered = world.engine.workers[0].lane.answered = 0;
	world.engine.listen_port = 0;
	world.engine.fwmark = 0;
	world.engine.workers[0].udp = (struct udp){.fd4 = -1, .fd6 = -1};
	CHECK(!device_init(&world.engine.device));
	clockfile_init(&world.engine.clock);
	world.engine.device.clock = &world.engine.clock;
	CHECK(!engine_set_up(&world.engine, up));
}

void world_end(void)
{
	char packet[64];

	world_take_packets();
	engine_set_up(&world.engine, false);
	device_free(&world.engine.device);
	memset(sockets, 0, sizeof(sockets));
	for (unsigned i = 0; i < train_count; ++i)
		free(trains[i].bytes);
	train_count = 0;
	while (recv(world.tun, packet, sizeof(packet), MSG_DONTWAIT) >= 0)
		;
}

bool world_queue(const uint8_t *bytes, size_t len, size_t stride, uint8_t tos,
		 const union sockaddr_ip *from, uint8_t to)
{
	if (train_count == UDP_BATCH)
		return false;
	trains[train_count++] = (struct train){
		.bytes = exact(bytes, len),
		.len = len,
		.stride = stride,
		.tos = tos,
		.to = to,
		.from = *from,
	};
	return true;
}

void world_receive(void)
{
	struct worker *worker = &world.engine.workers[0];

	pthread_rwlock_rdlock(&world.engine.device.tables);
	if (worker->udp.fd4 >= 0)
		inbound_read(&worker->lane, worker->udp.fd4, worker->room);
	if (worker->udp.fd6 >= 0)
		inbound_read(&worker->lane, worker->udp.fd6, worker->room);
	pthread_rwlock_unlock(&world.engine.device.tables);
	for (unsigned i = 0; i < train_count; ++i)
		free(trains[i].bytes);
	train_count = 0;
}

void world_take_packets(void)
{
	const struct worker *worker = &world.engine.workers[0];
	uint8_t byte;

	/* It takes only so many at once. */
	while (recv(worker->tun.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) > 0) {
		pthread_rwlock_rdlock(&world.engine.device.tables);
		CHECK(!outbound_read(&world.engine.workers[0].lane));
		pthread_rwlock_unlock(&world.engine.device.tables);
	}
}

uint64_t world_control(void)
{
	uint64_t next;

	/* 0: there is more. A bound, since it must not go on for ever. */
	for (unsigned turns = 0; !(next = control_work(&world.engine.lane)); ++turns)
		CHECK(turns < 2 * DEVICE_QUEUE_MAX);
	CHECK(next > world.now);
	return next;
}

void world_advance(uint64_t nanoseconds)
{
	set_time(world.now + nanoseconds);
}
