/* SPDX-License-Identifier: MIT
 * Leads a tunnel that is up to what its file says now. Only what differs is touched: sessions,
 * endpoints that peers have roamed to and a random port live on. */
#include "cli/reload.h"

#include <errno.h>
#include <string.h>
#include "cli/configure.h"
#include "cli/device.h"
#include "cli/iface.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/setup.h"
#include "conf/error.h"

static int check_present(struct setup *setup)
{
	const char *name = setup->paths.name;
	enum tunnel_state state = TUNNEL_ABSENT;
	struct conf_error error = {0};
	struct iface_link link;
	int err = tunnel_look(setup->tunnel.iface, name, &state, &error);

	if (!err && state == TUNNEL_RUNS)
		err = iface_find(setup->tunnel.iface, name, &link, &error);
	if (err) {
		say_error("cannot look for %s: %s", name, error.what);
		return err;
	}
	if (state != TUNNEL_RUNS) {
		say_error("%s is not up: `wgctl up %s' brings it up", name, name);
		return -ENODEV;
	}
	if (record_state(setup->record) != RECORD_HERE) {
		say_error("nothing is recorded of how %s was set up: take it down and up again",
			  name);
		return -ENOENT;
	}
	setup->tunnel.index = link.index;
	return 0;
}

static int look(struct setup *setup)
{
	struct conf_error error = {0};
	int err = device_get(setup->paths.name, &setup->before, &error);

	if (err)
		say_error("cannot read the configuration of %s: %s", setup->paths.name, error.what);
	setup->tunnel.before = &setup->before;
	return err;
}

int reload_go(struct setup *setup)
{
	struct model *wanted = &setup->file.device;
	int err = check_present(setup);

	/* The file that it came from, unless another is named. */
	if (!err && !setup->paths.is_file)
		strcpy(setup->paths.file, record_file(setup->record));
	if (!err)
		err = setup_read(setup);
	if (!err)
		err = look(setup);
	if (err)
		return err;
	/* Without a mark in the file, there is none. */
	wanted->has_fwmark = true;
	configure_keep_endpoints(wanted, &setup->recorded, &setup->before);
	err = setup_resolve(setup);
	if (!err)
		err = setup_plan(setup);
	if (err)
		return err;
	record_set_file(setup->record, setup->paths.file);
	return setup_go(setup, &setup->recorded, &setup->plan, PLAN_CHANGE);
}

enum command_result reload_run(int argc, char **argv)
{
	return setup_run(argc, argv, false, reload_go);
}
