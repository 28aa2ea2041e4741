/* SPDX-License-Identifier: MIT
 * The threads. */
#include "engine/loop.h"

#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "engine/control.h"
#include "engine/inbound.h"
#include "engine/log.h"
#include "engine/outbound.h"
#include "engine/timers.h"
#include "engine/uapi_server.h"

#define WORKER_STACK (256 << 10)
#define PROBE_INTERVAL SECOND
#define REOPEN_INTERVAL SECOND
#define EVENTS_AT_ONCE 16
#define CONTROL_NICE 5
/* Below its place of waiting the control thread uses less of its stack than this (a buffer of the
 * UAPI server takes half of it). What a turn leaves there may be of a key, be it only because the
 * dynamic linker saved registers: it is wiped before each wait. */
#define CONTROL_DEPTH (32 << 10)

/* What the control thread waits for; the UAPI server's own events carry pointers, which are
 * greater. */
enum control_event {
	CONTROL_WAKE,
	CONTROL_TIMER,
	CONTROL_SIGNAL,
	CONTROL_NETWATCH,
	CONTROL_EVENT_COUNT,
};

struct loop {
	struct engine *engine;
	struct uapi_server *server;
	struct netwatch netwatch;
	int epoll, timer, signals;
	uint64_t timer_at;  /* when the timer rings; TIMERS_NEVER: it is off */
	uint64_t reopen_at; /* there are no sockets: when to try again; 0: there are */
	uint64_t probe_at;  /* the interface is in another network namespace: when to ask for its
			      state; 0: it is not */
	bool quit;
};

static int worker_turn(struct worker *worker, unsigned ready)
{
	struct device *device = &worker->engine->device;
	int err = 0;

	worker->lane.now = engine_clock();
	pthread_rwlock_rdlock(&device->tables);
	if (ready & WORKER_TUN)
		err = outbound_read(&worker->lane);
	/* The sockets may have been exchanged since they were ready. */
	if ((ready & WORKER_UDP4) && worker->udp.fd4 >= 0)
		inbound_read(&worker->lane, worker->udp.fd4, worker->room);
	if ((ready & WORKER_UDP6) && worker->udp.fd6 >= 0)
		inbound_read(&worker->lane, worker->udp.fd6, worker->room);
	pthread_rwlock_unlock(&device->tables);
	return err;
}

static void *worker_main(void *arg)
{
	struct worker *worker = arg;
	struct engine *engine = worker->engine;
	struct epoll_event events[4];

	for (;;) {
		unsigned ready = 0;
		int count = epoll_wait(worker->epoll, events, 4, -1);
		for (int i = 0; i < count; ++i)
			ready |= events[i].data.u32;
		if (ready & WORKER_STOP)
			return NULL;
		if (worker_turn(worker, ready) == -EBADFD) {
			uint64_t one = 1;
			epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->tun.fd, NULL);
			atomic_store(&engine->tun_gone, true);
			(void)!write(engine->device.wake, &one, sizeof(one));
		}
	}
}

static int start_workers(struct engine *engine)
{
	pthread_attr_t attr;
	int err = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	for (unsigned i = 0; i < engine->worker_count && !err; ++i) {
		err = -pthread_create(&engine->workers[i].thread, &attr, worker_main,
				      &engine->workers[i]);
		engine->workers[i].started = !err;
	}
	pthread_attr_destroy(&attr);
	return err;
}

static void stop_workers(struct engine *engine)
{
	uint64_t one = 1;

	(void)!write(engine->stop, &one, sizeof(one));
	for (unsigned i = 0; i < engine->worker_count; ++i)
		if (engine->workers[i].started)
			pthread_join(engine->workers[i].thread, NULL);
}

static void set_up(struct loop *loop, bool up)
{
	int err = engine_set_up(loop->engine, up);

	if (!err)
		return;
	log_error("interface is up, but UDP port %u cannot be opened: %s; trying on",
		  loop->engine->listen_port, strerror(-err));
	loop->reopen_at = loop->engine->lane.now + REOPEN_INTERVAL;
}

/* There is no news of an interface in another network namespace: its state must be asked for. */
static void probe(struct loop *loop)
{
	bool up;

	if (tun_probe_up(&loop->engine->workers[0].tun, &up))
		loop->quit = true;
	else
		set_up(loop, up);
	loop->probe_at = loop->engine->lane.now + PROBE_INTERVAL;
}

static void reopen(struct loop *loop)
{
	if (engine_reopen(loop->engine))
		loop->reopen_at = 0;
	else
		loop->reopen_at = loop->engine->lane.now + REOPEN_INTERVAL;
}

static void sooner(uint64_t *next, uint64_t when)
{
	if (when && when < *next)
		*next = when;
}

