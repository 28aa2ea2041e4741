/* SPDX-License-Identifier: MIT
 * What rtnetlink(7) knows about links, addresses and routes. Every request is built here and
 * exchanged by netlink. */
#include "cli/iface.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "cli/names.h"
#include "cli/netlink.h"
#include "conf/array.h"
#include "conf/endpoint.h"
#include "conf/error.h"

#define DUMP_TRIES 5 /* a table that changes while it is read is read again */

struct iface {
	struct netlink *netlink;
};

int iface_open(struct iface **iface)
{
	int err;

	*iface = calloc(1, sizeof(**iface));
	if (!*iface)
		return -ENOMEM;
	err = netlink_open(&(*iface)->netlink, NETLINK_ROUTE);
	if (err) {
		free(*iface);
		*iface = NULL;
	}
	return err;
}

void iface_close(struct iface *iface)
{
	if (!iface)
		return;
	netlink_close(iface->netlink);
	free(iface);
}

struct netlink *iface_netlink(struct iface *iface)
{
	return iface->netlink;
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
	if (attrs[IFLA_IFNAME])
		nla_strlcpy(link->name, attrs[IFLA_IFNAME], sizeof(link->name));
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
	struct nl_msg *msg = netlink_message(RTM_GETLINK, 0, &header, sizeof(header));

	*link = (struct iface_link){0};
	if (name)
		netlink_put(&msg, IFLA_IFNAME, name, strlen(name) + 1);
	return netlink_request(iface->netlink, msg, read_link, link, error);
}

int iface_find(struct iface *iface, const char *name, struct iface_link *link,
	       struct conf_error *error)
{
	return find_link(iface, name, 0, link, error);
}

struct kind_list {
	const char *kind;
	char (**names)[IFNAMSIZ];
	size_t *count;
	int err;
};

static void list_link(struct nlmsghdr *reply, void *arg)
{
	struct iface_link link = {0};
	struct kind_list *list = arg;

	read_link(reply, &link);
	if (!strcmp(link.kind, list->kind) && !list->err)
		list->err = names_add(list->names, list->count, link.name);
}

int iface_list_kind(struct iface *iface, const char *kind, char (**names)[IFNAMSIZ], size_t *count)
{
	struct kind_list list = {.kind = kind, .names = names, .count = count};
	const struct ifinfomsg header = {0};
	int err = -EAGAIN;

	/* What a broken list told remains right as far as it goes. */
	for (int try = 0; try < DUMP_TRIES && err == -EAGAIN; try++)
		err = netlink_request(
			iface->netlink,
			netlink_message(RTM_GETLINK, NLM_F_DUMP, &header, sizeof(header)),
			list_link, &list, NULL);
	return err ? err : list.err;
}

int iface_add(struct iface *iface, const char *name, const char *kind, struct conf_error *error)
{
	const struct ifinfomsg header = {0};
	struct nl_msg *msg =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof(header));
	struct nlattr *info;

	netlink_put(&msg, IFLA_IFNAME, name, strlen(name) + 1);
	info = msg ? nla_nest_start(msg, IFLA_LINKINFO) : NULL;
	netlink_put(&msg, IFLA_INFO_KIND, kind, strlen(kind));
	if (msg && info)
		nla_nest_end(msg, info);
	return netlink_request(iface->netlink, msg, NULL, NULL, error);
}

int iface_delete(struct iface *iface, unsigned index, struct conf_error *error)
{
	const struct ifinfomsg header = {.ifi_index = (int)index};

	return netlink_request(iface->netlink,
			       netlink_message(RTM_DELLINK, 0, &header, sizeof(header)), NULL, NULL,
			       error);
}

