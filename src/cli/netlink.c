/* SPDX-License-Identifier: MIT
 * Owns the rtnetlink socket. Every request is exchanged by one function, because libnl's own calls
 * lose the kernel's errno and its words (rtnetlink(7), "extended ack"). */
#include "cli/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "conf/error.h"

#define REPLY_TIMEOUT 10 /* seconds */

struct exchange {
	bool done;
	int err;                                         /* 0 or -errno */
	char words[128];                                 /* the kernel's own, or "" */
	void (*each)(struct nlmsghdr *reply, void *arg); /* NULL: replies are passed over */
	void *arg;
};

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;

	if (exchange->each)
		exchange->each(nlmsg_hdr(msg), exchange->arg);
	return NL_OK;
}

/* libnl counts answers and would refuse all after one that never was read; drain() sees to it that
 * what comes answers the request. */
static int on_sequence(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *exchange = arg;

	(void)msg;
	exchange->done = true;
	return NL_STOP;
}

/* The end of a dump carries 0 or a negative errno. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct exchange *exchange = arg;
	int code = 0;

	if (nlmsg_datalen(header) >= (int)sizeof(code))
		memcpy(&code, nlmsg_data(header), sizeof(code));
	if (code < 0)
		exchange->err = code;
	exchange->done = true;
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct nlmsghdr *header = (struct nlmsghdr *)((char *)error - NLMSG_HDRLEN);
	struct exchange *exchange = arg;
	int skip = sizeof(*error);

	(void)from;
	exchange->done = true;
	exchange->err = error->error;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += (int)(NLMSG_ALIGN(error->msg.nlmsg_len) - NLMSG_HDRLEN);
	if ((header->nlmsg_flags & NLM_F_ACK_TLVS) && nlmsg_datalen(header) > skip) {
		struct nlattr *words = nlmsg_find_attr(header, skip, NLMSGERR_ATTR_MSG);

		if (words)
			nla_strlcpy(exchange->words, words, sizeof(exchange->words));
	}
	return NL_STOP;
}

/* What a request that was given up still brought, for lack of memory say, answers no other. */
static void drain(struct nl_sock *socket)
{
	char rest[256];

	while (recv(nl_socket_get_fd(socket), rest, sizeof(rest), MSG_DONTWAIT) >= 0)
		;
}

static int receive_error(int code)
{
	switch (code) {
	case -NLE_AGAIN:
		return -ETIMEDOUT;
	case -NLE_NOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/* Sends msg and reads what it brings, to the end. After an error no ACK follows, so each of
 * them ends it. */
static int exchange_once(struct nl_sock *socket, struct nl_msg *msg, struct exchange *exchange)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, exchange);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, NULL);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, exchange);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, exchange);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, exchange);
	drain(socket);
	errno = 0;
	ret = nl_send_auto(socket, msg);
	if (ret < 0)
		exchange->err = errno ? -errno : receive_error(ret);
	while (ret >= 0 && !exchange->done) {
		ret = nl_recvmsgs(socket, cb);
		if (ret < 0 && !exchange->done)
			exchange->err = receive_error(ret);
	}
	if (ret == -NLE_DUMP_INTR && !exchange->err)
		exchange->err = -EAGAIN;
	nl_cb_put(cb);
	return exchange->err;
}

int netlink_request(struct nl_sock *socket, struct nl_msg *msg,
		    void (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		    struct conf_error *error)
{
	struct exchange exchange = {.each = each, .arg = arg};
	int err = msg ? exchange_once(socket, msg, &exchange) : -ENOMEM;

	nlmsg_free(msg);
	if (err && exchange.words[0])
		return conf_error_set(error, -err, 0, 0, "%s (%s)", strerror(-err), exchange.words);
	if (err)
		return conf_error_set(error, -err, 0, 0, "%s", strerror(-err));
	return 0;
}

struct nl_msg *netlink_message(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)(uintptr_t)header, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

void netlink_put(struct nl_msg **msg, int type, const void *data, size_t len)
{
	if (*msg && nla_put(*msg, type, (int)len, data) < 0) {
		nlmsg_free(*msg);
		*msg = NULL;
	}
}

void netlink_put_number(struct nl_msg **msg, int type, uint32_t number)
{
	netlink_put(msg, type, &number, sizeof(number));
}

int netlink_open(struct nl_sock **opened)
{
	const struct timeval limit = {.tv_sec = REPLY_TIMEOUT};
	struct nl_sock *socket = nl_socket_alloc();
	const int on = 1;
	int fd;

	if (!socket)
		return -ENOMEM;
	errno = 0;
	if (nl_connect(socket, NETLINK_ROUTE) < 0) {
		int err = errno ? -errno : -ENOMEM;

		nl_socket_free(socket);
		return err;
	}
	fd = nl_socket_get_fd(socket);
	/* Old kernels lack some of these; the requests work without. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	*opened = socket;
	return 0;
}

void netlink_close(struct nl_sock *socket)
{
	nl_socket_free(socket);
}
