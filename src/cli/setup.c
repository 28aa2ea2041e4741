/* SPDX-License-Identifier: MIT
 * The order of the steps is wg-quick(8)'s. */
#include "cli/setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "cli/args.h"
#include "cli/configure.h"
#include "cli/dns.h"
#include "cli/firewall.h"
#include "cli/hooks.h"
#include "cli/iface.h"
#include "cli/interrupt.h"
#include "cli/lock.h"
#include "cli/policy.h"
#include "cli/record.h"
#include "cli/resolve.h"
#include "cli/routes.h"
#include "cli/save.h"
#include "cli/say.h"
#include "cli/spawn.h"
#include "conf/error.h"
#include "conf/exclude.h"
#include "conf/keyword.h"
#include "conf/source.h"

#define LOCK_INTERVAL 50         /* ms between two tries to get a lock */
#define TURN_LIMIT 5000          /* ms for another's default routes: it may be who waits for us */
#define DEFAULT_ROUTES "default" /* no interface has this name */
#define OVERHEAD 80              /* bytes: IPv6, UDP and WireGuard headers, the tag, the padding */
#define DEFAULT_MTU 1500         /* of a way that cannot be asked */

static int find(struct setup *setup, const char *word, bool needs_file)
{
	struct conf_error error = {0};
	int err;

	if (needs_file)
		err = paths_find(&setup->paths, word, &error);
	else
		err = paths_find_name(&setup->paths, word, &error);
	if (err)
		say_error("%s", error.what);
	return err;
}

static int lock(struct setup *setup)
{
	struct interrupt *interrupt = setup->order->interrupt;
	int err;

	while ((err = lock_take(&setup->lock, setup->paths.name)) && interrupt &&
	       !interrupt_pending(interrupt))
		interrupt_wait(interrupt, LOCK_INTERVAL);
	if (err)
		say_error("another wgctl is at work on %s", setup->paths.name);
	return err;
}

static int begin(struct setup *setup, bool needs_file)
{
	int err = find(setup, setup->order->word, needs_file);

	if (!err)
		err = lock(setup);
	if (err)
		return err;
	err = iface_open(&setup->tunnel.iface);
	if (err) {
		say_error("cannot talk to the kernel's network configuration: %s", strerror(-err));
		return err;
	}
	err = record_open(&setup->record, setup->paths.name, &setup->recorded);
	if (err)
		say_error("out of memory");
	return err;
}

static void end(struct setup *setup)
{
	record_close(setup->record);
	iface_close(setup->tunnel.iface);
	tunnel_free(&setup->tunnel);
	plan_free(&setup->plan);
	plan_free(&setup->recorded);
	model_wipe(&setup->before);
	file_wipe(&setup->file);
	lock_release(setup->turn, DEFAULT_ROUTES);
	lock_release(setup->lock, setup->paths.name);
}

int setup_carry_out(const struct setup_order *order, bool needs_file, setup_work *work)
{
	struct setup setup = {.order = order, .lock = -1, .turn = -1};
	int err;

	setup.tunnel.name = setup.paths.name;
	setup.tunnel.file = setup.paths.file;
	setup.tunnel.engine = spawn_find_engine(setup.engine);
	setup.tunnel.model = &setup.file.device;
	setup.tunnel.recorded = &setup.recorded;
	err = begin(&setup, needs_file);
	if (!err)
		err = work(&setup);
	end(&setup);
	return err;
}

int setup_parse(struct setup_order *order, struct args *args, int argc, char **argv,
		unsigned accepts)
{
	int err = args_parse(args, argc, argv, accepts | ARGS_QUIET | ARGS_TAKES(ARGS_DNS));

	if (err || args->count != 1)
		return -EINVAL;
	*order = (struct setup_order){
		.word = args->words[0],
		.dns = args->values[ARGS_DNS],
		.quiet = args->quiet,
		.dry_run = args->dry_run,
	};
	if (!order->dns || dns_is_way(order->dns))
		return 0;
	say_error("--dns takes resolved, resolvconf, file or off, not `%s'", order->dns);
	return -EINVAL;
}

enum command_result setup_run(int argc, char **argv, bool needs_file, setup_work *work)
{
	struct setup_order order;
	struct args args;

	if (setup_parse(&order, &args, argc, argv, ARGS_DRY_RUN))
		return COMMAND_USAGE;
	return setup_carry_out(&order, needs_file, work) ? COMMAND_FAILED : COMMAND_OK;
}

int setup_read(struct setup *setup)
{
	struct conf_error error = {0};
	int err = file_read(&setup->file, setup->paths.file, &error);

	if (err) {
		say_file_error(setup->paths.file, &error);
		return err;
	}
	say_file_warnings(setup->paths.file, &setup->file);
	if (source_is_exposed(setup->paths.file))
		say_exposed(setup->paths.file);
	if (setup->file.search.count && !setup->file.dns.count)
		say_warning("%s:%u: domains alone do nothing: DNS wants a server's address, too",
			    setup->paths.file, setup->file.line_of[KEYWORD_DNS]);
	return 0;
}

