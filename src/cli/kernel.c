/* SPDX-License-Identifier: MIT
 * Speaks the generic netlink family of the kernel's WireGuard; its attributes are described in
 * <linux/wireguard.h>. Requests and replies hold keys: netlink wipes them. */
#include "cli/kernel.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/time_types.h>
#include <linux/wireguard.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <string.h>
#include "cli/iface.h"
#include "cli/netlink.h"
#include "conf/error.h"
#include "conf/model.h"

#define GET_TRIES 5 /* a device that changes while it is read is read again */

/* Since Linux 6.16; older kernels refuse the attribute. */
#define ALLOWED_FLAGS 4
#define ALLOWED_REMOVE_ME 1

#define ATTRIBUTE(size) (NLA_HDRLEN + NLA_ALIGN(size))
/* What an allowed IP takes at most: its nest, family, address, length and flags. */
#define ALLOWED_ROOM                                                                               \
	(NLA_HDRLEN + ATTRIBUTE(sizeof(uint16_t)) + ATTRIBUTE(16) + ATTRIBUTE(1) +                 \
	 ATTRIBUTE(sizeof(uint32_t)))
/* The same for a peer without allowed IPs: the nests of the list, the peer and its allowed IPs,
 * two keys, flags, endpoint and keepalive. */
#define PEER_ROOM                                                                                  \
	(3 * NLA_HDRLEN + 2 * ATTRIBUTE(WG_KEY_LEN) + ATTRIBUTE(sizeof(uint32_t)) +                \
	 ATTRIBUTE(sizeof(struct sockaddr_in6)) + ATTRIBUTE(sizeof(uint16_t)))

static void read_family(struct nlmsghdr *reply, void *arg)
{
	struct nlattr *id = nlmsg_find_attr(reply, GENL_HDRLEN, CTRL_ATTR_FAMILY_ID);

	if (id)
		*(uint16_t *)arg = nla_get_u16(id);
}

/* The number of the module's family. The kernel loads the module for that, if it can. */
static int find_family(struct netlink *netlink, uint16_t *family, struct conf_error *error)
{
	const struct genlmsghdr header = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct nl_msg *msg = netlink_message(GENL_ID_CTRL, 0, &header, sizeof(header));
	int err;

	*family = 0;
	netlink_put(&msg, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME, sizeof(WG_GENL_NAME));
	err = netlink_request(netlink, msg, read_family, family, error);
	if (err == -ENOENT || (!err && !*family))
		err = -ENODEV; /* no module, hence no such interface */
	return err;
}

/* What the kernel's answer means to people; its own words stay where they say more. */
static int explain(int err, const char *name, struct conf_error *error)
{
	struct conf_error said;

	switch (-err) {
	case ENODEV:
		return conf_error_set(error, ENODEV, 0, 0, "there is no WireGuard interface %s",
				      name);
	case EOPNOTSUPP:
		return conf_error_set(error, EOPNOTSUPP, 0, 0, "%s is not a WireGuard interface",
				      name);
	case EPERM:
		return conf_error_set(error, EPERM, 0, 0,
				      "the kernel tells and changes %s only for root (with "
				      "CAP_NET_ADMIN)",
				      name);
	}
	if (error) {
		said = *error;
		conf_error_set(error, -err, 0, 0, "the kernel says: %s", said.what);
	}
	return err;
}

static int open_family(struct netlink **netlink, uint16_t *family, struct conf_error *error)
{
	int err = netlink_open(netlink, NETLINK_GENERIC);

	if (err == -EPROTONOSUPPORT)
		return -ENODEV; /* a system call layer of its own, without the kernel's modules */
	if (err)
		return conf_error_set(error, -err, 0, 0, "%s", strerror(-err));
	err = find_family(*netlink, family, error);
	if (err) {
		netlink_close(*netlink);
		*netlink = NULL;
	}
	return err;
}

bool kernel_is_there(void)
{
	struct netlink *netlink = NULL;
	uint16_t family;
	int err = open_family(&netlink, &family, NULL);

	netlink_close(netlink);
	return !err;
}

static bool is_name(const char *name)
{
	return name[0] && strlen(name) < IFNAMSIZ;
}

/* A request about the interface, or NULL. */
static struct nl_msg *new_request(uint16_t family, uint8_t command, int flags, const char *name)
{
	const struct genlmsghdr header = {.cmd = command, .version = WG_GENL_VERSION};
	struct nl_msg *msg = netlink_message(family, flags, &header, sizeof(header));

	netlink_put(&msg, WGDEVICE_A_IFNAME, name, strlen(name) + 1);
	return msg;
}

/* A get being read. */
struct getter {
	struct model *model; /* borrowed */
	int err;
};

static bool read_key(struct key *key, const struct nlattr *attr)
{
	if (!attr || nla_len(attr) != KEY_LEN)
		return false;
	memcpy(key->bytes, nla_data(attr), KEY_LEN);
	return true;
}

