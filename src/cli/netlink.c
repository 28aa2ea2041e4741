/* SPDX-License-Identifier: MIT
 * Owns a netlink socket. libnl builds the messages; what comes is read here, because libnl's own
 * calls lose the kernel's errno and its words (rtnetlink(7), "extended ack"), wait forever, and
 * leave the keys of a reply in memory that they free. */
#include "cli/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sodium.h>
#include "conf/error.h"

#define REPLY_TIMEOUT 10     /* seconds */
#define REPLY_SIZE_MAX 65536 /* bytes of one datagram; the kernel lists in at most half of it */

struct netlink {
	struct nl_sock *socket;
	char replies[REPLY_SIZE_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

struct exchange {
	uint32_t number; /* of the request; its replies carry it too */
	bool done;
	bool interrupted; /* what was listed changed meanwhile */
	int err;          /* 0 or -errno */
	char words[128];  /* the kernel's own, or "" */
	void (*each)(struct nlmsghdr *reply, void *arg);
	void *arg;
};

/* An acknowledgement (error 0) or an error. */
static void read_error(struct exchange *exchange, struct nlmsghdr *header)
{
	const struct nlmsgerr *error = nlmsg_data(header);
	int skip = sizeof(*error);
	struct nlattr *words;

	exchange->done = true;
	if (nlmsg_datalen(header) < skip) {
		exchange->err = -EPROTO;
		return;
	}
	exchange->err = error->error;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += (int)(NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN);
	if (!error->error || !(header->nlmsg_flags & NLM_F_ACK_TLVS) ||
	    nlmsg_datalen(header) <= skip)
		return;
	words = nlmsg_find_attr(header, skip, NLMSGERR_ATTR_MSG);
	if (words)
		nla_strlcpy(exchange->words, words, sizeof(exchange->words));
}

/* The end of a list carries 0 or a negative errno. */
static void read_end(struct exchange *exchange, struct nlmsghdr *header)
{
	int code = 0;

	exchange->done = true;
	if (nlmsg_datalen(header) >= (int)sizeof(code))
		memcpy(&code, nlmsg_data(header), sizeof(code));
	if (code < 0)
		exchange->err = code;
}

static void read_replies(struct exchange *exchange, char *data, int len)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)data;

	for (; nlmsg_ok(header, len) && !exchange->done; header = nlmsg_next(header, &len)) {
		if (header->nlmsg_seq != exchange->number)
			continue; /* of a request that was given up */
		if (header->nlmsg_flags & NLM_F_DUMP_INTR)
			exchange->interrupted = true;
		if (header->nlmsg_type == NLMSG_ERROR)
			read_error(exchange, header);
		else if (header->nlmsg_type == NLMSG_DONE)
			read_end(exchange, header);
		else if (header->nlmsg_type >= NLMSG_MIN_TYPE && exchange->each)
			exchange->each(header, exchange->arg);
	}
}

/* Reads one datagram. 0 or -errno. */
static int receive(struct netlink *netlink, struct exchange *exchange)
{
	struct sockaddr_nl from = {0};
	socklen_t from_len = sizeof(from);
	ssize_t got = recvfrom(nl_socket_get_fd(netlink->socket), netlink->replies, REPLY_SIZE_MAX,
			       MSG_TRUNC, (struct sockaddr *)&from, &from_len);

	if (got < 0 && errno == EINTR)
		return 0;
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (got > REPLY_SIZE_MAX)
		return -EMSGSIZE;
	if (!from.nl_pid) /* the kernel's; any process may send to the socket */
		read_replies(exchange, netlink->replies, (int)got);
	sodium_memzero(netlink->replies, (size_t)got);
	return 0;
}

/* After an error no acknowledgement follows, so each of them ends it. */
static int exchange_all(struct netlink *netlink, struct nl_msg *msg, struct exchange *exchange)
{
	int err = 0;

	errno = 0; /* only sendmsg fails in there: libnl allocates nothing for that */
	if (nl_send_auto(netlink->socket, msg) < 0)
		return errno ? -errno : -EIO;
	exchange->number = nlmsg_hdr(msg)->nlmsg_seq;
	while (!err && !exchange->done)
		err = receive(netlink, exchange);
	if (!err)
		err = exchange->err;
	return !err && exchange->interrupted ? -EAGAIN : err;
}

/* Frees a message, which may hold keys. */
static void discard(struct nl_msg *msg)
{
	if (msg)
		sodium_memzero(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
}

int netlink_request(struct netlink *netlink, struct nl_msg *msg,
		    void (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		    struct conf_error *error)
{
	struct exchange exchange = {.each = each, .arg = arg};
	int err = msg ? exchange_all(netlink, msg, &exchange) : -ENOMEM;

	discard(msg);
	if (err && exchange.words[0])
		return conf_error_set(error, -err, 0, 0, "%s (%s)", strerror(-err), exchange.words);
	if (err)
		return conf_error_set(error, -err, 0, 0, "%s", strerror(-err));
	return 0;
}

struct nl_msg *netlink_message(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_size(NETLINK_ROOM);

	if (!msg)
		return NULL;
	if (!nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags) ||
	    nlmsg_append(msg, (void *)(uintptr_t)header, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

void netlink_put(struct nl_msg **msg, int type, const void *data, size_t len)
{
	if (*msg && nla_put(*msg, type, (int)len, data) < 0) {
		discard(*msg);
		*msg = NULL;
	}
}

void netlink_put_number(struct nl_msg **msg, int type, uint32_t number)
{
	netlink_put(msg, type, &number, sizeof(number));
}

int netlink_open(struct netlink **netlink, int protocol)
{
	const struct timeval limit = {.tv_sec = REPLY_TIMEOUT};
	const int on = 1;
	int fd;

	*netlink = calloc(1, sizeof(**netlink));
	if (!*netlink)
		return -ENOMEM;
	(*netlink)->socket = nl_socket_alloc();
	errno = 0;
	if (!(*netlink)->socket || nl_connect((*netlink)->socket, protocol) < 0) {
		int err = errno ? -errno : -ENOMEM;

		netlink_close(*netlink);
		*netlink = NULL;
		return err;
	}
	fd = nl_socket_get_fd((*netlink)->socket);
	/* Old kernels lack some of these; the requests work without. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	nl_socket_free(netlink->socket);
	free(netlink);
}