int setup_resolve(struct setup *setup)
{
	struct conf_error error = {0};
	int err = resolve_endpoints(&setup->file.device, setup->order->interrupt, &error);

	if (err)
		say_conf_error(setup->paths.file, &error);
	return err;
}

/* The narrowest way to any endpoint, less what a packet grows by. */
static uint32_t choose_mtu(const struct setup *setup)
{
	const struct model *device = &setup->file.device;
	const uint32_t mark = device->has_fwmark ? device->fwmark : 0;
	struct iface *iface = setup->tunnel.iface;
	uint32_t narrowest = 0, mtu;

	if (setup->file.mtu)
		return setup->file.mtu;
	for (size_t i = 0; i < device->peer_count; i++) {
		const union sockaddr_ip *endpoint = &device->peers[i].endpoint;

		if (endpoint->sa.sa_family == AF_UNSPEC ||
		    iface_path_mtu(iface, endpoint, mark, &mtu) || !mtu)
			continue;
		if (!narrowest || mtu < narrowest)
			narrowest = mtu;
	}
	if (!narrowest && (iface_default_mtu(iface, &narrowest) || !narrowest))
		narrowest = DEFAULT_MTU;
	return narrowest > OVERHEAD ? narrowest - OVERHEAD : narrowest;
}

/* What a tunnel finds free is its own once its default routes are there: others wait for that. */
static void take_turn(struct setup *setup)
{
	const struct timespec pause = {.tv_nsec = LOCK_INTERVAL * 1000000L};
	const struct model *device = &setup->file.device;

	if (!routes_has_default(device, AF_INET) && !routes_has_default(device, AF_INET6))
		return;
	for (int ms = 0; ms < TURN_LIMIT && lock_take(&setup->turn, DEFAULT_ROUTES);
	     ms += LOCK_INTERVAL)
		nanosleep(&pause, NULL);
}

static int choose_policy(struct setup *setup, struct policy *policy)
{
	struct conf_error error = {0};
	int err;

	take_turn(setup);
	err = policy_choose(policy, &setup->file, setup->tunnel.iface, &setup->recorded,
			    setup->is_guess, &error);

	if (err)
		say_conf_error(setup->paths.file, &error);
	return err;
}

static int plan_routes(struct setup *setup, const struct policy *policy)
{
	struct plan *plan = &setup->plan;
	struct prefix *routes = NULL;
	size_t count = 0;
	int err = 0;

	if (policy->off)
		return 0;
	err = routes_collect(&setup->file.device, policy->mark, &routes, &count);
	for (size_t i = 0; i < count && !err; i++)
		tunnel_plan_route(plan, &routes[i], policy->table);
	free(routes);
	if (!err)
		err = policy_plan_defaults(plan, policy, &setup->file);
	return err ? err : firewall_plan(plan, policy, &setup->file);
}

static int plan_dns(struct setup *setup, bool has_default)
{
	const struct file *file = &setup->file;
	/* On a change alone what is recorded goes on. */
	const struct plan *recorded = setup->tunnel.before ? &setup->recorded : NULL;
	struct conf_error error = {0};
	int err = dns_plan(&setup->plan, recorded, file, setup->order->dns, has_default, &error);

	if (err)
		say_error("%s", error.what);
	return err;
}

int setup_plan(struct setup *setup)
{
	struct plan *plan = &setup->plan;
	const struct file *file = &setup->file;
	struct policy policy;
	int err = choose_policy(setup, &policy);

	if (err)
		return err;
	hooks_plan(plan, file, FILE_POST_DOWN, setup->paths.name);
	policy_plan_kill_switch(plan, &policy);
	tunnel_plan_start(plan);
	hooks_plan(plan, file, FILE_PRE_UP, setup->paths.name);
	configure_plan(plan, &file->device);
	for (size_t i = 0; i < file->address_count; i++)
		tunnel_plan_address(plan, &file->addresses[i]);
	tunnel_plan_up(plan, choose_mtu(setup));
	err = plan_dns(setup, policy.mark);
	if (err)
		return err;
	err = plan_routes(setup, &policy);
	hooks_plan(plan, file, FILE_POST_UP, setup->paths.name);
	if (file->save_config)
		save_plan(plan, setup->paths.file);
	hooks_plan(plan, file, FILE_PRE_DOWN, setup->paths.name);
	if (!err)
		err = exclude_apply_all(&setup->file.device);
	if (err)
		say_error("%s", exclude_problem(err));
	return err;
}

int setup_go(struct setup *setup, struct plan *from, struct plan *to, enum plan_way way)
{
	struct interrupt interrupt;
	const struct plan_walk walk = {
		.way = way,
		.world = &setup->tunnel,
		.interrupt = &interrupt,
		.record = setup->record,
		.quiet = setup->order->quiet,
		.only_says = setup->order->dry_run,
	};
	int err;

	setup->tunnel.interrupt = &interrupt;
	interrupt_begin(&interrupt);
	err = plan_go(from, to, &walk);
	interrupt_end(&interrupt);
	return err;
}
