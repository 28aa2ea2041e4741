/* SPDX-License-Identifier: MIT
 * Brings a tunnel up: reads and checks all there is to check, resolves, then plans and carries
 * the plan out. Compare wg-quick(8). */
#include "cli/up.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "cli/access.h"
#include "cli/args.h"
#include "cli/client.h"
#include "cli/iface.h"
#include "cli/interrupt.h"
#include "cli/lock.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/resolve.h"
#include "cli/routes.h"
#include "cli/say.h"
#include "cli/spawn.h"
#include "cli/tunnel.h"
#include "conf/error.h"
#include "conf/file.h"
#include "conf/source.h"

#define OVERHEAD 80       /* bytes: IPv6, UDP and WireGuard headers, the tag, the padding */
#define DEFAULT_MTU 1500  /* of a way that cannot be asked */
#define PORT_RELEASE 2000 /* ms for an engine that is about to end to give its port back */
#define POLL_INTERVAL 10  /* ms */

struct up {
	struct paths paths;
	struct file file;
	struct iface *iface;
	struct prefix *routes; /* owned */
	size_t route_count;
	uint32_t mtu;
	bool quiet;
};

static int read_file(struct up *up)
{
	struct conf_error error = {0};
	int err = file_read(&up->file, up->paths.file, &error);

	if (err) {
		say_file_error(up->paths.file, &error);
		return err;
	}
	for (size_t i = 0; i < up->file.warning_count; i++)
		say_file_warning(up->paths.file, &up->file.warnings[i]);
	if (source_is_exposed(up->paths.file))
		say_warning("%s is accessible to other users; `chmod 600 %s' keeps its keys secret",
			    up->paths.file, up->paths.file);
	return 0;
}

static bool has_hooks(const struct file *file)
{
	for (size_t i = 0; i < FILE_HOOKS; i++)
		if (file->hooks[i].count)
			return true;
	return false;
}

/* What this version reads but does not do, it does not pass over. */
static int refuse_unsupported(const struct up *up)
{
	const struct file *file = &up->file;
	const struct {
		enum keyword key;
		bool is_wanted;
	} keys[] = {
		{KEYWORD_DNS, file->dns.count || file->search.count},
		{KEYWORD_TABLE, file->table && strcmp(file->table, "auto") != 0},
		{KEYWORD_PRE_UP, has_hooks(file)},
		{KEYWORD_POST_UP, has_hooks(file)},
		{KEYWORD_PRE_DOWN, has_hooks(file)},
		{KEYWORD_POST_DOWN, has_hooks(file)},
		{KEYWORD_SAVE_CONFIG, file->save_config},
		{KEYWORD_KILL_SWITCH, file->kill_switch},
	};
	struct conf_error error;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (!keys[i].is_wanted || !file->line_of[keys[i].key])
			continue;
		conf_error_set(&error, ENOTSUP, file->line_of[keys[i].key], 0,
			       "%s is not supported yet: remove the line, or use wg-quick with "
			       "WG_QUICK_USERSPACE_IMPLEMENTATION=wgengine",
			       keyword_name(keys[i].key));
		say_file_error(up->paths.file, &error);
		return -ENOTSUP;
	}
	return 0;
}

/* What this version cannot do without leaking traffic, it does not begin. */
static int refuse_default_route(const struct up *up)
{
	const struct model_peer *peer;
	struct conf_error error;
	struct prefix prefix;
	char text[PREFIX_TEXT_MAX];

	peer = routes_find_default(&up->file.device, &prefix);
	if (!peer)
		return 0;
	conf_error_set(&error, ENOTSUP, peer->line, 0,
		       "AllowedIPs = %s sends all traffic to this peer, which wgctl cannot set up "
		       "yet: name the networks behind the peer instead, or use wg-quick for this "
		       "file",
		       prefix_format(text, &prefix));
	say_file_error(up->paths.file, &error);
	return -ENOTSUP;
}

static int check_absent(const struct up *up)
{
	const char *name = up->paths.name;
	struct conf_error error = {0};
	char path[CLIENT_PATH_MAX];
	struct iface_link link;
	int err = iface_find(up->iface, name, &link, &error);

	if (!err) {
		say_error("%s already exists; `wgctl down %s' takes a tunnel of that name down",
			  name, name);
		return -EEXIST;
	}
	if (err != -ENODEV) {
		say_error("cannot look for %s: %s", name, error.what);
		return err;
	}
	if (client_probe(name))
		return 0;
	say_error("an engine for %s already answers on %s, but its interface is not in this "
		  "network namespace; choose another name, or take it down there",
		  name, client_path(path, name));
	return -EEXIST;
}

