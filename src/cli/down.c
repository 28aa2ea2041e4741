/* SPDX-License-Identifier: MIT
 * Takes a tunnel down, whatever state it is in. Needs the interface's name only: the file may
 * be gone, or broken. */
#include "cli/down.h"

#include <errno.h>
#include <string.h>
#include "cli/args.h"
#include "cli/client.h"
#include "cli/iface.h"
#include "cli/interrupt.h"
#include "cli/lock.h"
#include "cli/paths.h"
#include "cli/plan.h"
#include "cli/say.h"
#include "cli/tunnel.h"
#include "conf/error.h"

static int take_down(struct iface *iface, const char *name, bool quiet)
{
	struct interrupt interrupt;
	struct plan plan = PLAN_EMPTY;
	struct tunnel tunnel = {.name = name, .iface = iface, .interrupt = &interrupt};
	int err;

	tunnel_plan_stop(&plan);
	interrupt_begin(&interrupt);
	err = plan_run(&plan, &tunnel, &interrupt, quiet);
	interrupt_end(&interrupt);
	tunnel_free(&tunnel);
	plan_free(&plan);
	return err;
}

/* What an engine that was killed has left: a socket at least, or a TUN that was made to stay. */
static int clear_leftovers(struct iface *iface, const char *name, bool quiet)
{
	char path[CLIENT_PATH_MAX];
	struct iface_link link;
	int err;

	say_error("the engine of %s is gone; clearing what it left behind", name);
	if (!iface_find(iface, name, &link, NULL))
		return take_down(iface, name, quiet);
	err = client_remove_stale(name);
	if (err)
		say_error("cannot remove %s: %s", client_path(path, name), strerror(-err));
	return err;
}

static int down(const char *name, bool quiet)
{
	enum tunnel_state state = TUNNEL_ABSENT;
	struct conf_error error = {0};
	struct iface *iface;
	int err = iface_open(&iface);

	if (err) {
		say_error("cannot talk to the kernel's network configuration: %s", strerror(-err));
		return err;
	}
	err = tunnel_look(iface, name, &state, &error);
	if (err) {
		say_error("cannot look for %s: %s", name, error.what);
		goto out;
	}
	err = -ENODEV;
	switch (state) {
	case TUNNEL_ABSENT:
		say_error("%s is not a WireGuard interface: there is none of that name", name);
		break;
	case TUNNEL_FOREIGN:
		say_error("%s is not a WireGuard interface", name);
		break;
	case TUNNEL_ELSEWHERE:
		say_error("the interface of %s is not in this network namespace; "
			  "take it down there", name);
		break;
	case TUNNEL_LEFTOVER:
		err = clear_leftovers(iface, name, quiet);
		break;
	case TUNNEL_RUNS:
		err = take_down(iface, name, quiet);
		break;
	}
out:
	iface_close(iface);
	return err;
}

enum command_result down_run(int argc, char **argv)
{
	struct conf_error error = {0};
	struct paths paths;
	struct args args;
	int lock, err;

	if (args_parse(&args, argc, argv, ARGS_QUIET) || args.count != 1)
		return COMMAND_USAGE;
	if (paths_find_name(&paths, args.words[0], &error)) {
		say_error("%s", error.what);
		return COMMAND_FAILED;
	}
	err = lock_take(&lock, paths.name);
	if (err)
		say_error("another wgctl is at work on %s", paths.name);
	else
		err = down(paths.name, args.quiet);
	lock_release(lock, paths.name);
	return err ? COMMAND_FAILED : COMMAND_OK;
}
