/* SPDX-License-Identifier: MIT
 * The engine: the device with its interface, sockets and threads, and the changes that the
 * configuration or the system can make to them. Control thread only, but for the workers' own
 * fields. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine/clockfile.h"
#include "engine/device.h"
#include "engine/lane.h"
#include "engine/netwatch.h"
#include "engine/tun.h"
#include "engine/udp.h"

#define ENGINE_WORKERS_MAX TUN_QUEUES_MAX

struct engine;
struct opener;
struct uapi_server;

/* A data worker: one queue of the TUN and one pair of sockets. */
struct worker {
	struct engine *engine; /* borrowed */
	struct lane lane;
	struct udp udp; /* the control thread changes it under the table lock (write) */
	struct udp_room *room;
	struct tun tun;
	int epoll;
	pthread_t thread;
	bool started;
};

struct engine {
	const struct opener *opener; /* borrowed */
	struct device device;
	struct clockfile clock;
	struct lane lane; /* the control thread's */
	struct worker workers[ENGINE_WORKERS_MAX];
	unsigned worker_count;
	uint16_t listen_port; /* wanted, and once there are sockets theirs; 0: any */
	uint32_t fwmark;
	int stop;              /* eventfd: the workers end when it is readable */
	_Atomic bool tun_gone; /* a worker found the interface deleted */
};

/* What a worker's epoll reports. */
enum worker_event {
	WORKER_STOP = 1 << 0,
	WORKER_TUN = 1 << 1,
	WORKER_UDP4 = 1 << 2,
	WORKER_UDP6 = 1 << 3,
};

/* Nanoseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps. */
uint64_t engine_clock(void);

/* One worker for each queue of the TUN. Consumes the queues (also on failure). The interface counts
 * as down, there are no sockets. 0 or -errno. */
int engine_init(struct engine *engine, const struct opener *opener, struct tun *queues,
		unsigned count);
/* The workers must have ended. */
void engine_free(struct engine *engine);

/* The interface went up (opens sockets, greets peers) or down (closes them, wipes every session). 0
 * or -errno: up, but no socket could be had. */
int engine_set_up(struct engine *engine, bool up);
/* 0: any free port. On failure (-EADDRINUSE ...) the present sockets stay. */
int engine_set_listen_port(struct engine *engine, uint16_t port);
int engine_set_fwmark(struct engine *engine, uint32_t fwmark);
/* Up, but without sockets: tries again to open them. False: there are none yet. */
bool engine_reopen(struct engine *engine);
/* Addresses or routes of the machine changed: no source address that was learnt before counts any
 * more. */
void engine_routes_changed(struct engine *engine);