/* Whether the UDP port is free: 0 or -errno. */
static int try_port(int family, uint16_t port)
{
	union sockaddr_ip any = {.sa.sa_family = (sa_family_t)family};
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const int on = 1;
	int err = 0;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (family == AF_INET) {
		any.in4.sin_port = htons(port);
	} else {
		any.in6.sin6_port = htons(port);
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (bind(fd, &any.sa, endpoint_len(&any)) && errno != EADDRNOTAVAIL)
		err = -errno;
	close(fd);
	return err;
}

/* Engines tell nobody when they cannot listen; a port that is taken is found here. */
static int check_port(const struct up *up)
{
	const struct timespec pause = {.tv_nsec = POLL_INTERVAL * 1000000L};
	const uint16_t port = up->file.device.listen_port;
	int err = 0;

	if (!up->file.device.has_listen_port || !port)
		return 0;
	for (int ms = 0; ms < PORT_RELEASE; ms += POLL_INTERVAL) {
		err = try_port(AF_INET, port);
		if (!err)
			err = try_port(AF_INET6, port);
		if (err != -EADDRINUSE)
			break;
		nanosleep(&pause, NULL);
	}
	if (err)
		say_error("cannot listen on UDP port %u (ListenPort): %s", port, strerror(-err));
	return err;
}

static int resolve(struct up *up)
{
	struct conf_error error = {0};
	int err = resolve_endpoints(&up->file.device, &error);

	if (err && error.line)
		say_file_error(up->paths.file, &error);
	else if (err)
		say_error("%s", error.what);
	return err;
}

/* The narrowest way to any endpoint, less what a packet grows by. */
static uint32_t choose_mtu(const struct up *up)
{
	const struct model *device = &up->file.device;
	const uint32_t mark = device->has_fwmark ? device->fwmark : 0;
	uint32_t narrowest = 0, mtu;

	if (up->file.mtu)
		return up->file.mtu;
	for (size_t i = 0; i < device->peer_count; i++) {
		const union sockaddr_ip *endpoint = &device->peers[i].endpoint;

		if (endpoint->sa.sa_family == AF_UNSPEC ||
		    iface_path_mtu(up->iface, endpoint, mark, &mtu) || !mtu)
			continue;
		if (!narrowest || mtu < narrowest)
			narrowest = mtu;
	}
	if (!narrowest && (iface_default_mtu(up->iface, &narrowest) || !narrowest))
		narrowest = DEFAULT_MTU;
	return narrowest > OVERHEAD ? narrowest - OVERHEAD : narrowest;
}

/* All that can go wrong without having changed anything. 0 or -errno, said. */
static int prepare(struct up *up)
{
	int err = read_file(up);

	if (!err)
		err = refuse_unsupported(up);
	if (!err)
		err = refuse_default_route(up);
	if (!err)
		err = access_exclude(&up->file.device);
	if (err)
		return err;
	err = iface_open(&up->iface);
	if (err) {
		say_error("cannot talk to the kernel's network configuration: %s", strerror(-err));
		return err;
	}
	err = check_absent(up);
	if (!err)
		err = check_port(up);
	if (!err)
		err = resolve(up);
	if (err)
		return err;
	up->mtu = choose_mtu(up);
	err = routes_collect(&up->file.device, &up->routes, &up->route_count);
	if (err)
		say_error("out of memory");
	return err;
}

static int carry_out(const struct up *up)
{
	struct interrupt interrupt;
	struct plan plan = PLAN_EMPTY;
	char engine[PATH_MAX];
	struct tunnel tunnel = {
		.name = up->paths.name,
		.file = up->paths.file,
		.engine = spawn_find_engine(engine),
		.model = &up->file.device,
		.iface = up->iface,
		.interrupt = &interrupt,
	};
	int err;

	tunnel_plan_start(&plan);
	tunnel_plan_configure(&plan);
	for (size_t i = 0; i < up->file.address_count; i++)
		tunnel_plan_address(&plan, &up->file.addresses[i]);
	tunnel_plan_up(&plan, up->mtu);
	for (size_t i = 0; i < up->route_count; i++)
		tunnel_plan_route(&plan, &up->routes[i]);

	interrupt_begin(&interrupt);
	err = plan_run(&plan, &tunnel, &interrupt, up->quiet);
	interrupt_end(&interrupt);
	tunnel_free(&tunnel);
	plan_free(&plan);
	return err;
}

enum command_result up_run(int argc, char **argv)
{
	struct up up = {0};
	struct conf_error error = {0};
	struct args args;
	int lock, err;

	if (args_parse(&args, argc, argv, ARGS_QUIET) || args.count != 1)
		return COMMAND_USAGE;
	up.quiet = args.quiet;
	err = paths_find(&up.paths, args.words[0], &error);
	if (err) {
		say_error("%s", error.what);
		return COMMAND_FAILED;
	}
	err = lock_take(&lock, up.paths.name);
	if (err)
		say_error("another wgctl is at work on %s", up.paths.name);
	if (!err)
		err = prepare(&up);
	if (!err)
		err = carry_out(&up);
	lock_release(lock, up.paths.name);
	free(up.routes);
	iface_close(up.iface);
	file_wipe(&up.file);
	return err ? COMMAND_FAILED : COMMAND_OK;
}
