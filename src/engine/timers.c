/* SPDX-License-Identifier: MIT
 * What is due for a peer (whitepaper sections 6.1 to 6.5), derived from stamps: retransmission, a
 * new handshake after silence, the passive and the persistent keepalive, the wiping of old keys. It
 * sends nothing and has no clock. Why workers need not report each stamp: see timers_check(). */
#include "engine/timers.h"

#define UNHEARD_TIMEOUT (KEEPALIVE_TIMEOUT + REKEY_TIMEOUT)
#define ZERO_KEYS_TIMEOUT (3 * REJECT_AFTER_TIME)

static uint64_t peek(const _Atomic uint64_t *stamp)
{
	return atomic_load_explicit(stamp, memory_order_relaxed);
}

/* Writes only what changes, so that threads which stamp the same peer share the cache line while
 * they can. */
static void put(_Atomic uint64_t *stamp, uint64_t value)
{
	if (peek(stamp) != value)
		atomic_store_explicit(stamp, value, memory_order_relaxed);
}

static void put_another(struct timers *timers, bool value)
{
	if (atomic_load_explicit(&timers->another_keepalive, memory_order_relaxed) != value)
		atomic_store_explicit(&timers->another_keepalive, value, memory_order_relaxed);
}

void timers_data_sent(struct timers *timers, uint64_t now)
{
	if (peek(&timers->unheard_since) == 0)
		put(&timers->unheard_since, now);
}

void timers_data_received(struct timers *timers, uint64_t now)
{
	bool waiting = peek(&timers->unanswered_since) != 0;

	put_another(timers, waiting);
	if (!waiting)
		put(&timers->unanswered_since, now);
}

void timers_authenticated_sent(struct timers *timers, uint64_t now)
{
	put(&timers->traffic_last, now);
	if (peek(&timers->keepalive_at) != now)
		put(&timers->unanswered_since, 0);
}

void timers_authenticated_received(struct timers *timers, uint64_t now)
{
	put(&timers->traffic_last, now);
	put(&timers->unheard_since, 0);
}

void timers_handshake_wanted(struct timers *timers)
{
	timers->attempts = 0;
}

void timers_handshake_initiated(struct timers *timers, uint64_t now, uint64_t jitter)
{
	timers->retry_at = now + REKEY_TIMEOUT + jitter;
}

void timers_handshake_complete(struct timers *timers)
{
	timers->retry_at = 0;
	timers->attempts = 0;
}

void timers_session_derived(struct timers *timers, uint64_t now)
{
	timers->zero_at = now + ZERO_KEYS_TIMEOUT;
}

void timers_stop(struct timers *timers)
{
	put(&timers->unanswered_since, 0);
	put(&timers->unheard_since, 0);
	put(&timers->traffic_last, 0);
	put(&timers->keepalive_at, 0);
	put_another(timers, false);
	timers->retry_at = 0;
	timers->zero_at = 0;
	timers->jitter = 0;
	timers->jitter_for = 0;
	timers->traffic_seen = 0;
	timers->persistent_from = 0;
	timers->attempts = 0;
}

static void sooner(uint64_t *next, uint64_t deadline)
{
	if (deadline < *next)
		*next = deadline;
}

/* Ends the wait that began at since; false: a worker just ended it, and perhaps began another. */
static bool end_wait(_Atomic uint64_t *stamp, uint64_t since, uint64_t now, uint64_t *next)
{
	if (atomic_compare_exchange_strong_explicit(stamp, &since, 0, memory_order_relaxed,
						    memory_order_relaxed))
		return true;
	sooner(next, now + KEEPALIVE_TIMEOUT);
	return false;
}

static unsigned check_retry(struct timers *timers, uint64_t now, uint64_t *next)
{
	if (timers->retry_at == 0)
		return 0;
	if (now < timers->retry_at) {
		sooner(next, timers->retry_at);
		return 0;
	}
	timers->retry_at = 0;
	if (timers->attempts <= REKEY_ATTEMPTS_MAX) {
		timers->attempts++;
		return TIMERS_RETRY;
	}
	put(&timers->unanswered_since, 0);
	if (timers->zero_at == 0)
		timers->zero_at = now + ZERO_KEYS_TIMEOUT;
	return TIMERS_GIVE_UP;
}