static int read_allowed(struct model_peer *peer, struct nlattr *nest)
{
	static struct nla_policy policy[WGALLOWEDIP_A_MAX + 1] = {
		[WGALLOWEDIP_A_FAMILY] = {.type = NLA_U16},
		[WGALLOWEDIP_A_CIDR_MASK] = {.type = NLA_U8},
	};
	struct nlattr *attrs[WGALLOWEDIP_A_MAX + 1];
	struct prefix prefix = {0};

	if (nla_parse_nested(attrs, WGALLOWEDIP_A_MAX, nest, policy) < 0 ||
	    !attrs[WGALLOWEDIP_A_FAMILY] || !attrs[WGALLOWEDIP_A_IPADDR] ||
	    !attrs[WGALLOWEDIP_A_CIDR_MASK])
		return -EPROTO;
	prefix.family = nla_get_u16(attrs[WGALLOWEDIP_A_FAMILY]);
	prefix.cidr = nla_get_u8(attrs[WGALLOWEDIP_A_CIDR_MASK]);
	if ((prefix.family != AF_INET && prefix.family != AF_INET6) ||
	    nla_len(attrs[WGALLOWEDIP_A_IPADDR]) != prefix_max(prefix.family) / 8 ||
	    prefix.cidr > prefix_max(prefix.family))
		return -EPROTO;
	nla_memcpy(prefix.addr, attrs[WGALLOWEDIP_A_IPADDR], sizeof(prefix.addr));
	return model_peer_add_allowed(peer, &prefix, MODEL_ALLOWED_ADD);
}

static int read_endpoint(union sockaddr_ip *endpoint, const struct nlattr *attr)
{
	union sockaddr_ip address = {0};

	nla_memcpy(&address, attr, sizeof(address));
	if ((address.sa.sa_family != AF_INET && address.sa.sa_family != AF_INET6) ||
	    nla_len(attr) < (int)endpoint_len(&address))
		return -EPROTO;
	*endpoint = address;
	return 0;
}

static void read_peer_numbers(struct model_peer *peer, struct nlattr **attrs)
{
	struct __kernel_timespec time = {0};

	if (attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]) {
		peer->keepalive = nla_get_u16(attrs[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL]);
		peer->has_keepalive = true;
	}
	if (attrs[WGPEER_A_LAST_HANDSHAKE_TIME])
		nla_memcpy(&time, attrs[WGPEER_A_LAST_HANDSHAKE_TIME], sizeof(time));
	peer->handshake_sec = time.tv_sec;
	peer->handshake_nsec = time.tv_nsec;
	if (attrs[WGPEER_A_RX_BYTES])
		peer->rx_bytes = nla_get_u64(attrs[WGPEER_A_RX_BYTES]);
	if (attrs[WGPEER_A_TX_BYTES])
		peer->tx_bytes = nla_get_u64(attrs[WGPEER_A_TX_BYTES]);
}

/* last: the one that a message before this ended with, or NULL: it may go on here, with its key
 * and more allowed IPs only. */
static int read_peer(struct model *model, struct model_peer *last, struct nlattr *nest)
{
	static struct nla_policy policy[WGPEER_A_MAX + 1] = {
		[WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL] = {.type = NLA_U16},
		[WGPEER_A_RX_BYTES] = {.type = NLA_U64},
		[WGPEER_A_TX_BYTES] = {.type = NLA_U64},
		[WGPEER_A_ALLOWEDIPS] = {.type = NLA_NESTED},
	};
	struct nlattr *attrs[WGPEER_A_MAX + 1], *allowed;
	struct model_peer *peer = last;
	struct key key;
	int left, err = 0;

	if (nla_parse_nested(attrs, WGPEER_A_MAX, nest, policy) < 0 ||
	    !read_key(&key, attrs[WGPEER_A_PUBLIC_KEY]))
		return -EPROTO;
	if (!peer || !key_equal(&peer->public_key, &key)) {
		peer = model_add_peer(model);
		if (!peer)
			return -ENOMEM;
		peer->public_key = key;
		peer->has_preshared_key =
			read_key(&peer->preshared_key, attrs[WGPEER_A_PRESHARED_KEY]);
		read_peer_numbers(peer, attrs);
		if (attrs[WGPEER_A_ENDPOINT])
			err = read_endpoint(&peer->endpoint, attrs[WGPEER_A_ENDPOINT]);
	}
	if (!err && attrs[WGPEER_A_ALLOWEDIPS])
		nla_for_each_nested(allowed, attrs[WGPEER_A_ALLOWEDIPS], left) err =
			err ? err : read_allowed(peer, allowed);
	return err;
}

