/* SPDX-License-Identifier: MIT
 * Brings a tunnel up: reads and checks all there is to check, resolves, then plans and carries
 * the plan out. Compare wg-quick(8). */
#include "cli/up.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "cli/client.h"
#include "cli/dns.h"
#include "cli/iface.h"
#include "cli/policy.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/setup.h"
#include "conf/error.h"

#define PORT_RELEASE 2000 /* ms for an engine that is about to end to give its port back */
#define POLL_INTERVAL 10  /* ms */

static int check_absent(const struct setup *setup)
{
	const char *name = setup->paths.name;
	struct conf_error error = {0};
	char path[CLIENT_PATH_MAX];
	struct iface_link link;
	int err = iface_find(setup->tunnel.iface, name, &link, &error);

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
static int check_port(const struct model *device)
{
	const struct timespec pause = {.tv_nsec = POLL_INTERVAL * 1000000L};
	const uint16_t port = device->listen_port;
	int err = 0;

	if (!device->has_listen_port || !port)
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

/* Its engine does not run, so that the namespace is probably gone: that of a container that was
 * started again. What it left there is out of reach, and in nobody's way here. */
static void forget_elsewhere(struct setup *setup)
{
	if (record_state(setup->record) != RECORD_ELSEWHERE)
		return;
	say_warning("%s was set up in another network namespace before, and not taken down there",
		    setup->paths.name);
	plan_keep_lasting(&setup->recorded);
}

/* What a tunnel that ended without a `down' has left, but for a kill switch: it is kept, and
 * recorded, until the next one holds. */
static int clear(struct setup *setup, struct plan *kept)
{
	int err = 0;

	if (record_state(setup->record) != RECORD_NONE)
		err = setup_go(setup, &setup->recorded, kept, PLAN_CLEAR);
	if (setup->order->dry_run)
		return err;
	dns_clear(setup->paths.name);
	/* What was given up may be another's by now. */
	plan_free(&setup->recorded);
	policy_keep(&setup->recorded, kept);
	return err;
}

int up_clear(struct setup *setup)
{
	struct plan kept = PLAN_EMPTY;
	int err;

	policy_keep(&kept, &setup->recorded);
	err = clear(setup, &kept);
	plan_free(&kept);
	return err;
}

static int resolve(struct setup *setup, const struct plan *kept)
{
	int err = setup_resolve(setup);

	if (err && kept->count)
		say_error("the kill switch that %s left behind keeps name servers out of reach; "
			  "`wgctl down %s' lifts it, or give the endpoint's address",
			  setup->paths.name, setup->paths.name);
	return err;
}

int up_go(struct setup *setup)
{
	struct plan kept = PLAN_EMPTY;
	int err = setup_read(setup);

	if (!err)
		err = check_absent(setup);
	if (!err)
		err = check_port(&setup->file.device);
	if (!err)
		forget_elsewhere(setup);
	policy_keep(&kept, &setup->recorded);
	if (!err)
		err = clear(setup, &kept); /* first: it may keep names from being resolved */
	if (!err)
		err = resolve(setup, &kept);
	if (!err)
		err = setup_plan(setup);
	if (!err) {
		record_set_file(setup->record, setup->paths.file);
		err = setup_go(setup, &kept, &setup->plan, PLAN_UP);
	}
	plan_free(&kept);
	return err;
}

enum command_result up_run(int argc, char **argv)
{
	return setup_run(argc, argv, true, up_go);
}
