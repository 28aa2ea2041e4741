/* SPDX-License-Identifier: MIT
 * Requests to the kernel over netlink(7) and what they bring: rtnetlink for iface, generic
 * netlink for kernel. Fills *error with the kernel's own errno and words. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NETLINK_ROOM 32768 /* bytes of a request, with its headers */

struct conf_error;
struct netlink;
struct nl_msg;
struct nlmsghdr;

/* A socket of the protocol: NETLINK_ROUTE, NETLINK_GENERIC. 0 or -errno. */
int netlink_open(struct netlink **netlink, int protocol);
void netlink_close(struct netlink *netlink); /* NULL is fine */

/* A request with its fixed header of len bytes, or NULL (no memory). */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t len);
/* Puts an attribute at the end; a message that has no room left for it becomes NULL. */
void netlink_put(struct nl_msg **msg, int type, const void *data, size_t len);
void netlink_put_number(struct nl_msg **msg, int type, uint32_t number);

/* Sends msg, which it consumes (NULL: no memory), and reads what it brings to the end: each reply
 * is shown to each (NULL: passed over), which borrows it. Request and replies are wiped: they may
 * hold keys. 0 or -errno with *error filled; -EAGAIN: what was listed changed meanwhile, so that
 * the list may not be whole. */
int netlink_request(struct netlink *netlink, struct nl_msg *msg,
		    void (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		    struct conf_error *error);
