/* SPDX-License-Identifier: MIT
 * One rtnetlink request and what it brings. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct conf_error;
struct nl_msg;
struct nl_sock;
struct nlmsghdr;

/* 0 with a socket of its own, or -errno. */
int netlink_open(struct nl_sock **opened);
/* NULL is fine. */
void netlink_close(struct nl_sock *socket);

/* A request with its fixed header, or NULL (no memory). */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t len);
/* Puts an attribute; a message that has no room left for it becomes NULL. */
void netlink_put(struct nl_msg **msg, int type, const void *data, size_t len);
void netlink_put_number(struct nl_msg **msg, int type, uint32_t number);
/* Consumes msg (NULL: out of memory). Calls each (may be NULL) for every reply but the last one.
 * 0, or -errno with *error filled. */
int netlink_request(struct nl_sock *socket, struct nl_msg *msg,
		    void (*each)(struct nlmsghdr *reply, void *arg), void *arg,
		    struct conf_error *error);