static unsigned check_unheard(struct timers *timers, uint64_t now, uint64_t jitter, uint64_t *next)
{
	uint64_t since = peek(&timers->unheard_since), deadline;

	if (since == 0)
		return 0;
	if (since != timers->jitter_for) {
		timers->jitter_for = since;
		timers->jitter = jitter;
	}
	deadline = since + UNHEARD_TIMEOUT + timers->jitter;
	if (now < deadline) {
		sooner(next, deadline);
		return 0;
	}
	return end_wait(&timers->unheard_since, since, now, next) ? TIMERS_INITIATE : 0;
}

static unsigned check_unanswered(struct timers *timers, uint64_t now, uint64_t *next)
{
	uint64_t since = peek(&timers->unanswered_since), deadline = since + KEEPALIVE_TIMEOUT;

	if (since == 0)
		return 0;
	if (now < deadline) {
		sooner(next, deadline);
		return 0;
	}
	if (!end_wait(&timers->unanswered_since, since, now, next))
		return 0;
	if (atomic_exchange_explicit(&timers->another_keepalive, false, memory_order_relaxed)) {
		put(&timers->keepalive_at, now);
		put(&timers->unanswered_since, now);
		sooner(next, now + KEEPALIVE_TIMEOUT);
	}
	return TIMERS_KEEPALIVE;
}

static unsigned check_persistent(struct timers *timers, uint64_t now, bool running, uint64_t *next)
{
	uint64_t from = peek(&timers->traffic_last);
	unsigned due = 0;

	if (!running || timers->keepalive_interval == 0) {
		timers->persistent_from = 0;
		return 0;
	}
	if (timers->persistent_from == 0)
		timers->persistent_from = now; /* the caller sends the one at the start */
	if (from < timers->persistent_from)
		from = timers->persistent_from;
	if (now >= from + timers->keepalive_interval) {
		due = TIMERS_KEEPALIVE;
		/* Whether or not the caller can send it: an interval passes until the next. */
		from = timers->persistent_from = now;
	}
	sooner(next, from + timers->keepalive_interval);
	return due;
}

static unsigned check_zero_keys(struct timers *timers, uint64_t now, uint64_t *next)
{
	if (timers->zero_at == 0)
		return 0;
	if (now < timers->zero_at) {
		sooner(next, timers->zero_at);
		return 0;
	}
	timers->zero_at = 0;
	return TIMERS_ZERO_KEYS;
}

/* Workers stamp without a word, so after this look a stamp may begin a wait that *next does not
 * know of. The soonest deadline that it can bring is KEEPALIVE_TIMEOUT from now (data received; for
 * data sent it is UNHEARD_TIMEOUT, and traffic moves the persistent keepalive later only). So while
 * a peer has traffic, it is looked at that often, and no deadline is missed. One that had none
 * since the last look will be woken for, see the header. Traffic is told by traffic_last being
 * another than before, not by its being later than the last look: a worker's time is a batch old.
 *
 * The retry comes first, since giving up drops the passive keepalive. */
unsigned timers_check(struct timers *timers, uint64_t now, uint64_t jitter, bool running,
		      uint64_t *next)
{
	uint64_t traffic = peek(&timers->traffic_last);
	unsigned due;

	*next = TIMERS_NEVER;
	if (traffic != timers->traffic_seen)
		sooner(next, now + KEEPALIVE_TIMEOUT);
	timers->traffic_seen = traffic;
	due = check_retry(timers, now, next);
	due |= check_unheard(timers, now, jitter, next);
	due |= check_unanswered(timers, now, next);
	due |= check_persistent(timers, now, running, next);
	due |= check_zero_keys(timers, now, next);
	return due;
}
