/* SPDX-License-Identifier: MIT
 * The engine's sockets and state. */
#include "engine/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "engine/control.h"
#include "engine/opener.h"
#include "engine/peer.h"

uint64_t engine_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static int watch(const struct worker *worker, int fd, enum worker_event event)
{
	struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = event};

	return fd >= 0 && epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &wanted) ? -errno : 0;
}

static int worker_init(struct engine *engine, struct worker *worker)
{
	int err;

	worker->engine = engine;
	worker->room = udp_room_new();
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!worker->room)
		return -ENOMEM;
	if (worker->epoll < 0)
		return -errno;
	err = lane_init(&worker->lane, &engine->device, &worker->udp, &worker->tun, AEAD_AUTO);
	if (!err)
		err = watch(worker, engine->stop, WORKER_STOP);
	if (!err)
		err = watch(worker, worker->tun.fd, WORKER_TUN);
	return err;
}

static void worker_free(struct worker *worker)
{
	udp_close(&worker->udp);
	udp_room_free(worker->room);
	lane_free(&worker->lane);
	tun_close(&worker->tun);
	if (worker->epoll >= 0)
		close(worker->epoll);
}

int engine_init(struct engine *engine, const struct opener *opener, struct tun *queues,
		unsigned count)
{
	int err;

	memset(engine, 0, sizeof(*engine));
	engine->opener = opener;
	engine->worker_count = count;
	clockfile_init(&engine->clock);
	for (unsigned i = 0; i < count; ++i) {
		engine->workers[i].tun = queues[i];
		engine->workers[i].epoll = -1;
		engine->workers[i].udp = (struct udp){.fd4 = -1, .fd6 = -1};
		queues[i].fd = -1;
	}
	engine->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = engine->stop < 0 ? -errno : device_init(&engine->device);
	if (err)
		goto err_workers;
	err = lane_init(&engine->lane, &engine->device, &engine->workers[0].udp, NULL, AEAD_SODIUM);
	for (unsigned i = 0; i < count && !err; ++i)
		err = worker_init(engine, &engine->workers[i]);
	if (err) {
		engine_free(engine);
		return err;
	}
	engine->lane.now = engine_clock();
	engine->device.clock = &engine->clock;
	return 0;

err_workers:
	for (unsigned i = 0; i < count; ++i)
		worker_free(&engine->workers[i]);
	if (engine->stop >= 0)
		close(engine->stop);
	return err;
}

void engine_free(struct engine *engine)
{
	for (unsigned i = 0; i < engine->worker_count; ++i)
		worker_free(&engine->workers[i]);
	lane_free(&engine->lane);
	clockfile_close(&engine->clock);
	device_free(&engine->device);
	close(engine->stop);
}

/* Puts other sockets in the place of the present ones, which it closes. Consumes all of udp. */
static int install_sockets(struct engine *engine, const struct udp *udp)
{
	int err = 0;

	pthread_rwlock_wrlock(&engine->device.tables);
	for (unsigned i = 0; i < engine->worker_count; ++i) {
		udp_close(&engine->workers[i].udp);
		engine->workers[i].udp = udp[i];
	}
	pthread_rwlock_unlock(&engine->device.tables);
	for (unsigned i = 0; i < engine->worker_count && !err; ++i) {
		err = watch(&engine->workers[i], udp[i].fd4, WORKER_UDP4);
		if (!err)
			err = watch(&engine->workers[i], udp[i].fd6, WORKER_UDP6);
	}
	return err;
}

static int open_sockets(struct engine *engine, uint16_t port)
{
	struct udp udp[ENGINE_WORKERS_MAX];

	int err = opener_open(engine->opener, udp, port, engine->fwmark);
	if (err)
		return err;
	engine->listen_port = udp[0].port;
	engine_routes_changed(engine);
	return install_sockets(engine, udp);
}

static void close_sockets(struct engine *engine)
{
	struct udp none[ENGINE_WORKERS_MAX];

	for (unsigned i = 0; i < ENGINE_WORKERS_MAX; ++i)
		none[i] = (struct udp){.fd4 = -1, .fd6 = -1};
	(void)install_sockets(engine, none);
}

static void bring_up(struct engine *engine)
{
	struct device *device = &engine->device;

	for (struct peer *peer = device_first_peer(device); peer; peer = device_next_peer(peer)) {
		/* What it was meant to get before there were sockets, it did not. */
		atomic_store_explicit(&peer->initiation_sent, 0, memory_order_relaxed);
		control_start_peer(&engine->lane, peer, peer->timers.keepalive_interval);
	}
}

static bool has_sockets(const struct engine *engine)
{
	const struct udp *present = &engine->workers[0].udp;

	return present->fd4 >= 0 || present->fd6 >= 0;
}

int engine_set_listen_port(struct engine *engine, uint16_t port)
{
	bool open = has_sockets(engine);

	if (!atomic_load_explicit(&engine->device.up, memory_order_relaxed)) {
		engine->listen_port = port;
		return 0;
	}
	/* Up without sockets: the port was taken then, and may be free now. */
	if (open && port == engine->listen_port)
		return 0;
	int err = open_sockets(engine, port);
	if (!err && !open)
		bring_up(engine);
	return err;
}

bool engine_reopen(struct engine *engine)
{
	if (!atomic_load_explicit(&engine->device.up, memory_order_relaxed) || has_sockets(engine))
		return true;
	return !engine_set_listen_port(engine, engine->listen_port);
}

int engine_set_fwmark(struct engine *engine, uint32_t fwmark)
{
	struct udp udp[ENGINE_WORKERS_MAX];
	int err;

	pthread_rwlock_wrlock(&engine->device.tables);
	for (unsigned i = 0; i < engine->worker_count; ++i)
		udp[i] = engine->workers[i].udp;
	err = opener_set_fwmark(engine->opener, udp, fwmark);
	for (unsigned i = 0; i < engine->worker_count && !err; ++i)
		engine->workers[i].udp.fwmark = fwmark;
	pthread_rwlock_unlock(&engine->device.tables);
	if (err)
		return err;
	engine->fwmark = fwmark;
	engine_routes_changed(engine);
	return 0;
}

void engine_routes_changed(struct engine *engine)
{
	/* 0 means "no source": not after 2^32 changes either. */
	if (!++engine->device.routes_generation)
		++engine->device.routes_generation;
}

static void take_down(struct engine *engine)
{
	for (struct peer *peer = device_first_peer(&engine->device); peer;
	     peer = device_next_peer(peer))
		control_stop_peer(&engine->lane, peer);
	cookie_checker_forget(&engine->device.checker);
	close_sockets(engine);
}

int engine_set_up(struct engine *engine, bool up)
{
	int err = 0;

	if (up == atomic_load_explicit(&engine->device.up, memory_order_relaxed))
		return 0;
	atomic_store_explicit(&engine->device.up, up, memory_order_relaxed);
	if (!up) {
		take_down(engine);
		return 0;
	}
	err = open_sockets(engine, engine->listen_port);
	if (!err)
		bring_up(engine);
	return err;
}
