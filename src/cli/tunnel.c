/* SPDX-License-Identifier: MIT
 * What each step of a plan does with an interface: the order of steps is up's and down's,
 * netlink is iface's, the engine's socket is client's. */
#include "cli/tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "cli/client.h"
#include "cli/iface.h"
#include "cli/interrupt.h"
#include "cli/plan.h"
#include "cli/say.h"
#include "cli/spawn.h"
#include "conf/error.h"
#include "conf/prefix.h"
#include "conf/text.h"

#define KERNEL_KIND "wireguard" /* of a link */
#define STOP_LIMIT 5000         /* ms for an engine to end once its link is gone */
#define POLL_INTERVAL 10        /* ms */

static bool is_leftover(const struct iface_link *link)
{
	return !strcmp(link->kind, "tun") && !link->carrier;
}

int tunnel_look(struct iface *iface, const char *name, enum tunnel_state *state,
		struct conf_error *error)
{
	struct iface_link link;
	int answer = client_probe(name);
	int err = iface_find(iface, name, &link, error);

	if (err && err != -ENODEV)
		return err;
	if (answer && answer != -ENOENT && answer != -ECONNREFUSED)
		return conf_error_set(error, -answer, 0, 0, "the engine's socket: %s",
				      strerror(-answer));
	if (err && !answer)
		*state = TUNNEL_ELSEWHERE;
	else if (!answer)
		*state = strcmp(link.kind, "tun") ? TUNNEL_FOREIGN : TUNNEL_RUNS;
	else if (err)
		*state = answer == -ECONNREFUSED ? TUNNEL_LEFTOVER : TUNNEL_ABSENT;
	else if (!strcmp(link.kind, KERNEL_KIND))
		*state = TUNNEL_RUNS;
	else
		*state = is_leftover(&link) ? TUNNEL_LEFTOVER : TUNNEL_FOREIGN;
	return 0;
}

static const char *family_flag(const struct prefix *prefix)
{
	return prefix->family == AF_INET ? "-4" : "-6";
}

/* Waits until neither the link nor a socket that answers is left. 0 or -ETIMEDOUT. */
static int wait_end(const struct tunnel *tunnel, struct conf_error *why)
{
	struct iface_link link;

	for (int ms = 0; ms < STOP_LIMIT; ms += POLL_INTERVAL) {
		const struct timespec pause = {.tv_nsec = POLL_INTERVAL * 1000000L};

		if (client_probe(tunnel->name) &&
		    iface_find(tunnel->iface, tunnel->name, &link, NULL))
			return 0;
		nanosleep(&pause, NULL);
	}
	return conf_error_set(why, ETIMEDOUT, 0, 0, "its engine still runs %d seconds later",
			      STOP_LIMIT / 1000);
}

int tunnel_stop(struct tunnel *tunnel, struct conf_error *why)
{
	struct iface_link link;
	int err = iface_find(tunnel->iface, tunnel->name, &link, why);

	if (!err)
		err = iface_delete(tunnel->iface, link.index, why);
	if (err && err != -ENODEV)
		return err;
	err = wait_end(tunnel, why);
	if (err)
		return err;
	tunnel->index = 0;
	err = client_remove_stale(tunnel->name);
	if (err && err != -ENOENT)
		return conf_error_set(why, -err, 0, 0, "cannot remove its socket: %s",
				      strerror(-err));
	return 0;
}

static void start_describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			   struct text *out)
{
	const struct tunnel *tunnel = world;

	(void)step;
	switch (phrase) {
	case PLAN_DO:
		if (tunnel->engine)
			text_printf(out, "%s %s", tunnel->engine, tunnel->name);
		else
			text_printf(out, "ip link add %s type " KERNEL_KIND, tunnel->name);
		break;
	case PLAN_UNDO:
		text_printf(out, "ip link delete dev %s", tunnel->name);
		break;
	case PLAN_GOAL:
		text_printf(out, tunnel->engine ? "start an engine for %s" : "make the link %s",
			    tunnel->name);
		break;
	}
}

