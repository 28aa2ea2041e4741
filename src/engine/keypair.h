/* SPDX-License-Identifier: MIT
 * One session's transport keys, counters and replay window (whitepaper section 5.4.6). Workers read
 * it under the table lock and count in it; only the control thread makes and frees it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "engine/indextable.h"
#include "engine/noise.h"
#include "engine/replay.h"

struct peer;

#define KEYPAIR_OF_INDEX(pointer)                                                                  \
	((struct keypair *)(void *)((char *)(pointer)-offsetof(struct keypair, index)))

struct keypair {
	struct indextable_entry index; /* PEER_INDEX_KEYPAIR, once it is in the table */
	struct peer *peer;             /* borrowed */
	struct key send, receive;
	uint64_t born;
	uint32_t remote_index;
	bool initiator;
	_Atomic bool heard;       /* a packet under it was received: the other side has it too */
	_Atomic bool last_minute; /* the receiver already asked for a new handshake */
	_Atomic uint64_t sent;    /* the next counter */
	struct replay replay;     /* the peer's lock guards it */
};

/* Takes the keys and indices out of *session, which it wipes in any case. peer is borrowed. NULL:
 * no memory. The caller puts ->index into the table and sets its kind. */
struct keypair *keypair_new(struct peer *peer, struct noise_session *session, uint64_t now);
/* Wipes; NULL is fine. ->index must be out of the table. */
void keypair_free(struct keypair *keypair);
/* No more is sent under it, but what is on its way to us may still arrive. Any thread. */
void keypair_expire(struct keypair *keypair);
/* May packets still be accepted under it? */
bool keypair_accepts(const struct keypair *keypair, uint64_t now);
/* May packets still be sent under it? */
bool keypair_alive(const struct keypair *keypair, uint64_t now);
/* Reserves count counters from *first on; any thread. False: not so many left below
 * REJECT_AFTER_MESSAGES, nothing reserved. */
bool keypair_reserve(struct keypair *keypair, unsigned count, uint64_t *first);
/* Is it time that the sender, or the receiver, asked for a new handshake? (section 6.2: by age for
 * the initiator only, so that not both do; by count for either) */
bool keypair_stale_to_sender(const struct keypair *keypair, uint64_t now);
bool keypair_stale_to_receiver(struct keypair *keypair, uint64_t now); /* true once a keypair */
