/* SPDX-License-Identifier: MIT
 * Takes a tunnel down, whatever state it is in: undoes what was recorded. The file may be gone, or
 * broken, or edited since. */
#include "cli/down.h"

#include <errno.h>
#include <string.h>
#include "cli/client.h"
#include "cli/device.h"
#include "cli/dns.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/setup.h"
#include "cli/tunnel.h"
#include "conf/error.h"

/* Whether there is something to take down. 0 or -errno, said. */
static int check_state(const struct setup *setup, enum tunnel_state state)
{
	const char *name = setup->paths.name;

	switch (state) {
	case TUNNEL_ABSENT:
		if (setup->recorded.count)
			break;
		say_error("%s is not a WireGuard interface: there is none of that name", name);
		return -ENODEV;
	case TUNNEL_FOREIGN:
		say_error("%s is not a WireGuard interface", name);
		return -ENODEV;
	case TUNNEL_ELSEWHERE:
		say_error("the interface of %s is not in this network namespace; "
			  "take it down there",
			  name);
		return -ENODEV;
	case TUNNEL_RUNS:
		return 0;
	case TUNNEL_LEFTOVER:
		break;
	}
	if (record_state(setup->record) == RECORD_ELSEWHERE) {
		say_error("%s was set up in another network namespace; take it down there", name);
		return -ENODEV;
	}
	say_error("the engine of %s is gone; clearing what it left behind", name);
	return 0;
}

/* The mark that wg-quick(8) has chosen, if it was that. */
static void adopt_mark(struct setup *setup)
{
	struct model *device = &setup->file.device;
	struct conf_error error = {0};

	if (device_get(setup->paths.name, &setup->before, &error) || !setup->before.fwmark)
		return;
	device->has_fwmark = true;
	device->fwmark = setup->before.fwmark;
}

/* Nothing was recorded: what the file says now is the best guess; and one needs to know but the
 * name to take the link away. */
static int guess(struct setup *setup)
{
	struct conf_error error = {0};

	setup->is_guess = true;
	if (setup->paths.file[0] && !file_read(&setup->file, setup->paths.file, &error)) {
		adopt_mark(setup);
		return setup_plan(setup);
	}
	tunnel_plan_start(&setup->plan);
	return 0;
}

int down_go(struct setup *setup)
{
	enum tunnel_state state = TUNNEL_ABSENT;
	enum plan_way way = PLAN_DOWN;
	struct plan nothing = PLAN_EMPTY;
	struct conf_error error = {0};
	int err = tunnel_look(setup->tunnel.iface, setup->paths.name, &state, &error);

	if (err) {
		say_error("cannot look for %s: %s", setup->paths.name, error.what);
		return err;
	}
	if (state == TUNNEL_ABSENT && !setup->recorded.count && !setup->order->dry_run &&
	    dns_clear(setup->paths.name))
		return 0;
	err = check_state(setup, state);
	if (err)
		return err;
	if (record_state(setup->record) == RECORD_HERE && setup->recorded.count)
		return setup_go(setup, &setup->recorded, &nothing, PLAN_DOWN);
	/* What outlived a boot, since which the tunnel was not up if nothing of it runs. */
	if (record_state(setup->record) == RECORD_OLD) {
		way = state == TUNNEL_RUNS ? PLAN_DOWN : PLAN_CLEAR;
		err = setup_go(setup, &setup->recorded, &nothing, PLAN_CLEAR);
	}
	if (state != TUNNEL_ABSENT &&
	    (guess(setup) || setup_go(setup, &setup->plan, &nothing, way)))
		err = -EIO;
	if (!setup->order->dry_run)
		dns_clear(setup->paths.name);
	return err;
}

enum command_result down_run(int argc, char **argv)
{
	return setup_run(argc, argv, false, down_go);
}