static int make_link(const struct tunnel *tunnel, struct conf_error *why)
{
	int err = iface_add(tunnel->iface, tunnel->name, KERNEL_KIND, why);

	if (err == -EOPNOTSUPP)
		return conf_error_set(
			why, EOPNOTSUPP, 0, 0,
			"this kernel has no WireGuard, or its module cannot be "
			"loaded; without WGCTL_ENGINE=kernel an engine does the work");
	return err;
}

static int start_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	struct tunnel *tunnel = world;
	struct iface_link link;
	int err = 0;

	(void)step;
	if (!tunnel->engine)
		err = make_link(tunnel, why);
	if (err)
		return err; /* a link that another made meanwhile is not ours to delete */
	if (tunnel->engine)
		err = spawn_engine(tunnel->engine, tunnel->name, tunnel->interrupt, why);
	if (!err)
		err = iface_find(tunnel->iface, tunnel->name, &link, why);
	if (err) {
		(void)tunnel_stop(tunnel, NULL);
		return err;
	}
	tunnel->index = link.index;
	return 0;
}

static int start_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	(void)step;
	return tunnel_stop(world, why);
}

static void address_describe(const void *world, const struct plan_step *step,
			     enum plan_phrase phrase, struct text *out)
{
	const struct tunnel *tunnel = world;
	const char *flag = family_flag(&step->prefix);
	char address[PREFIX_TEXT_MAX];

	prefix_format(address, &step->prefix);
	switch (phrase) {
	case PLAN_DO:
		text_printf(out, "ip %s address add %s dev %s", flag, address, tunnel->name);
		break;
	case PLAN_UNDO:
		text_printf(out, "ip %s address delete %s dev %s", flag, address, tunnel->name);
		break;
	case PLAN_GOAL:
		text_printf(out, "add address %s to %s", address, tunnel->name);
		break;
	}
}

/* In this kernel, or on the link. */
static bool is_ipv6_off(int err, const struct plan_step *step)
{
	return step->prefix.family == AF_INET6 &&
	       (err == -EAFNOSUPPORT || err == -EOPNOTSUPP || err == -EACCES);
}

static int address_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	char address[PREFIX_TEXT_MAX];
	int err = iface_add_address(tunnel->iface, tunnel->index, &step->prefix, why);

	if (!is_ipv6_off(err, step))
		return err;
	say_warning("IPv6 is off here: %s goes without the address %s (%s)", tunnel->name,
		    prefix_format(address, &step->prefix), why->what);
	return 0;
}

/* A link that is gone has no addresses and no routes any more; one that is too narrow for IPv6
 * has none of these. */
static int unless_gone(int err)
{
	return err == -ENODEV || err == -ENXIO || err == -EADDRNOTAVAIL || err == -ESRCH ? 0 : err;
}

static int address_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	int err = iface_delete_address(tunnel->iface, tunnel->index, &step->prefix, why);

	return is_ipv6_off(err, step) ? 0 : unless_gone(err);
}

static void up_describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			struct text *out)
{
	const struct tunnel *tunnel = world;

	switch (phrase) {
	case PLAN_DO:
		text_printf(out, "ip link set mtu %u up dev %s", step->number, tunnel->name);
		break;
	case PLAN_UNDO:
		text_printf(out, "ip link set down dev %s", tunnel->name);
		break;
	case PLAN_GOAL:
		text_printf(out, "set %s up with an MTU of %u", tunnel->name, step->number);
		break;
	}
}

static int up_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;

	return iface_set_up(tunnel->iface, tunnel->index, step->number, why);
}

static int up_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;

	(void)step;
	return unless_gone(iface_set_down(tunnel->iface, tunnel->index, why));
}

static void route_describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			   struct text *out)
{
	const struct tunnel *tunnel = world;
	const char *flag = family_flag(&step->prefix);
	char to[PREFIX_TEXT_MAX], table[24] = "";

	prefix_format(to, &step->prefix);
	if (step->number)
		snprintf(table, sizeof(table), " table %u", step->number);
	switch (phrase) {
	case PLAN_DO:
		text_printf(out, "ip %s route add %s dev %s%s", flag, to, tunnel->name, table);
		break;
	case PLAN_UNDO:
		text_printf(out, "ip %s route delete %s dev %s%s", flag, to, tunnel->name, table);
		break;
	case PLAN_GOAL:
		text_printf(out, "add the route to %s through %s", to, tunnel->name);
		break;
	}
}

