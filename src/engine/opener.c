/* SPDX-License-Identifier: MIT
 * The opener and its wire: one message there, one back, sockets beside them (SCM_RIGHTS). */
#include "engine/opener.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "engine/sandbox.h"
#include "engine/tun.h"
#include "engine/udp.h"

#define SOCKETS_MAX (2 * TUN_QUEUES_MAX)
#define START_TIMEOUT 5000 /* milliseconds */

enum wish {
	WISH_OPEN,
	WISH_MARK,
	WISH_REMOVE,
};

struct message {
	int32_t what; /* enum wish; in the answer 0 or -errno */
	uint32_t fwmark;
	uint32_t present; /* which sockets come along, in their order: bit 2i is udp[i].fd4, 2i+1
			     is udp[i].fd6 */
	uint16_t port;
};

_Static_assert(SOCKETS_MAX <= 32, "a bit for each socket");

/* What sendmsg() and recvmsg() want: a message and the room for its sockets. */
struct parcel {
	struct msghdr header;
	struct iovec vector;
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(SOCKETS_MAX * sizeof(int))];
};

static void wrap(struct parcel *parcel, struct message *message)
{
	memset(parcel, 0, sizeof(*parcel));
	parcel->vector = (struct iovec){message, sizeof(*message)};
	parcel->header.msg_iov = &parcel->vector;
	parcel->header.msg_iovlen = 1;
	parcel->header.msg_control = parcel->control;
	parcel->header.msg_controllen = sizeof(parcel->control);
}

static int *slot(struct udp *udp, unsigned i)
{
	return i % 2 ? &udp[i / 2].fd6 : &udp[i / 2].fd4;
}

static void close_all(struct udp *udp, unsigned count)
{
	for (unsigned i = 0; i < count; ++i)
		udp_close(&udp[i]);
}

/* With those of the sockets that are open; udp: NULL, without any. */
static int send_message(int fd, struct message *message, struct udp *udp, unsigned count)
{
	struct parcel parcel;
	int fds[SOCKETS_MAX];
	size_t sockets = 0;

	message->present = 0;
	for (unsigned i = 0; udp && i < 2 * count; ++i) {
		if (*slot(udp, i) < 0)
			continue;
		message->present |= UINT32_C(1) << i;
		fds[sockets++] = *slot(udp, i);
	}
	wrap(&parcel, message);
	parcel.header.msg_controllen = sockets ? CMSG_SPACE(sockets * sizeof(int)) : 0;
	struct cmsghdr *c = CMSG_FIRSTHDR(&parcel.header);
	if (c) { /* else there are no sockets */
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sockets * sizeof(int));
		memcpy(CMSG_DATA(c), fds, sockets * sizeof(int));
	}
	return TEMP_FAILURE_RETRY(sendmsg(fd, &parcel.header, MSG_NOSIGNAL)) < 0 ? -errno : 0;
}

/* Puts the descriptors that came into fds. Their number. */
static size_t unwrap(struct msghdr *header, int fds[SOCKETS_MAX])
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(header);

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	size_t len = c->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(c), len);
	return len / sizeof(int);
}

