/* SPDX-License-Identifier: MIT
 * How many queues a TUN interface has, by rtnetlink. */
#include "engine/claim.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdint.h>

static int see_link(struct nl_msg *message, void *arg)
{
	struct nlattr *link[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1], *tun[IFLA_TUN_MAX + 1];
	uint32_t *queues = arg;

	if (!nlmsg_parse(nlmsg_hdr(message), sizeof(struct ifinfomsg), link, IFLA_MAX, NULL) &&
	    link[IFLA_LINKINFO] &&
	    !nla_parse_nested(info, IFLA_INFO_MAX, link[IFLA_LINKINFO], NULL) &&
	    info[IFLA_INFO_DATA] &&
	    !nla_parse_nested(tun, IFLA_TUN_MAX, info[IFLA_INFO_DATA], NULL) &&
	    tun[IFLA_TUN_NUM_QUEUES] && tun[IFLA_TUN_NUM_DISABLED_QUEUES])
		*queues = nla_get_u32(tun[IFLA_TUN_NUM_QUEUES]) +
			  nla_get_u32(tun[IFLA_TUN_NUM_DISABLED_QUEUES]);
	return NL_OK;
}

int claim_check(unsigned ifindex)
{
	struct ifinfomsg request = {.ifi_index = (int)ifindex};
	struct nl_sock *socket = nl_socket_alloc();
	uint32_t queues = 0;
	int err = -EIO;

	if (!socket)
		return -ENOMEM;
	nl_socket_disable_auto_ack(socket);
	if (nl_connect(socket, NETLINK_ROUTE) ||
	    nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, see_link, &queues) ||
	    nl_send_simple(socket, RTM_GETLINK, 0, &request, sizeof(request)) < 0 ||
	    nl_recvmsgs_default(socket) < 0)
		goto out;
	err = queues == 1 ? 0 : -ENODATA;
	if (queues > 1) {
		/* Closing ours would leave theirs. */
		(void)nl_send_simple(socket, RTM_DELLINK, 0, &request, sizeof(request));
		err = -EUSERS;
	}
out:
	nl_socket_free(socket);
	return err;
}
