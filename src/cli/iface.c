/* SPDX-License-Identifier: MIT
 * Owns the rtnetlink socket; the only file of wgctl that knows libnl. Every request is built
 * here and exchanged by one function, because libnl's own calls lose the kernel's errno and its
 * words (rtnetlink(7), "extended ack"). */
#include "cli/iface.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "conf/endpoint.h"
#include "conf/error.h"
#include "conf/prefix.h"

#define REPLY_TIMEOUT 10 /* seconds */
#define DUMP_TRIES 5     /* a table that changes while it is read is read again */

struct iface {
	struct nl_sock *socket;
};

struct exchange {
	bool done;
	int err;        /* 0 or -errno */
	char words[128]; /* the kernel's own, or "" */
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

/* Sends msg and reads what it brings, to the end. After an error no ACK follows, so each of
 * them ends it. */
static int exchange_once(struct iface *iface, struct nl_msg *msg, struct exchange *exchange)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int ret;

	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, exchange);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, exchange);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, exchange);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, exchange);
	errno = 0;
	ret = nl_send_auto(iface->socket, msg);
	if (ret < 0)
		exchange->err = errno ? -errno : -EIO;
	while (ret >= 0 && !exchange->done) {
		ret = nl_recvmsgs(iface->socket, cb);
		if (ret < 0 && !exchange->done)
			exchange->err = ret == -NLE_AGAIN ? -ETIMEDOUT : -EIO;
	}
	if (ret == -NLE_DUMP_INTR && !exchange->err)
		exchange->err = -EAGAIN;
	nl_cb_put(cb);
	return exchange->err;
}

