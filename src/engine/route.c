/* SPDX-License-Identifier: MIT
 * The route of the day: one question and one answer over a netlink socket of its own, as the news
 * of netwatch must not mix with the answer. */
#include "engine/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#define READS_MAX 8 /* for an answer, among those to questions that were given up */

struct answer {
	uint32_t question; /* the sequence number of what was asked */
	uint32_t ifindex;  /* ROUTE_UNKNOWN: nothing has come yet */
};

static int see_route(struct nl_msg *message, void *arg)
{
	struct nlattr *attributes[RTA_MAX + 1];
	struct nlmsghdr *header = nlmsg_hdr(message);
	struct answer *answer = arg;

	if (header->nlmsg_seq != answer->question || header->nlmsg_type != RTM_NEWROUTE)
		return NL_OK;
	answer->ifindex = 0;
	if (!nlmsg_parse(header, sizeof(struct rtmsg), attributes, RTA_MAX, NULL) &&
	    attributes[RTA_OIF])
		answer->ifindex = nla_get_u32(attributes[RTA_OIF]);
	return NL_OK;
}

/* There is no route; or no memory to say which, which tells nothing. */
static int see_error(struct sockaddr_nl *from, struct nlmsgerr *error, void *arg)
{
	struct answer *answer = arg;

	(void)from;
	if (error->msg.nlmsg_seq == answer->question && error->error != -ENOMEM &&
	    error->error != -ENOBUFS)
		answer->ifindex = 0;
	return NL_SKIP;
}

static struct nl_msg *question(const struct path *path, uint32_t fwmark)
{
	bool v4 = path->remote.sa.sa_family == AF_INET;
	unsigned char bits = v4 ? 32 : 128;
	size_t len = bits / 8;
	const void *remote = v4 ? (const void *)&path->remote.in4.sin_addr
				: (const void *)&path->remote.in6.sin6_addr;
	struct rtmsg header = {
		.rtm_family = (unsigned char)path->remote.sa.sa_family,
		.rtm_dst_len = bits,
		.rtm_src_len = bits,
	};
	struct nl_msg *message = nlmsg_alloc_simple(RTM_GETROUTE, 0);

	if (!message)
		return NULL;
	if (nlmsg_append(message, &header, sizeof(header), NLMSG_ALIGNTO) ||
	    nla_put(message, RTA_DST, (int)len, remote) ||
	    nla_put(message, RTA_SRC, (int)len, &path->source) ||
	    nla_put_u32(message, RTA_MARK, fwmark) ||
	    (!v4 && path->remote.in6.sin6_scope_id &&
	     nla_put_u32(message, RTA_OIF, path->remote.in6.sin6_scope_id))) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

struct nl_sock *route_open(void)
{
	struct nl_sock *socket = nl_socket_alloc();

	if (!socket)
		return NULL;
	nl_socket_disable_auto_ack(socket);
	if (nl_connect(socket, NETLINK_ROUTE) || nl_socket_set_nonblocking(socket)) {
		nl_socket_free(socket);
		return NULL;
	}
	return socket;
}

void route_close(struct nl_sock *socket)
{
	nl_socket_free(socket);
}

uint32_t route_interface(struct nl_sock *socket, const struct path *path, uint32_t fwmark)
{
	struct answer answer = {.ifindex = ROUTE_UNKNOWN};
	struct nl_msg *message = socket ? question(path, fwmark) : NULL;
	int err = 0;

	if (!message ||
	    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, see_route, &answer) ||
	    nl_socket_modify_err_cb(socket, NL_CB_CUSTOM, see_error, &answer) ||
	    nl_send_auto(socket, message) < 0)
		goto out;
	answer.question = nlmsg_hdr(message)->nlmsg_seq;
	/* The kernel answers within the call that asks. What is not there by now it had no room
	 * for, and it is in vain to wait. */
	for (unsigned i = 0; i < READS_MAX && !err && answer.ifindex == ROUTE_UNKNOWN; ++i)
		err = nl_recvmsgs_default(socket);
out:
	nlmsg_free(message);
	return answer.ifindex;
}
