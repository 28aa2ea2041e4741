/* SPDX-License-Identifier: MIT
 * What the system tells of our interface, and of the machine's addresses and routes (rtnetlink). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nl_sock;

struct netwatch {
	struct nl_sock *socket;
	unsigned ifindex;
	bool lost; /* some news, and the rest of what came before it is not read yet */
	/* set by netwatch_read() */
	bool link_seen;   /* up and mtu are news */
	bool link_gone;   /* deleted, or moved to another network namespace */
	bool went_down;   /* it was down in between, whatever it is now */
	bool routes_seen; /* an address, a route or a rule of the machine changed */
	bool up;
	uint32_t mtu;
};

/* Subscribes, and asks for the present state of interface ifindex. 0 or -errno. */
int netwatch_open(struct netwatch *watch, unsigned ifindex);
void netwatch_close(struct netwatch *watch);
int netwatch_fd(const struct netwatch *watch);
/* Reads all news; resets the fields above first. 0 or -errno. */
int netwatch_read(struct netwatch *watch);
