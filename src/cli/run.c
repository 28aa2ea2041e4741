/* SPDX-License-Identifier: MIT
 * A tunnel for as long as this process lives: up, wait, down. For containers, where it may be
 * process 1, and for systemd's Type=notify. */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "cli/args.h"
#include "cli/client.h"
#include "cli/device.h"
#include "cli/down.h"
#include "cli/interrupt.h"
#include "cli/notify.h"
#include "cli/paths.h"
#include "cli/record.h"
#include "cli/reload.h"
#include "cli/say.h"
#include "cli/setup.h"
#include "cli/up.h"
#include "conf/model.h"

#define LOOK_INTERVAL 5000     /* ms: nothing tells of the end of a kernel's interface */
#define HANDSHAKE_INTERVAL 200 /* ms: nothing tells of a handshake */
#define SILENCE_LIMIT 3000     /* ms for an engine to say what it has */

struct run {
	struct setup_order order;
	struct interrupt interrupt;
	struct notify notify;
	char name[IFNAMSIZ];
	bool waits;    /* for the first handshake, before it is ready */
	bool hangs_up; /* SIGHUP tells that a terminal is gone */
};

static bool is_there(const char *name)
{
	return !client_probe(name) || if_nametoindex(name);
}

static bool has_handshake(const char *name)
{
	struct model model = {0};
	bool found = false;

	if (!device_get_within(name, SILENCE_LIMIT, &model, NULL))
		for (size_t i = 0; i < model.peer_count; i++)
			found = found || model.peers[i].handshake_sec > 0;
	model_wipe(&model);
	return found;
}

static void tell_ready(const struct run *run)
{
	notify_tell(&run->notify,
		    run->waits ? "STATUS=%s is up, without a handshake yet"
			       : "READY=1\nSTATUS=%s is up",
		    run->name);
}

static void reload(const struct run *run)
{
	struct timespec now;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &now);
	notify_tell(&run->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		    (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	err = setup_carry_out(&run->order, false, reload_go);
	tell_ready(run);
	if (err)
		notify_tell(&run->notify, "STATUS=%s is up as it was: the reload failed",
			    run->name);
}

/* Nothing runs any more: was it taken down? -EAGAIN: and up again since. */
static int end(struct setup *setup)
{
	const char *name = setup->paths.name;

	if (is_there(name))
		return -EAGAIN;
	if (record_state(setup->record) == RECORD_NONE)
		return 0;
	say_error("%s is gone: its engine ended, or its interface was deleted", name);
	(void)up_clear(setup);
	return -ENODEV;
}

/* Orphans come to process 1, and to us, who are their reaper: the engine among them. */
static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Waits for what there is to do. Whether the tunnel is to be taken down; else *result is told. */
static bool wait_for_end(struct run *run, enum command_result *result)
{
	for (;;) {
		int number, err;

		reap();
		err = is_there(run->name) ? -EAGAIN : setup_carry_out(&run->order, false, end);
		if (err != -EAGAIN) {
			*result = err ? COMMAND_FAILED : COMMAND_OK;
			return false;
		}
		if (run->waits && has_handshake(run->name)) {
			run->waits = false;
			tell_ready(run);
		}
		if (!interrupt_pending(&run->interrupt))
			interrupt_wait(&run->interrupt,
				       run->waits ? HANDSHAKE_INTERVAL : LOOK_INTERVAL);
		number = interrupt_take(&run->interrupt);
		if (number == SIGHUP && !run->hangs_up)
			reload(run);
		else if (number)
			return true;
	}
}

static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int parse(struct run *run, int argc, char **argv)
{
	struct paths paths = {0};
	struct args args;
	const char *ready;

	if (setup_parse(&run->order, &args, argc, argv, ARGS_TAKES(ARGS_READY)))
		return -EINVAL;
	ready = args.values[ARGS_READY];
	if (ready && strcmp(ready, "interface") != 0 && strcmp(ready, "handshake") != 0) {
		say_error("--ready takes interface or handshake, not `%s'", ready);
		return -EINVAL;
	}
	run->waits = ready && !strcmp(ready, "handshake");
	/* What is wrong with the word is up's to say. */
	if (!paths_find_name(&paths, run->order.word, NULL))
		strcpy(run->name, paths.name);
	return 0;
}

enum command_result run_run(int argc, char **argv)
{
	enum command_result result = COMMAND_FAILED;
	struct run run = {0};

	if (parse(&run, argc, argv))
		return COMMAND_USAGE;
	run.order.interrupt = &run.interrupt;
	run.hangs_up = has_terminal();
	notify_begin(&run.notify);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	interrupt_begin(&run.interrupt);
	if (!setup_carry_out(&run.order, true, up_go)) {
		tell_ready(&run);
		if (wait_for_end(&run, &result)) {
			notify_tell(&run.notify, "STOPPING=1");
			result = setup_carry_out(&run.order, false, down_go) ? COMMAND_FAILED
									     : COMMAND_OK;
		}
	}
	interrupt_end(&run.interrupt);
	return result;
}
