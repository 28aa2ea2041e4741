/* SPDX-License-Identifier: MIT
 * Wishes, messages and timers. */
#include "engine/control.h"

#include <sodium.h>
#include "engine/device.h"
#include "engine/handshake.h"
#include "engine/lane.h"
#include "engine/outbound.h"
#include "engine/peer.h"

#define WISHES_AT_ONCE 256
#define MESSAGES_AT_ONCE 32

static void act(struct lane *lane, struct peer *peer, unsigned due)
{
	if (due & TIMERS_GIVE_UP)
		outbound_purge(lane, peer);
	if (due & TIMERS_ZERO_KEYS)
		device_zero_keys(lane->device, peer);
	if (due & (TIMERS_INITIATE | TIMERS_RETRY)) {
		/* Nothing came back: perhaps because of the way it took. */
		peer_forget_source(peer);
		handshake_initiate(lane, peer, !(due & TIMERS_INITIATE));
	}
	if (due & TIMERS_KEEPALIVE)
		outbound_keepalive(lane, peer);
}

void control_check(struct lane *lane, struct peer *peer)
{
	bool running = atomic_load_explicit(&lane->device->up, memory_order_relaxed);
	uint64_t next, cookie_ends;
	unsigned due;

	do {
		/* Pairs with the fence in device_stamped(). */
		atomic_store_explicit(&peer->watched, false, memory_order_relaxed);
		atomic_thread_fence(memory_order_seq_cst);
		due = timers_check(&peer->timers, lane->now,
				   randombytes_uniform(REKEY_JITTER_MAX + 1), running, &next);
		act(lane, peer, due);
	} while (due); /* the acts moved the deadlines; what was reported is off, so this ends */

	cookie_ends = cookie_maker_expire(&peer->cookie, lane->now);
	if (cookie_ends < next)
		next = cookie_ends;
	/* No stamp from now on can make anything due sooner than this. */
	if (next <= lane->now + KEEPALIVE_TIMEOUT)
		atomic_store_explicit(&peer->watched, true, memory_order_relaxed);
	if (next == TIMERS_NEVER)
		schedule_remove(&lane->device->schedule, &peer->schedule);
	else
		schedule_set(&lane->device->schedule, &peer->schedule, next);
}

static void grant(struct lane *lane, struct peer *peer, unsigned wishes)
{
	if ((wishes & PEER_WISH_CONFIRM) && device_confirm_session(lane->device, peer)) {
		handshake_complete(peer);
		outbound_flush(lane, peer);
	}
	if (wishes & PEER_WISH_HANDSHAKE)
		handshake_initiate(lane, peer, false);
	control_check(lane, peer);
}

uint64_t control_work(struct lane *lane)
{
	struct device *device = lane->device;
	struct device_message messages[MESSAGES_AT_ONCE];
	struct schedule_entry *first;
	struct peer *peer;
	unsigned wishes, granted = 0;
	uint64_t next;

	while (granted < WISHES_AT_ONCE && (peer = device_next_wish(device, &wishes))) {
		grant(lane, peer, wishes);
		++granted;
	}
	unsigned taken = device_dequeue(device, messages, MESSAGES_AT_ONCE, lane->now);
	for (unsigned i = 0; i < taken; ++i) {
		peer = handshake_take(lane, &messages[i]);
		if (peer)
			control_check(lane, peer);
	}
	while ((first = schedule_first(&device->schedule)) && first->when <= lane->now)
		control_check(lane, PEER_OF_SCHEDULE(first));
	if (granted == WISHES_AT_ONCE || taken == MESSAGES_AT_ONCE)
		return 0;
	next = cookie_checker_expire(&device->checker, lane->now);
	return first && first->when < next ? first->when : next;
}

void control_start_peer(struct lane *lane, struct peer *peer, bool greet)
{
	if (greet)
		outbound_keepalive(lane, peer);
	else
		outbound_flush(lane, peer);
	control_check(lane, peer);
}

void control_stop_peer(struct lane *lane, struct peer *peer)
{
	outbound_purge(lane, peer);
	timers_stop(&peer->timers);
	device_zero_keys(lane->device, peer);
	cookie_maker_forget(&peer->cookie);
	atomic_store_explicit(&peer->initiation_sent, 0, memory_order_relaxed);
	schedule_remove(&lane->device->schedule, &peer->schedule);
}
