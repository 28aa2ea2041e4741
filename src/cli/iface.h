/* SPDX-License-Identifier: MIT
 * Network interfaces, their addresses and routes, over rtnetlink: what `ip link`, `ip address`
 * and `ip route` do. Fills *error with the kernel's own errno and words. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/prefix.h"

struct conf_error;
struct iface;
struct netlink;
union sockaddr_ip;

struct iface_link {
	char name[IFNAMSIZ];
	unsigned index;
	uint32_t mtu;
	bool up;
	bool carrier;  /* a TUN without one has no engine */
	char kind[16]; /* "tun", "wireguard", ...; "": none */
};

/* One netlink socket. 0 or -errno. */
int iface_open(struct iface **iface);
void iface_close(struct iface *iface); /* NULL is fine */
/* The socket; borrowed. For the units of the same family. */
struct netlink *iface_netlink(struct iface *iface);

/* 0 or -errno: -ENODEV if there is no such link. */
int iface_find(struct iface *iface, const char *name, struct iface_link *link,
	       struct conf_error *error);
/* Adds the interfaces of a kind, such as "wireguard", to a list (names.h). 0 or -errno. */
int iface_list_kind(struct iface *iface, const char *kind, char (**names)[IFNAMSIZ], size_t *count);
/* Makes a link of a kind. 0 or -errno: -EOPNOTSUPP if this kernel has no such kind. */
int iface_add(struct iface *iface, const char *name, const char *kind, struct conf_error *error);
int iface_delete(struct iface *iface, unsigned index, struct conf_error *error);
int iface_set_up(struct iface *iface, unsigned index, uint32_t mtu, struct conf_error *error);
int iface_set_down(struct iface *iface, unsigned index, struct conf_error *error);

/* An address with its host bits. */
int iface_add_address(struct iface *iface, unsigned index, const struct prefix *address,
		      struct conf_error *error);
int iface_delete_address(struct iface *iface, unsigned index, const struct prefix *address,
			 struct conf_error *error);
/* Those that the link has, in the kernel's order, of one family (0: of both), whoever gave them;
 * *addresses is the caller's to free(), also after an error. 0 or -errno. */
int iface_list_addresses(struct iface *iface, unsigned index, int family, struct prefix **addresses,
			 size_t *count);

enum iface_way {
	IFACE_THROUGH,     /* through the link */
	IFACE_THROW,       /* as if the table had nothing for it */
	IFACE_UNREACHABLE, /* nowhere */
};

struct iface_route {
	struct prefix to; /* masked first */
	enum iface_way way;
	unsigned index; /* of the link; 0: none */
	uint32_t table; /* 0: main */
	uint32_t metric;
};

int iface_add_route(struct iface *iface, const struct iface_route *route, struct conf_error *error);
int iface_delete_route(struct iface *iface, const struct iface_route *route,
		       struct conf_error *error);
/* Whether a table has any route, of either family. 0 or -errno. */
int iface_table_is_used(struct iface *iface, uint32_t table, bool *used);
/* Whether the main table has a default route of the family. 0 or -errno. */
int iface_has_default(struct iface *iface, int family, bool *has);
/* The destinations that the main table routes to the link; *list is the caller's to free(). */
int iface_list_routes(struct iface *iface, unsigned index, struct prefix **prefixes, size_t *count);

/* The MTU of the way to an endpoint, for packets with that firewall mark (0: none): the
 * route's, else its link's. */
int iface_path_mtu(struct iface *iface, const union sockaddr_ip *to, uint32_t mark, uint32_t *mtu);
/* The same for the default route. -ENOENT: there is none. */
int iface_default_mtu(struct iface *iface, uint32_t *mtu);
