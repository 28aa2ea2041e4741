/* SPDX-License-Identifier: MIT
 * When a peer needs a keepalive, a handshake, or its keys wiped (whitepaper section 6). There are
 * no timer objects: data workers stamp what they did, and the control thread derives from the
 * stamps what is due and when to look again. A peer with nothing due and nothing stamped costs
 * nothing. No clock here: now is an argument; jitter (0 to REKEY_JITTER_MAX) is the caller's.
 *
 * Who is told of a stamp? While a peer has traffic, timers_check() asks to be called again within
 * KEEPALIVE_TIMEOUT, soon enough for whatever a stamp may begin in between, so nobody is told. When
 * it returns a *next later than that, the first stamp must wake the control thread, which then
 * checks. To miss none, the control thread raises the flag that asks for it and only then makes the
 * check whose *next it goes to sleep with. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine/wire.h"

#define TIMERS_NEVER UINT64_MAX

/* What is due; several may be at once. */
enum timers_due {
	TIMERS_INITIATE = 1 << 0,  /* start a new handshake: data went out and nothing came back */
	TIMERS_RETRY = 1 << 1,     /* send another initiation of the handshake under way */
	TIMERS_GIVE_UP = 1 << 2,   /* purge the staged packets: the peer does not answer */
	TIMERS_KEEPALIVE = 1 << 3, /* send an empty packet */
	TIMERS_ZERO_KEYS = 1 << 4, /* wipe keypairs and handshake */
};

struct timers {
	/* stamped by any thread */
	_Atomic uint64_t unanswered_since; /* first data received since we last sent; 0: none */
	_Atomic uint64_t unheard_since;    /* first data sent since we last received; 0: none */
	_Atomic uint64_t traffic_last;     /* last authenticated packet either way */
	_Atomic uint64_t keepalive_at;     /* a keepalive sent at this instant ends no wait */
	_Atomic bool another_keepalive;    /* more data came while one was already owed */
	/* the control thread's own */
	uint64_t retry_at;           /* 0: no handshake under way */
	uint64_t zero_at;            /* 0: no keys */
	uint64_t jitter;             /* of the present unheard wait */
	uint64_t jitter_for;         /* the unheard_since that it was drawn for */
	uint64_t traffic_seen;       /* traffic_last at the last check */
	uint64_t persistent_from;    /* the least the interval counts from; 0: stopped */
	uint64_t keepalive_interval; /* persistent, nanoseconds; 0: off; the caller sets it */
	unsigned attempts;           /* retries of the handshake under way */
};

/* Zeroed, nothing is pending.
 *
 * Stamps, by any thread. Data is a packet with content; authenticated is any but a cookie reply. A
 * packet with content is stamped as both. */
void timers_data_sent(struct timers *timers, uint64_t now);
void timers_data_received(struct timers *timers, uint64_t now);
void timers_authenticated_sent(struct timers *timers, uint64_t now);
void timers_authenticated_received(struct timers *timers, uint64_t now);

/* Events, by the control thread. After them *next is stale: check again. */

/* Someone other than TIMERS_RETRY asks for a handshake: the attempts count from 0 again, even when
 * the caller then finds it too early (REKEY_TIMEOUT) for another initiation. */
void timers_handshake_wanted(struct timers *timers);
/* An initiation was made, first or retry. Also when the socket refused it: it will be retried. */
void timers_handshake_initiated(struct timers *timers, uint64_t now, uint64_t jitter);
void timers_handshake_complete(struct timers *timers);
void timers_session_derived(struct timers *timers, uint64_t now);
void timers_stop(struct timers *timers); /* forgets all but the persistent keepalive's interval */

/* What is due at now (enum timers_due bits); a deadline just reached counts. What is reported is
 * taken off: the caller does it. *next is when to look again, always later than now; TIMERS_NEVER:
 * only after another stamp or event. The persistent keepalive fires only while running is true
 * (interface up); the one at the start, and the one when the interval changes from 0, are the
 * caller's. When TIMERS_KEEPALIVE is due and more data had come meanwhile, another is owed
 * KEEPALIVE_TIMEOUT later unless something is sent in between. So that the reported keepalive
 * itself does not settle it, send and stamp it with the same now. TIMERS_INITIATE together with
 * TIMERS_RETRY is one initiation, not a retry. */
unsigned timers_check(struct timers *timers, uint64_t now, uint64_t jitter, bool running,
		      uint64_t *next);