static int read_message(struct model *model, struct nlmsghdr *reply)
{
	static struct nla_policy policy[WGDEVICE_A_MAX + 1] = {
		[WGDEVICE_A_LISTEN_PORT] = {.type = NLA_U16},
		[WGDEVICE_A_FWMARK] = {.type = NLA_U32},
		[WGDEVICE_A_PEERS] = {.type = NLA_NESTED},
	};
	struct nlattr *attrs[WGDEVICE_A_MAX + 1], *peer;
	struct model_peer *last = NULL;
	int left, err = 0;

	if (nlmsg_parse(reply, GENL_HDRLEN, attrs, WGDEVICE_A_MAX, policy) < 0)
		return -EPROTO;
	if (read_key(&model->private_key, attrs[WGDEVICE_A_PRIVATE_KEY]))
		model->has_private_key = true;
	if (attrs[WGDEVICE_A_LISTEN_PORT]) {
		model->listen_port = nla_get_u16(attrs[WGDEVICE_A_LISTEN_PORT]);
		model->has_listen_port = true;
	}
	if (attrs[WGDEVICE_A_FWMARK]) {
		model->fwmark = nla_get_u32(attrs[WGDEVICE_A_FWMARK]);
		model->has_fwmark = true;
	}
	if (!attrs[WGDEVICE_A_PEERS])
		return 0;
	if (model->peer_count)
		last = &model->peers[model->peer_count - 1];
	nla_for_each_nested(peer, attrs[WGDEVICE_A_PEERS], left)
	{
		err = err ? err : read_peer(model, last, peer);
		last = NULL;
	}
	return err;
}

static void read_reply(struct nlmsghdr *reply, void *arg)
{
	struct getter *getter = arg;

	if (!getter->err)
		getter->err = read_message(getter->model, reply);
}

static int read_device(struct netlink *netlink, uint16_t family, const char *name,
		       struct model *model, struct conf_error *error)
{
	struct nl_msg *msg = new_request(family, WG_CMD_GET_DEVICE, NLM_F_DUMP, name);
	struct getter getter = {.model = model};
	int err = netlink_request(netlink, msg, read_reply, &getter, error);

	if (!err && getter.err)
		err = conf_error_set(error, -getter.err, 0, 0, "%s", strerror(-getter.err));
	return err;
}

int kernel_get(const char *name, struct model *model, struct conf_error *error)
{
	struct netlink *netlink = NULL;
	int err = -ENODEV, tries = GET_TRIES;
	uint16_t family = 0;

	if (is_name(name))
		err = open_family(&netlink, &family, error);
	if (!err)
		do {
			model_wipe(model);
			err = read_device(netlink, family, name, model, error);
		} while (err == -EAGAIN && --tries);
	netlink_close(netlink);
	return err ? explain(err, name, error) : 0;
}

int kernel_list(char (**names)[IFNAMSIZ], size_t *count)
{
	struct iface *iface;
	int err = iface_open(&iface);

	if (!err)
		err = iface_list_kind(iface, "wireguard", names, count);
	iface_close(iface);
	return err;
}

/* A set being sent. */
struct setter {
	struct netlink *netlink;
	uint16_t family;
	const char *name;
	struct nl_msg *msg;                    /* being written; NULL: no memory */
	struct nlattr *peers, *peer, *allowed; /* its open nests, or NULL */
	struct conf_error *error;
};

static int begin(struct setter *setter)
{
	setter->msg = new_request(setter->family, WG_CMD_SET_DEVICE, 0, setter->name);
	return setter->msg ? 0 : -ENOMEM;
}

/* Opens a nest at the end of the message. */
static struct nlattr *open_nest(struct setter *setter, int type)
{
	return setter->msg ? nla_nest_start(setter->msg, type | NLA_F_NESTED) : NULL;
}

static void close_nest(struct setter *setter, struct nlattr **nest)
{
	if (setter->msg && *nest)
		nla_nest_end(setter->msg, *nest);
	*nest = NULL;
}

/* Sends what is written. */
static int flush(struct setter *setter)
{
	struct nl_msg *msg;

	close_nest(setter, &setter->allowed);
	close_nest(setter, &setter->peer);
	close_nest(setter, &setter->peers);
	msg = setter->msg;
	setter->msg = NULL;
	return netlink_request(setter->netlink, msg, NULL, NULL, setter->error);
}

static bool has_room(const struct setter *setter, size_t bytes)
{
	return !setter->msg ||
	       nlmsg_get_max_size(setter->msg) - nlmsg_hdr(setter->msg)->nlmsg_len >= bytes;
}

static int flush_and_begin(struct setter *setter)
{
	int err = flush(setter);

	return err ? err : begin(setter);
}

