/* SPDX-License-Identifier: MIT
 * The steps that make a tunnel of an interface, and the way to take one down. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conf_error;
struct iface;
struct interrupt;
struct model;
struct plan;
struct prefix;

/* The world that the steps of a plan work on. All pointers are borrowed, but connected. */
struct tunnel {
	const char *name;
	const char *file;            /* the configuration's, for the trace */
	const char *engine;          /* the program; NULL: the kernel's own module */
	struct model *model;         /* what is wanted; configure may reduce it */
	struct model *before;        /* what a change starts from; NULL: nothing was there */
	const struct plan *recorded; /* the steps that it starts from */
	struct iface *iface;
	struct interrupt *interrupt;
	unsigned index;           /* of the link, once it is there */
	bool knows_connected;     /* the next two are read */
	struct prefix *connected; /* what the addresses alone make the link route; owned */
	size_t connected_count;
};

enum tunnel_state {
	TUNNEL_ABSENT, /* neither link nor socket */
	TUNNEL_RUNS,   /* its engine answers, its link is here; or the link is the kernel's own */
	TUNNEL_ELSEWHERE, /* its engine answers, but its link is not in this network namespace */
	TUNNEL_LEFTOVER,  /* a TUN or a socket, or both, that an engine left behind */
	TUNNEL_FOREIGN,   /* a link of that name that is no tunnel of ours */
};

/* 0 or -errno with *error filled. */
int tunnel_look(struct iface *iface, const char *name, enum tunnel_state *state,
		struct conf_error *error);

/* Takes the link away, whereupon the engine ends, and clears what it leaves. A link that is not
 * there is fine. 0 or -errno with *why filled. */
int tunnel_stop(struct tunnel *tunnel, struct conf_error *why);

extern const struct plan_verb *const tunnel_verbs[]; /* ends in NULL */
/* Steps, to be appended to a plan in this order. */
void tunnel_plan_start(struct plan *plan); /* the link, and with it the engine */
void tunnel_plan_address(struct plan *plan, const struct prefix *address);
void tunnel_plan_up(struct plan *plan, uint32_t mtu);
/* Whether a step of the plan gives the link this address, with whatever length. */
bool tunnel_gives(const struct plan *plan, const struct prefix *address);
/* Table 0 is main, where what the addresses route already is passed over. */
void tunnel_plan_route(struct plan *plan, const struct prefix *to, uint32_t table);

void tunnel_free(struct tunnel *tunnel);