int iface_set_up(struct iface *iface, unsigned index, uint32_t mtu, struct conf_error *error)
{
	const struct ifinfomsg header = {
		.ifi_index = (int)index,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct nl_msg *msg = netlink_message(RTM_NEWLINK, 0, &header, sizeof(header));

	netlink_put_number(&msg, IFLA_MTU, mtu);
	return netlink_request(iface->netlink, msg, NULL, NULL, error);
}

int iface_set_down(struct iface *iface, unsigned index, struct conf_error *error)
{
	const struct ifinfomsg header = {.ifi_index = (int)index, .ifi_change = IFF_UP};

	return netlink_request(iface->netlink,
			       netlink_message(RTM_NEWLINK, 0, &header, sizeof(header)), NULL, NULL,
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
	struct nl_msg *msg = netlink_message(type, flags, &header, sizeof(header));

	netlink_put(&msg, IFA_LOCAL, address->addr, address_len(address));
	netlink_put(&msg, IFA_ADDRESS, address->addr, address_len(address));
	return netlink_request(iface->netlink, msg, NULL, NULL, error);
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

struct address_list {
	unsigned index;
	struct prefix *addresses;
	size_t count;
	bool failed;
};

static void list_address(struct nlmsghdr *reply, void *arg)
{
	const struct ifaddrmsg *header = nlmsg_data(reply);
	struct nlattr *attrs[IFA_MAX + 1], *local;
	struct address_list *list = arg;
	struct prefix *address;

	if (reply->nlmsg_type != RTM_NEWADDR || header->ifa_index != list->index ||
	    nlmsg_parse(reply, sizeof(*header), attrs, IFA_MAX, NULL) < 0)
		return;
	local = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	address = local ? reallocarray(list->addresses, list->count + 1, sizeof(*address)) : NULL;
	if (!address) {
		list->failed = true;
		return;
	}
	list->addresses = address;
	address += list->count++;
	*address = (struct prefix){.family = header->ifa_family, .cidr = header->ifa_prefixlen};
	nla_memcpy(address->addr, local, (int)address_len(address));
}

int iface_list_addresses(struct iface *iface, unsigned index, int family, struct prefix **addresses,
			 size_t *count)
{
	const struct ifaddrmsg header = {.ifa_family = (unsigned char)family};
	struct address_list list = {.index = index};
	int err = -EAGAIN;

	for (int try = 0; try < DUMP_TRIES && err == -EAGAIN; try++) {
		list.count = 0;
		err = netlink_request(
			iface->netlink,
			netlink_message(RTM_GETADDR, NLM_F_DUMP, &header, sizeof(header)),
			list_address, &list, NULL);
	}
	*addresses = list.addresses;
	*count = list.count;
	return !err && list.failed ? -ENOMEM : err;
}

/* In a header; a number that has no room there goes into an attribute alone. */
static unsigned char short_table(uint32_t table)
{
	return table <= UINT8_MAX ? (unsigned char)table : RT_TABLE_UNSPEC;
}

static int change_route(struct iface *iface, int type, int flags, const struct iface_route *route,
			struct conf_error *error)
{
	static const unsigned char TYPES[] = {
		[IFACE_THROUGH] = RTN_UNICAST,
		[IFACE_THROW] = RTN_THROW,
		[IFACE_UNREACHABLE] = RTN_UNREACHABLE,
	};
	const bool is_link = route->to.family == AF_INET && route->way == IFACE_THROUGH;
	const uint32_t table = route->table ? route->table : RT_TABLE_MAIN;
	const struct rtmsg header = {
		.rtm_family = (unsigned char)route->to.family,
		.rtm_dst_len = route->to.cidr,
		.rtm_table = short_table(table),
		.rtm_protocol = RTPROT_BOOT,
		.rtm_scope = is_link ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = TYPES[route->way],
	};
	struct nl_msg *msg = netlink_message(type, flags, &header, sizeof(header));
	struct prefix masked = route->to;

	prefix_mask(&masked);
	netlink_put(&msg, RTA_DST, masked.addr, address_len(&masked));
	netlink_put_number(&msg, RTA_TABLE, table);
	if (route->index)
		netlink_put_number(&msg, RTA_OIF, route->index);
	if (route->metric)
		netlink_put_number(&msg, RTA_PRIORITY, route->metric);
	return netlink_request(iface->netlink, msg, NULL, NULL, error);
}

int iface_add_route(struct iface *iface, const struct iface_route *route, struct conf_error *error)
{
	return change_route(iface, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route, error);
}

int iface_delete_route(struct iface *iface, const struct iface_route *route,
		       struct conf_error *error)
{
	return change_route(iface, RTM_DELROUTE, 0, route, error);
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
	if (attrs[RTA_METRICS] && !nla_parse_nested(metrics, RTAX_MAX, attrs[RTA_METRICS], NULL) &&
	    metrics[RTAX_MTU])
		route->mtu = nla_get_u32(metrics[RTAX_MTU]);
	return true;
}

struct route_list {
	uint32_t table;
	bool any;       /* all of the table */
	unsigned index; /* else of the link asked for; 0: any, but default routes only */
	struct route *routes;
	size_t count, size;
	bool failed;
};

static void list_route(struct nlmsghdr *reply, void *arg)
{
	struct route_list *list = arg;
	struct route *routes, route;

	if (!read_route(reply, &route) || route.table != list->table)
		return;
	if (!list->any &&
	    (list->index ? route.index != list->index : !route.index || route.to.cidr != 0))
		return;
	routes = array_room(list->routes, list->count, &list->size, sizeof(*routes));
	if (!routes) {
		list->failed = true;
		return;
	}
	list->routes = routes;
	list->routes[list->count++] = route;
}

/* Appends the routes of the family in the table, in the kernel's order, to *list. */
static int dump_routes(struct iface *iface, int family, struct route_list *list)
{
	const struct rtmsg header = {
		.rtm_family = (unsigned char)family,
		.rtm_table = short_table(list->table),
	};
	size_t before = list->count;
	int err = -EAGAIN;

	for (int try = 0; try < DUMP_TRIES && err == -EAGAIN; try++) {
		struct nl_msg *msg =
			netlink_message(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof(header));

		list->count = before;
		netlink_put_number(&msg, RTA_TABLE, list->table);
		if (list->index)
			netlink_put_number(&msg, RTA_OIF, list->index);
		err = netlink_request(iface->netlink, msg, list_route, list, NULL);
	}
	if (err == -ENOENT || err == -EAFNOSUPPORT || err == -EOPNOTSUPP)
		return 0; /* no such table, or no IPv6: no routes */
	return list->failed ? -ENOMEM : err;
}

int iface_list_routes(struct iface *iface, unsigned index, struct prefix **prefixes, size_t *count)
{
	struct route_list list = {.table = RT_TABLE_MAIN, .index = index};
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

int iface_table_is_used(struct iface *iface, uint32_t table, bool *used)
{
	struct route_list list = {.table = table, .any = true};
	int err = dump_routes(iface, AF_INET, &list);

	if (!err)
		err = dump_routes(iface, AF_INET6, &list);
	*used = list.count > 0;
	free(list.routes);
	return err;
}

int iface_has_default(struct iface *iface, int family, bool *has)
{
	/* By one link or by several. */
	struct route_list list = {.table = RT_TABLE_MAIN, .any = true};
	int err = dump_routes(iface, family, &list);

	*has = false;
	for (size_t i = 0; i < list.count; i++)
		*has = *has || !list.routes[i].to.cidr;
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
	struct nl_msg *msg = netlink_message(RTM_GETROUTE, 0, &header, sizeof(header));
	struct route route = {0};
	int err;

	if (v4)
		netlink_put(&msg, RTA_DST, &to->in4.sin_addr, sizeof(to->in4.sin_addr));
	else
		netlink_put(&msg, RTA_DST, &to->in6.sin6_addr, sizeof(to->in6.sin6_addr));
	if (!v4 && to->in6.sin6_scope_id)
		netlink_put_number(&msg, RTA_OIF, to->in6.sin6_scope_id);
	if (mark)
		netlink_put_number(&msg, RTA_MARK, mark);
	err = netlink_request(iface->netlink, msg, read_one_route, &route, NULL);
	return err ? err : route_mtu(iface, &route, mtu);
}

int iface_default_mtu(struct iface *iface, uint32_t *mtu)
{
	struct route_list list = {.table = RT_TABLE_MAIN};
	int err = dump_routes(iface, AF_INET, &list);

	if (!err && !list.count)
		err = dump_routes(iface, AF_INET6, &list);
	if (!err)
		err = list.count ? route_mtu(iface, &list.routes[0], mtu) : -ENOENT;
	free(list.routes);
	return err;
}
