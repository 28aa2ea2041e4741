/* SPDX-License-Identifier: MIT
 * rtnetlink news. libnl-3 alone: the objects of libnl-route would cost more memory than the engine
 * itself. */
#include "engine/netwatch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#define READS_AT_ONCE 64

static void see_link(struct netwatch *watch, struct nlmsghdr *header)
{
	struct ifinfomsg *info = nlmsg_data(header);
	struct nlattr *attributes[IFLA_MAX + 1];

	if (!nlmsg_valid_hdr(header, sizeof(*info)) || (unsigned)info->ifi_index != watch->ifindex)
		return;
	if (header->nlmsg_type == RTM_DELLINK) {
		watch->link_gone = true;
		return;
	}
	watch->link_seen = true;
	watch->up = info->ifi_flags & IFF_UP;
	watch->went_down |= !watch->up;
	if (!nlmsg_parse(header, sizeof(*info), attributes, IFLA_MAX, NULL) && attributes[IFLA_MTU])
		watch->mtu = nla_get_u32(attributes[IFLA_MTU]);
}

static int see_message(struct nl_msg *message, void *arg)
{
	struct netwatch *watch = arg;
	struct nlmsghdr *header = nlmsg_hdr(message);

	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		see_link(watch, header);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWRULE:
	case RTM_DELRULE:
		watch->routes_seen = true;
		break;
	}
	return NL_OK;
}

/* For the present state of the interface. Takes no memory, as it is also what helps after memory
 * was short. */
static int ask(const struct netwatch *watch)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
	} request = {
		.header = {.nlmsg_len = sizeof(request),
			   .nlmsg_type = RTM_GETLINK,
			   .nlmsg_flags = NLM_F_REQUEST},
		.info.ifi_index = (int)watch->ifindex,
	};

	return send(netwatch_fd(watch), &request, sizeof(request), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int netwatch_open(struct netwatch *watch, unsigned ifindex)
{
	*watch = (struct netwatch){.ifindex = ifindex, .socket = nl_socket_alloc()};
	if (!watch->socket)
		return -ENOMEM;
	nl_socket_disable_seq_check(watch->socket);
	nl_socket_disable_auto_ack(watch->socket);
	if (nl_socket_modify_cb(watch->socket, NL_CB_VALID, NL_CB_CUSTOM, see_message, watch) ||
	    nl_connect(watch->socket, NETLINK_ROUTE) ||
	    nl_socket_add_memberships(watch->socket, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
				      RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, 0) ||
	    nl_socket_set_nonblocking(watch->socket) || ask(watch)) {
		netwatch_close(watch);
		return -EIO;
	}
	return 0;
}

void netwatch_close(struct netwatch *watch)
{
	nl_socket_free(watch->socket);
	watch->socket = NULL;
}

int netwatch_fd(const struct netwatch *watch)
{
	return nl_socket_get_fd(watch->socket);
}

int netwatch_read(struct netwatch *watch)
{
	int err = 0;

	watch->link_seen = watch->link_gone = watch->went_down = watch->routes_seen = false;
	/* What is left makes it readable again, and others get their turn in between. */
	for (unsigned i = 0; i < READS_AT_ONCE && !err; ++i) {
		err = nl_recvmsgs_default(watch->socket);
		/* Too many at once, or no memory for them, and some were lost. More get lost, and
		 * without a word, until all that came before was read. */
		if (err == -NLE_NOMEM) {
			watch->lost = true;
			err = 0;
		}
	}
	if (watch->lost) {
		/* Take it that everything changed; and once more when nothing is missed any more.
		 */
		watch->lost = err != -NLE_AGAIN;
		watch->routes_seen = true;
		return ask(watch);
	}
	return !err || err == -NLE_AGAIN || err == -NLE_OBJ_NOTFOUND || err == -NLE_NODEV ? 0
											  : -EIO;
}
