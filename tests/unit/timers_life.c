/* SPDX-License-Identifier: MIT
 * Random lives of a peer, in which what the timers derive from stamps must be what five alarm
 * clocks, set and stopped at every event, would have said: the same, at the same nanosecond. */
#include "engine/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "draw.h"

#define T0 (1000 * SECOND)

/* Told to the timers and to the clocks. */
struct life {
	struct timers timers;
	/* the clocks; 0: not set */
	uint64_t retry_at, unheard_at, passive_at, zero_at, persistent_from;
	bool another, again;
	unsigned attempts;
	/* the engine around them */
	uint64_t now, next, initiated_at;
	bool coarse, running, session, deaf, watched;
};

static unsigned rang[5], rang_again;

/* A wait's jitter, from when it began: so both draw the same. */
static uint64_t jitter_of(const struct life *life, uint64_t since)
{
	return life->coarse ? 0 : since * 7919 % (REKEY_JITTER_MAX + 1);
}

static bool ring(const struct life *life, uint64_t *clock)
{
	if (*clock == 0 || *clock > life->now)
		return false;
	assert_int_equal(*clock, life->now); /* or nobody looked in time */
	*clock = 0;
	return true;
}

static unsigned ring_all(struct life *life)
{
	uint64_t persistent = life->persistent_from + life->timers.keepalive_interval;
	unsigned due = 0;

	if (ring(life, &life->retry_at)) {
		due |= life->attempts > 18 ? TIMERS_GIVE_UP : TIMERS_RETRY;
		life->attempts++;
	}
	if (due & TIMERS_GIVE_UP) {
		life->passive_at = 0;
		life->zero_at = life->zero_at ? life->zero_at : life->now + 540 * SECOND;
	}
	if (ring(life, &life->unheard_at))
		due |= TIMERS_INITIATE;
	if (life->running && life->timers.keepalive_interval && ring(life, &persistent)) {
		due |= TIMERS_KEEPALIVE;
		life->persistent_from = life->now;
	}
	if (ring(life, &life->passive_at)) {
		due |= TIMERS_KEEPALIVE;
		life->again = life->another;
		life->another = false;
	}
	if (ring(life, &life->zero_at))
		due |= TIMERS_ZERO_KEYS;
	return due;
}

static void sent(struct life *life)
{
	timers_authenticated_sent(&life->timers, life->now);
	life->passive_at = 0;
	life->persistent_from = life->now;
}

static void received(struct life *life)
{
	timers_authenticated_received(&life->timers, life->now);
	life->unheard_at = 0;
	life->persistent_from = life->now;
}

static void initiate(struct life *life, bool retry)
{
	uint64_t jitter = jitter_of(life, life->now);

	if (!retry) {
		timers_handshake_wanted(&life->timers);
		life->attempts = 0;
	}
	if (life->initiated_at && life->now - life->initiated_at < 5 * SECOND)
		return;
	sent(life);
	timers_handshake_initiated(&life->timers, life->now, jitter);
	life->initiated_at = life->now;
	life->retry_at = life->now + 5 * SECOND + jitter;
}

static void keepalive(struct life *life)
{
	if (life->session)
		sent(life);
	else
		initiate(life, false);
}

static void look_once(struct life *life, unsigned *due)
{
	uint64_t jitter = jitter_of(life, life->timers.unheard_since);

	*due = timers_check(&life->timers, life->now, jitter, life->running, &life->next);
	assert_int_equal(*due, ring_all(life));
	assert_true(life->next > life->now);
	life->watched = life->next <= life->now + KEEPALIVE_TIMEOUT;
}

static void look(struct life *life)
{
	unsigned due, more;

	look_once(life, &due);
	for (unsigned bit = 0; bit < 5; bit++)
		rang[bit] += due >> bit & 1;
	if (due & (TIMERS_INITIATE | TIMERS_RETRY))
		initiate(life, !(due & TIMERS_INITIATE));
	if (due & TIMERS_KEEPALIVE)
		keepalive(life);
	if (due & TIMERS_ZERO_KEYS)
		life->session = false;
	if (life->again) { /* after the keepalive was sent, which would have stopped it */
		life->passive_at = life->now + 10 * SECOND;
		rang_again++;
	}
	life->again = false;
	if (due)
		look_once(life, &more);
}

static void data_out(struct life *life)
{
	sent(life);
	timers_data_sent(&life->timers, life->now);
	if (!life->unheard_at)
		life->unheard_at = life->now + 15 * SECOND + jitter_of(life, life->now);
}

/* The flag belongs to the wait: the kernel leaves it standing when a packet sent ends the wait. */
static void data_in(struct life *life)
{
	received(life);
	timers_data_received(&life->timers, life->now);
	life->another = life->passive_at != 0;
	if (!life->passive_at)
		life->passive_at = life->now + 10 * SECOND;
}

static void session(struct life *life)
{
	received(life);
	timers_session_derived(&life->timers, life->now);
	timers_handshake_complete(&life->timers);
	life->zero_at = life->now + 540 * SECOND;
	life->retry_at = 0;
	life->attempts = 0;
	life->session = true;
}

static void set_interval(struct life *life)
{
	uint64_t old = life->timers.keepalive_interval, new = draw(3) * (1 + draw(40)) * SECOND;

	life->timers.keepalive_interval = new;
	if (!old || life->persistent_from + new < life->now)
		life->persistent_from = old ? life->now - new : life->now;
	if (!old && new)
		keepalive(life);
}

static void up_or_down(struct life *life)
{
	life->running = !life->running;
	if (life->running) {
		life->persistent_from = life->now;
		keepalive(life);
		return;
	}
	timers_stop(&life->timers);
	life->retry_at = life->unheard_at = life->passive_at = life->zero_at = 0;
	life->session = false;
}

/* Returns true when the control thread did it, which then looks; a worker only stamps. */
static bool event(struct life *life)
{
	unsigned what = life->running ? (unsigned)draw(32) : 31;

	if (what < 10 && !life->session)
		initiate(life, false);
	else if (what < 10)
		data_out(life);
	else if (what < 18 && life->session && !life->deaf)
		data_in(life);
	else if (what < 21 && life->session && !life->deaf)
		received(life);
	else if (what >= 21 && what < 27 && !life->deaf && (life->retry_at || what == 26))
		session(life);
	else if (what == 28)
		life->deaf = draw(3) == 0;
	else if (what == 29)
		set_interval(life);
	else if (what == 31 && (!life->running || draw(8) == 0))
		up_or_down(life);
	return what >= 21 || (what < 10 && !life->session);
}

static void live(struct life *life, unsigned events)
{
	static const uint64_t gaps[] = {10 * MILLISECOND, SECOND, 4 * SECOND, 20 * SECOND,
					20 * SECOND};

	look(life);
	for (unsigned i = 0; i < events; i++) {
		uint64_t gap = draw(40) ? gaps[draw(5)] : 800 * SECOND, at;

		at = life->now + 1 + draw(gap);
		if (life->coarse)
			at += SECOND - at % SECOND;
		while (life->next < at) {
			life->now = life->next;
			look(life);
		}
		life->now = at;
		if (event(life) || !life->watched || life->next == at)
			look(life);
	}
}

static void test_life(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		struct life life = {.now = T0, .coarse = i % 2};

		seed = 900 + i;
		live(&life, 3000);
	}
	for (unsigned bit = 0; bit < 5; bit++)
		assert_true(rang[bit] > 100);
	assert_true(rang_again > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