/* 0 with the message and all of udp filled, or -errno and udp closed. */
static int receive_message(int fd, struct message *message, struct udp *udp, unsigned count)
{
	struct parcel parcel;
	int fds[SOCKETS_MAX];
	size_t taken = 0;

	for (unsigned i = 0; i < count; ++i)
		udp[i] = (struct udp){.fd4 = -1, .fd6 = -1};
	wrap(&parcel, message);
	ssize_t len = TEMP_FAILURE_RETRY(recvmsg(fd, &parcel.header, MSG_CMSG_CLOEXEC));
	if (len < 0)
		return -errno;
	size_t sockets = unwrap(&parcel.header, fds);
	for (unsigned i = 0; i < 2 * count && taken < sockets; ++i)
		if (len == sizeof(*message) && message->present & UINT32_C(1) << i)
			*slot(udp, i) = fds[taken++];
	if (len == sizeof(*message) && taken == sockets &&
	    !(parcel.header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return 0;
	while (taken < sockets)
		close(fds[taken++]);
	close_all(udp, count);
	/* Those that found no room here went away. */
	if (parcel.header.msg_flags & MSG_CTRUNC)
		return -EMFILE;
	return len ? -EPROTO : -EPIPE;
}

/* The process's part. */

static int set_fwmark(struct udp *udp, unsigned count, uint32_t fwmark)
{
	int err = 0;

	for (unsigned i = 0; i < count && !err; ++i)
		err = udp_set_fwmark(&udp[i], fwmark);
	return err;
}

/* Neither end keeps sockets of the other: those that came are closed before the answer, those that
 * go after it. */
static int answer(int fd, struct message *message, struct udp *udp, unsigned count,
		  const char *path)
{
	int err = -EINVAL;

	switch ((enum wish)message->what) {
	case WISH_OPEN:
		close_all(udp, count);
		message->what = udp_open(udp, count, message->port, message->fwmark);
		message->port = udp[0].port;
		err = send_message(fd, message, message->what ? NULL : udp, count);
		break;
	case WISH_MARK:
		message->what = set_fwmark(udp, count, message->fwmark);
		close_all(udp, count);
		return send_message(fd, message, NULL, 0);
	case WISH_REMOVE:
		message->what = unlink(path) ? -errno : 0;
		err = send_message(fd, message, NULL, 0);
		break;
	}
	close_all(udp, count);
	return err;
}

/* Serves the engine, until it has ended or says something that no engine says. */
_Noreturn static void run(int fd, unsigned count, const char *path)
{
	struct udp udp[TUN_QUEUES_MAX];
	struct message message = {0};

	/* Here we are. */
	(void)send_message(fd, &message, NULL, 0);
	while (!receive_message(fd, &message, udp, count) &&
	       !answer(fd, &message, udp, count, path))
		continue;
	_exit(EXIT_SUCCESS);
}

/* Leaves everything behind that the engine has open. Its end of the wire becomes number 3. */
static void leave(int fd, int null)
{
	for (int i = 0; i < 3; ++i)
		dup2(null, i);
	if (fd != 3)
		dup2(fd, 3);
	closefrom(4);
}

_Noreturn static void begin(int fd, unsigned count, const char *path, int null, pid_t engine)
{
	char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char *slash;

	prctl(PR_SET_NAME, "wgengine-opener");
	/* The end of the wire says it too, but not to a libseccomp that runs in circles when there
	 * is no memory. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != engine)
		_exit(EXIT_FAILURE);
	leave(fd, null);
	(void)!chdir("/");
	snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (slash)
		*slash = '\0';
	sandbox_limit_opener(slash ? directory : NULL);
	run(3, count, path);
}

/* The engine's part. */

int opener_start(struct opener *opener, unsigned count, const char *path, int null)
{
	struct message ready;
	struct udp none[TUN_QUEUES_MAX];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	pid_t engine = getpid(), child = fork();
	if (child < 0) {
		int err = -errno;
		close(ends[0]);
		close(ends[1]);
		return err;
	}
	if (!child)
		begin(ends[1], count, path, null, engine);
	close(ends[1]);
	*opener = (struct opener){ends[0], count};
	/* Its limits, made without memory, may leave it nothing, or never be done: better now than
	 * later. */
	struct pollfd wait = {.fd = ends[0], .events = POLLIN};
	int err = TEMP_FAILURE_RETRY(poll(&wait, 1, START_TIMEOUT)) == 1
			  ? receive_message(ends[0], &ready, none, count)
			  : -ETIMEDOUT;
	if (err)
		opener_close(opener);
	return err == -EPIPE || err == -ECONNRESET ? -ECHILD : err;
}

void opener_close(struct opener *opener)
{
	close(opener->fd);
}

/* Exchanges the message for the answer, and udp for the sockets that come with it. */
static int ask(const struct opener *opener, struct message *message, struct udp *with,
	       struct udp *udp)
{
	int err = send_message(opener->fd, message, with, opener->count);

	if (!err)
		err = receive_message(opener->fd, message, udp, opener->count);
	return err ? err : message->what;
}

int opener_open(const struct opener *opener, struct udp *udp, uint16_t port, uint32_t fwmark)
{
	struct message message = {.what = WISH_OPEN, .port = port, .fwmark = fwmark};
	int err = ask(opener, &message, NULL, udp);

	for (unsigned i = 0; i < opener->count && !err; ++i) {
		udp[i].port = message.port;
		udp[i].fwmark = fwmark;
	}
	return err;
}

int opener_set_fwmark(const struct opener *opener, struct udp *udp, uint32_t fwmark)
{
	struct message message = {.what = WISH_MARK, .fwmark = fwmark};
	struct udp none[TUN_QUEUES_MAX];

	return ask(opener, &message, udp, none);
}

int opener_remove(const struct opener *opener)
{
	struct message message = {.what = WISH_REMOVE};
	struct udp none[TUN_QUEUES_MAX];

	return ask(opener, &message, NULL, none);
}