/* Consumes msg (NULL: out of memory). 0 or -errno with *error filled. */
static int request(struct iface *iface, struct nl_msg *msg,
		   void (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		   struct conf_error *error)
{
	struct exchange exchange = {.each = each, .arg = arg};
	int err = msg ? exchange_once(iface, msg, &exchange) : -ENOMEM;

	nlmsg_free(msg);
	if (err && exchange.words[0])
		return conf_error_set(error, -err, 0, 0, "%s (%s)", strerror(-err), exchange.words);
	if (err)
		return conf_error_set(error, -err, 0, 0, "%s", strerror(-err));
	return 0;
}

/* A request with its fixed header, or NULL. */
static struct nl_msg *new_message(int type, int flags, const void *header, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)(uintptr_t)header, len, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Puts an attribute; a message that has no room left for it becomes NULL. */
static void put(struct nl_msg **msg, int type, const void *data, size_t len)
{
	if (*msg && nla_put(*msg, type, (int)len, data) < 0) {
		nlmsg_free(*msg);
		*msg = NULL;
	}
}

static void put_number(struct nl_msg **msg, int type, uint32_t number)
{
	put(msg, type, &number, sizeof(number));
}

int iface_open(struct iface **iface)
{
	const struct timeval limit = {.tv_sec = REPLY_TIMEOUT};
	const int on = 1;
	int fd;

	*iface = calloc(1, sizeof(**iface));
	if (!*iface)
		return -ENOMEM;
	(*iface)->socket = nl_socket_alloc();
	errno = 0;
	if (!(*iface)->socket || nl_connect((*iface)->socket, NETLINK_ROUTE) < 0) {
		int err = errno ? -errno : -ENOMEM;

		iface_close(*iface);
		*iface = NULL;
		return err;
	}
	fd = nl_socket_get_fd((*iface)->socket);
	/* Old kernels lack some of these; the requests work without. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return 0;
}

void iface_close(struct iface *iface)
{
	if (!iface)
		return;
	nl_socket_free(iface->socket);
	free(iface);
}

static void read_link(struct nlmsghdr *reply, void *arg)
{
	const struct ifinfomsg *header = nlmsg_data(reply);
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	struct iface_link *link = arg;

	if (reply->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(reply, sizeof(*header), attrs, IFLA_MAX, NULL) < 0)
		return;
	link->index = (unsigned)header->ifi_index;
	link->up = header->ifi_flags & IFF_UP;
	if (attrs[IFLA_MTU])
		link->mtu = nla_get_u32(attrs[IFLA_MTU]);
	if (attrs[IFLA_CARRIER])
		link->carrier = nla_get_u8(attrs[IFLA_CARRIER]);
	if (attrs[IFLA_LINKINFO] &&
	    !nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) &&
	    info[IFLA_INFO_KIND])
		nla_strlcpy(link->kind, info[IFLA_INFO_KIND], sizeof(link->kind));
}

static int find_link(struct iface *iface, const char *name, unsigned index, struct iface_link *link,
		     struct conf_error *error)
{
	const struct ifinfomsg header = {.ifi_index = (int)index};
	struct nl_msg *msg = new_message(RTM_GETLINK, 0, &header, sizeof(header));

	*link = (struct iface_link){0};
	if (name)
		put(&msg, IFLA_IFNAME, name, strlen(name) + 1);
	return request(iface, msg, read_link, link, error);
}

int iface_find(struct iface *iface, const char *name, struct iface_link *link,
	       struct conf_error *error)
{
	return find_link(iface, name, 0, link, error);
}

int iface_delete(struct iface *iface, unsigned index, struct conf_error *error)
{
	const struct ifinfomsg header = {.ifi_index = (int)index};

	return request(iface, new_message(RTM_DELLINK, 0, &header, sizeof(header)), NULL, NULL,
		       error);
}

int iface_set_up(struct iface *iface, unsigned index, uint32_t mtu, struct conf_error *error)
{
	const struct ifinfomsg header = {
		.ifi_index = (int)index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *msg = new_message(RTM_NEWLINK, 0, &header, sizeof(header));

	put_number(&msg, IFLA_MTU, mtu);
	return request(iface, msg, NULL, NULL, error);
}

int iface_set_down(struct iface *iface, unsigned index, struct conf_error *error)
{
	const struct ifinfomsg header = {.ifi_index = (int)index, .ifi_change = IFF_UP};

	return request(iface, new_message(RTM_NEWLINK, 0, &header, sizeof(header)), NULL, NULL,
		       error);
}

static size_t address_len(const struct prefix *prefix)
{
	return prefix->family == AF_INET ? 4 : 16;
}

static int change_address(struct iface *iface, int type, int flags, unsigned index,
			  const struct prefix *address, struct conf_error *error)
{
	const struct ifaddrmsg header = {
		.ifa_family = (unsigned char)address->family,
		.ifa_prefixlen = address->cidr,
		.ifa_index = index,
	};
	struct nl_msg *msg = new_message(type, flags, &header, sizeof(header));

	put(&msg, IFA_LOCAL, address->addr, address_len(address));
	put(&msg, IFA_ADDRESS, address->addr, address_len(address));
	return request(iface, msg, NULL, NULL, error);
}

int iface_add_address(struct iface *iface, unsigned index, const struct prefix *address,
		      struct conf_error *error)
{
	return change_address(iface, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address, error);
}

int iface_delete_address(struct iface *iface, unsigned index, const struct prefix *address,
			 struct conf_error *error)
{
	return change_address(iface, RTM_DELADDR, 0, index, address, error);
}

static int change_route(struct iface *iface, int type, int flags, unsigned index,
			const struct prefix *to, struct conf_error *error)
{
	const struct rtmsg header = {
		.rtm_family = (unsigned char)to->family,
		.rtm_dst_len = to->cidr,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = to->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg = new_message(type, flags, &header, sizeof(header));
	struct prefix masked = *to;

	prefix_mask(&masked);
	put(&msg, RTA_DST, masked.addr, address_len(to));
	put_number(&msg, RTA_OIF, index);
	return request(iface, msg, NULL, NULL, error);
}

int iface_add_route(struct iface *iface, unsigned index, const struct prefix *to,
		    struct conf_error *error)
{
	return change_route(iface, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, index, to, error);
}

int iface_delete_route(struct iface *iface, unsigned index, const struct prefix *to,
		       struct conf_error *error)
{
	return change_route(iface, RTM_DELROUTE, 0, index, to, error);
}

/* What a route says, as far as it matters here. */
struct route {
	struct prefix to;
	unsigned index; /* of the link; 0: none, or several */
	uint32_t table;
	uint32_t mtu; /* 0: not set */
};

static bool read_route(struct nlmsghdr *reply, struct route *route)
{
	const struct rtmsg *header = nlmsg_data(reply);
	struct nlattr *attrs[RTA_MAX + 1], *metrics[RTAX_MAX + 1];

	if (reply->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(reply, sizeof(*header), attrs, RTA_MAX, NULL) < 0)
		return false;
	*route = (struct route){
		.to.family = header->rtm_family,
		.to.cidr = header->rtm_dst_len,
		.table = header->rtm_table,
	};
	if (header->rtm_family != AF_INET && header->rtm_family != AF_INET6)
		return false;
	if (attrs[RTA_DST])
		nla_memcpy(route->to.addr, attrs[RTA_DST], (int)address_len(&route->to));
	if (attrs[RTA_TABLE])
		route->table = nla_get_u32(attrs[RTA_TABLE]);
	if (attrs[RTA_OIF])
		route->index = nla_get_u32(attrs[RTA_OIF]);
	if (attrs[RTA_METRICS] &&
	    !nla_parse_nested(metrics, RTAX_MAX, attrs[RTA_METRICS], NULL) && metrics[RTAX_MTU])
		route->mtu = nla_get_u32(metrics[RTAX_MTU]);
	return true;
}

struct route_list {
	unsigned index; /* of the link asked for; 0: any, but default routes only */
	struct route *routes;
	size_t count, size;
	bool failed;
};

static void list_route(struct nlmsghdr *reply, void *arg)
{
	struct route_list *list = arg;
	struct route route;

	if (!read_route(reply, &route) || route.table != RT_TABLE_MAIN || !route.index)
		return;
	if (list->index ? route.index != list->index : route.to.cidr != 0)
		return;
	if (list->count == list->size) {
		size_t size = list->size ? list->size * 2 : 8;
		struct route *routes = reallocarray(list->routes, size, sizeof(*routes));

		if (!routes) {
			list->failed = true;
			return;
		}
		list->routes = routes;
		list->size = size;
	}
	list->routes[list->count++] = route;
}

/* Appends the routes of the family in the main table, in the kernel's order, to *list. */
static int dump_routes(struct iface *iface, int family, struct route_list *list)
{
	const struct rtmsg header = {
		.rtm_family = (unsigned char)family,
		.rtm_table = RT_TABLE_MAIN,
	};
	size_t before = list->count;
	int err = -EAGAIN;

	for (int try = 0; try < DUMP_TRIES && err == -EAGAIN; try++) {
		struct nl_msg *msg = new_message(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));

		list->count = before;
		if (list->index)
			put_number(&msg, RTA_OIF, list->index);
		err = request(iface, msg, list_route, list, NULL);
	}
	if (err == -ENOENT || err == -EAFNOSUPPORT || err == -EOPNOTSUPP)
		return 0; /* no such table, or no IPv6: no routes */
	return list->failed ? -ENOMEM : err;
}

int iface_list_routes(struct iface *iface, unsigned index, struct prefix **prefixes, size_t *count)
{
	struct route_list list = {.index = index};
	int err = dump_routes(iface, AF_INET, &list);

	*prefixes = NULL;
	*count = 0;
	if (!err)
		err = dump_routes(iface, AF_INET6, &list);
	if (!err && list.count) {
		*prefixes = calloc(list.count, sizeof(**prefixes));
		if (!*prefixes)
			err = -ENOMEM;
		for (; *prefixes && *count < list.count; ++*count)
			(*prefixes)[*count] = list.routes[*count].to;
	}
	free(list.routes);
	return err;
}

/* The route's own MTU, else its link's. */
static int route_mtu(struct iface *iface, const struct route *route, uint32_t *mtu)
{
	struct iface_link link;
	int err;

	*mtu = route->mtu;
	if (*mtu)
		return 0;
	if (!route->index)
		return -ENOENT;
	err = find_link(iface, NULL, route->index, &link, NULL);
	*mtu = link.mtu;
	return err;
}

static void read_one_route(struct nlmsghdr *reply, void *arg)
{
	struct route route;

	if (read_route(reply, &route))
		*(struct route *)arg = route;
}

int iface_path_mtu(struct iface *iface, const union sockaddr_ip *to, uint32_t mark, uint32_t *mtu)
{
	const bool v4 = to->sa.sa_family == AF_INET;
	const struct rtmsg header = {
		.rtm_family = (unsigned char)to->sa.sa_family,
		.rtm_dst_len = v4 ? 32 : 128,
	};
	struct nl_msg *msg = new_message(RTM_GETROUTE, 0, &header, sizeof(header));
	struct route route = {0};
	int err;

	if (v4)
		put(&msg, RTA_DST, &to->in4.sin_addr, sizeof(to->in4.sin_addr));
	else
		put(&msg, RTA_DST, &to->in6.sin6_addr, sizeof(to->in6.sin6_addr));
	if (!v4 && to->in6.sin6_scope_id)
		put_number(&msg, RTA_OIF, to->in6.sin6_scope_id);
	if (mark)
		put_number(&msg, RTA_MARK, mark);
	err = request(iface, msg, read_one_route, &route, NULL);
	return err ? err : route_mtu(iface, &route, mtu);
}

int iface_default_mtu(struct iface *iface, uint32_t *mtu)
{
	struct route_list list = {0};
	int err = dump_routes(iface, AF_INET, &list);

	if (!err && !list.count)
		err = dump_routes(iface, AF_INET6, &list);
	if (!err)
		err = list.count ? route_mtu(iface, &list.routes[0], mtu) : -ENOENT;
	free(list.routes);
	return err;
}