/* Whether the link's addresses brought a route that covers this one. (Among the routes of the
 * plan the narrower come first and none comes twice, so they never do.) */
static bool route_holds(void *world, const struct plan_step *step)
{
	struct tunnel *tunnel = world;

	if (step->number)
		return false;
	if (!tunnel->knows_connected)
		tunnel->knows_connected = !iface_list_routes(
			tunnel->iface, tunnel->index, &tunnel->connected, &tunnel->connected_count);
	for (size_t i = 0; i < tunnel->connected_count; i++)
		if (prefix_contains(&tunnel->connected[i], &step->prefix))
			return true;
	return false;
}

static struct iface_route step_route(const struct tunnel *tunnel, const struct plan_step *step)
{
	return (struct iface_route){
		.to = step->prefix, .index = tunnel->index, .table = step->number};
}

/* Without the route its packets go where the others go: outside, if there is a way. */
static int pass_over(const struct tunnel *tunnel, const struct plan_step *step, int err,
		     struct conf_error *why)
{
	char to[PREFIX_TEXT_MAX], words[sizeof(why->what)];
	bool leaks = true;

	strcpy(words, why->what);
	if (iface_has_default(tunnel->iface, AF_INET6, &leaks) || leaks)
		return conf_error_set(why, -err, 0, 0,
				      "IPv6 is off on %s (%s), but not elsewhere, so that packets "
				      "would leave outside the tunnel: turn it on there, or off "
				      "everywhere",
				      tunnel->name, words);
	say_warning("IPv6 is off here: %s goes without the route to %s (%s)", tunnel->name,
		    prefix_format(to, &step->prefix), words);
	return 0;
}

static int route_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	const struct iface_route route = step_route(tunnel, step);
	int err = iface_add_route(tunnel->iface, &route, why);

	return is_ipv6_off(err, step) ? pass_over(tunnel, step, err, why) : err;
}

static int route_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	const struct iface_route route = step_route(tunnel, step);
	int err = iface_delete_route(tunnel->iface, &route, why);

	return is_ipv6_off(err, step) ? 0 : unless_gone(err);
}

static const struct plan_verb start_verb = {
	.name = "link", .describe = start_describe, .act = start_act, .undo = start_undo};
static const struct plan_verb address_verb = {.name = "address",
					      .is_of_link = true,
					      .describe = address_describe,
					      .act = address_act,
					      .undo = address_undo};
static const struct plan_verb up_verb = {.name = "up",
					 .is_single = true,
					 .is_of_link = true,
					 .describe = up_describe,
					 .act = up_act,
					 .undo = up_undo};
static const struct plan_verb route_verb = {.name = "route",
					    .is_of_link = true,
					    .describe = route_describe,
					    .holds = route_holds,
					    .act = route_act,
					    .undo = route_undo};

const struct plan_verb *const tunnel_verbs[] = {&start_verb, &address_verb, &up_verb, &route_verb,
						NULL};

void tunnel_plan_start(struct plan *plan)
{
	plan_add(plan, &start_verb, NULL, 0, NULL);
}

void tunnel_plan_address(struct plan *plan, const struct prefix *address)
{
	plan_add(plan, &address_verb, address, 0, NULL);
}

bool tunnel_gives(const struct plan *plan, const struct prefix *address)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_step *step = &plan->steps[i];

		if (step->verb == &address_verb && step->prefix.family == address->family &&
		    !memcmp(step->prefix.addr, address->addr, sizeof(address->addr)))
			return true;
	}
	return false;
}

void tunnel_plan_up(struct plan *plan, uint32_t mtu)
{
	plan_add(plan, &up_verb, NULL, mtu, NULL);
}

void tunnel_plan_route(struct plan *plan, const struct prefix *to, uint32_t table)
{
	plan_add(plan, &route_verb, to, table, NULL);
}

void tunnel_free(struct tunnel *tunnel)
{
	free(tunnel->connected);
	tunnel->connected = NULL;
	tunnel->connected_count = 0;
}