static void read_netwatch(struct loop *loop)
{
	struct netwatch *watch = &loop->netwatch;
	char name[IFNAMSIZ];

	if (netwatch_read(watch)) {
		log_error("cannot read news of interfaces and routes any more");
		loop->quit = true;
	}
	if (watch->routes_seen)
		engine_routes_changed(loop->engine);
	if (watch->link_gone) {
		if (tun_get_name(&loop->engine->workers[0].tun, name))
			loop->quit = true;
		else
			probe(loop);
	} else if (watch->link_seen) {
		loop->probe_at = 0;
		atomic_store_explicit(&loop->engine->device.mtu, watch->mtu, memory_order_relaxed);
		if (watch->went_down)
			set_up(loop, false);
		set_up(loop, watch->up);
	}
}

static void dispatch(struct loop *loop, const struct epoll_event *event)
{
	uint64_t count;

	if (event->data.u64 >= CONTROL_EVENT_COUNT) {
		uapi_server_ready(loop->server, (void *)(uintptr_t)event->data.u64, event->events);
		return;
	}
	switch ((enum control_event)event->data.u64) {
	case CONTROL_WAKE:
		(void)!read(loop->engine->device.wake, &count, sizeof(count));
		break;
	case CONTROL_TIMER:
		loop->timer_at = TIMERS_NEVER;
		(void)!read(loop->timer, &count, sizeof(count));
		break;
	case CONTROL_SIGNAL:
		loop->quit = true;
		break;
	case CONTROL_NETWATCH:
		read_netwatch(loop);
		break;
	case CONTROL_EVENT_COUNT:
		break;
	}
}

static void set_timer(struct loop *loop, uint64_t when)
{
	struct itimerspec at = {0};

	if (when == loop->timer_at)
		return;
	loop->timer_at = when;
	if (when != TIMERS_NEVER) {
		at.it_value.tv_sec = (time_t)(when / SECOND);
		at.it_value.tv_nsec = (long)(when % SECOND);
	}
	timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void turn(struct loop *loop)
{
	struct engine *engine = loop->engine;
	struct epoll_event events[EVENTS_AT_ONCE];
	uint64_t next;

	engine->lane.now = engine_clock();
	next = control_work(&engine->lane);
	if (loop->probe_at && loop->probe_at <= engine->lane.now)
		probe(loop);
	if (loop->reopen_at && loop->reopen_at <= engine->lane.now)
		reopen(loop);
	sooner(&next, loop->probe_at);
	sooner(&next, loop->reopen_at);
	sooner(&next, uapi_server_work(loop->server));
	set_timer(loop, next);
	sodium_stackzero(CONTROL_DEPTH);
	int count = epoll_wait(loop->epoll, events, EVENTS_AT_ONCE, next ? -1 : 0);
	engine->lane.now = engine_clock();
	for (int i = 0; i < count; ++i)
		dispatch(loop, &events[i]);
	if (atomic_load(&engine->tun_gone) || uapi_server_gone(loop->server))
		loop->quit = true;
}

static int watch(struct loop *loop, int fd, enum control_event event)
{
	struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = event};

	return fd < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &wanted) ? -errno : 0;
}

static int open_loop(struct loop *loop)
{
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	loop->signals = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	err = netwatch_open(&loop->netwatch, loop->engine->workers[0].tun.ifindex);
	if (!err)
		err = watch(loop, netwatch_fd(&loop->netwatch), CONTROL_NETWATCH);
	if (!err)
		err = watch(loop, loop->engine->device.wake, CONTROL_WAKE);
	if (!err)
		err = watch(loop, loop->timer, CONTROL_TIMER);
	if (!err)
		err = watch(loop, loop->signals, CONTROL_SIGNAL);
	if (!err)
		err = uapi_server_start(loop->server, loop->engine, loop->epoll);
	return err;
}

static void close_loop(struct loop *loop)
{
	if (loop->netwatch.socket)
		netwatch_close(&loop->netwatch);
	close(loop->signals);
	close(loop->timer);
	close(loop->epoll);
}

int loop_run(struct engine *engine, struct uapi_server *server, void (*ready)(void *arg), void *arg)
{
	struct loop loop = {.engine = engine, .server = server, .timer_at = TIMERS_NEVER};

	int err = open_loop(&loop);
	if (!err)
		err = start_workers(engine);
	/* Where there is too little CPU for all, data comes first; a third of a worker's weight is
	 * left for handshakes. */
	(void)!nice(CONTROL_NICE);
	if (!err) {
		if (!engine->workers[0].tun.ifindex)
			probe(&loop);
		log_verbose("%u workers, %s, super-packets: TCP %s, UDP %s", engine->worker_count,
			    aead_name(&engine->workers[0].lane.aead),
			    engine->workers[0].tun.join_tcp ? "yes" : "no",
			    engine->workers[0].tun.join_udp ? "yes" : "no");
		ready(arg);
		while (!loop.quit)
			turn(&loop);
	}
	stop_workers(engine);
	close_loop(&loop);
	return err;
}