static void open_peer(struct setter *setter, const struct model_peer *peer, uint32_t flags)
{
	if (!setter->peers)
		setter->peers = open_nest(setter, WGDEVICE_A_PEERS);
	setter->peer = open_nest(setter, 0);
	netlink_put(&setter->msg, WGPEER_A_PUBLIC_KEY, peer->public_key.bytes, KEY_LEN);
	netlink_put_number(&setter->msg, WGPEER_A_FLAGS, flags);
}

static void put_peer(struct setter *setter, const struct model_peer *peer)
{
	open_peer(setter, peer,
		  (peer->remove ? WGPEER_F_REMOVE_ME : 0) |
			  (peer->update_only ? WGPEER_F_UPDATE_ONLY : 0) |
			  (peer->replace_allowed ? WGPEER_F_REPLACE_ALLOWEDIPS : 0));
	if (peer->has_preshared_key)
		netlink_put(&setter->msg, WGPEER_A_PRESHARED_KEY, peer->preshared_key.bytes,
			    KEY_LEN);
	if (peer->endpoint.sa.sa_family != AF_UNSPEC)
		netlink_put(&setter->msg, WGPEER_A_ENDPOINT, &peer->endpoint,
			    endpoint_len(&peer->endpoint));
	if (peer->has_keepalive)
		netlink_put(&setter->msg, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, &peer->keepalive,
			    sizeof(peer->keepalive));
}

static void put_allowed(struct setter *setter, const struct model_allowed *allowed)
{
	struct prefix prefix = allowed->prefix;
	const uint16_t family = (uint16_t)prefix.family;
	struct nlattr *nest;

	prefix_mask(&prefix);
	if (!setter->allowed)
		setter->allowed = open_nest(setter, WGPEER_A_ALLOWEDIPS);
	nest = open_nest(setter, 0);
	netlink_put(&setter->msg, WGALLOWEDIP_A_FAMILY, &family, sizeof(family));
	netlink_put(&setter->msg, WGALLOWEDIP_A_IPADDR, prefix.addr, prefix_max(family) / 8);
	netlink_put(&setter->msg, WGALLOWEDIP_A_CIDR_MASK, &prefix.cidr, sizeof(prefix.cidr));
	if (allowed->op == MODEL_ALLOWED_REMOVE)
		netlink_put_number(&setter->msg, ALLOWED_FLAGS, ALLOWED_REMOVE_ME);
	close_nest(setter, &nest);
}

/* A peer whose allowed IPs do not fit goes on in the next request, which must not clear what this
 * one gave, nor bring back a peer that is gone by then. */
static int set_peer(struct setter *setter, const struct model_peer *peer)
{
	const size_t count = peer->remove ? 0 : peer->allowed_count;
	int err = has_room(setter, PEER_ROOM) ? 0 : flush_and_begin(setter);

	if (!err)
		put_peer(setter, peer);
	for (size_t i = 0; i < count && !err; i++) {
		if (!has_room(setter, ALLOWED_ROOM)) {
			err = flush_and_begin(setter);
			if (err)
				break;
			open_peer(setter, peer, WGPEER_F_UPDATE_ONLY);
		}
		put_allowed(setter, &peer->allowed[i]);
	}
	close_nest(setter, &setter->allowed);
	close_nest(setter, &setter->peer);
	return err;
}

static int set_device(struct setter *setter, const struct model *model)
{
	int err = begin(setter);

	if (model->replace_peers)
		netlink_put_number(&setter->msg, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS);
	if (model->has_private_key)
		netlink_put(&setter->msg, WGDEVICE_A_PRIVATE_KEY, model->private_key.bytes,
			    KEY_LEN);
	if (model->has_listen_port)
		netlink_put(&setter->msg, WGDEVICE_A_LISTEN_PORT, &model->listen_port,
			    sizeof(model->listen_port));
	if (model->has_fwmark)
		netlink_put_number(&setter->msg, WGDEVICE_A_FWMARK, model->fwmark);
	for (size_t i = 0; i < model->peer_count && !err; i++)
		err = set_peer(setter, &model->peers[i]);
	return err ? err : flush(setter);
}

static bool takes_away(const struct model *model)
{
	for (size_t i = 0; i < model->peer_count; i++)
		for (size_t j = 0; j < model->peers[i].allowed_count; j++)
			if (model->peers[i].allowed[j].op == MODEL_ALLOWED_REMOVE)
				return true;
	return false;
}

int kernel_set(const char *name, const struct model *model, struct conf_error *error)
{
	struct setter setter = {.name = name, .error = error};
	int err = -ENODEV;

	if (is_name(name))
		err = open_family(&setter.netlink, &setter.family, error);
	if (!err)
		err = set_device(&setter, model);
	netlink_close(setter.netlink);
	if (err == -EINVAL && takes_away(model))
		return conf_error_set(
			error, ENOSYS, 0, 0,
			"this kernel cannot take single allowed IPs away (-), as Linux "
			"6.16 and newer can: give all that shall stay instead");
	return err ? explain(err, name, error) : 0;
}
