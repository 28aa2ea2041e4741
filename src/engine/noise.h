/* SPDX-License-Identifier: MIT
 * The Noise_IKpsk2 handshake (whitepaper section 5.4; Noise specification rev. 34) as a library: it
 * knows no peer table, socket, clock or random source. Time stamps and fresh random bytes are
 * arguments. MACs are not its business (see cookie.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/key.h"
#include "engine/blake2s.h"
#include "engine/wire.h"

#define NOISE_PROTOCOL "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
#define NOISE_PROLOGUE "WireGuard v1 zx2c4 Jason@zx2c4.com"

/* Who we are. */
struct noise_local {
	bool present;
	struct key private_key;
	struct key public_key;
};

/* Chaining key and transcript hash. */
struct noise_symmetric {
	uint8_t chaining[BLAKE2S_HASH_LEN];
	uint8_t hash[BLAKE2S_HASH_LEN];
};

enum noise_state {
	NOISE_IDLE,
	NOISE_INITIATION_SENT,
	NOISE_INITIATION_TAKEN,
	NOISE_RESPONSE_SENT,
	NOISE_RESPONSE_TAKEN,
};

/* The handshake with one peer. */
struct noise_handshake {
	enum noise_state state;
	bool initiator; /* of the handshake under way */
	bool static_static_known;
	struct key remote_static;
	struct key preshared_key; /* zeros: none */
	struct key static_static; /* of both static keys, once known; noise_forget_local() */
	struct key ephemeral_private;
	struct key remote_ephemeral;
	struct noise_symmetric symmetric;
	uint32_t local_index, remote_index;
	uint8_t latest_timestamp[WIRE_TIMESTAMP_LEN]; /* the greatest taken: survives a reset */
	uint64_t latest_initiation;                   /* when it was taken; 0: never */
};

/* An initiation of which only the sender is known yet. */
struct noise_initiation {
	struct key remote_static;
	struct key remote_ephemeral;
	struct noise_symmetric symmetric;
};

struct noise_session {
	struct key send, receive;
	uint32_t local_index, remote_index;
	bool initiator;
};

/* private_key NULL or zero: no identity. Clamps. */
void noise_local_set(struct noise_local *local, const struct key *private_key);
void noise_local_wipe(struct noise_local *local);

void noise_handshake_init(struct noise_handshake *handshake, const struct key *remote_static);
/* Ends a handshake under way and wipes its secrets; what is known of the peer stays (keys, time
 * stamp). */
void noise_handshake_reset(struct noise_handshake *handshake);
/* Our static key changed: resets, and forgets the static-static secret. */
void noise_forget_local(struct noise_handshake *handshake);
void noise_handshake_wipe(struct noise_handshake *handshake);

/* ephemeral: 32 fresh random bytes (clamped here, not changed). Fills all but the MACs. A handshake
 * under way ends, unless this fails. 0; -ENOKEY (no identity); -EINVAL (the peer's static key is of
 * low order). */
int noise_create_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			    const struct key *ephemeral, uint32_t local_index,
			    const uint8_t timestamp[WIRE_TIMESTAMP_LEN],
			    struct wire_initiation *message);

/* First half of the responder's reading: who is it? On failure *opened is zero. 0, -ENOKEY, -EINVAL
 * (low order), -EBADMSG (not for us, forged). */
int noise_open_initiation(struct noise_initiation *opened, const struct noise_local *local,
			  const struct wire_initiation *message);
/* Second half: is it really that peer, and newer than all before? Wipes *opened in any case. On
 * failure the handshake is as before (but may have learnt the static-static secret). 0, -ENOKEY,
 * -EINVAL (low order), -EBADMSG (forged, or another peer), -EALREADY (time stamp not newer:
 * replay), -EBUSY (sooner than INITIATIONS_INTERVAL after the last). */
int noise_accept_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			    struct noise_initiation *opened, const struct wire_initiation *message,
			    uint64_t now);
/* State must be NOISE_INITIATION_TAKEN. On failure the handshake is as before. 0, or -EINVAL (low
 * order; wrong state). */
int noise_create_response(struct noise_handshake *handshake, const struct key *ephemeral,
			  uint32_t local_index, struct wire_response *message);
/* State must be NOISE_INITIATION_SENT. On failure the handshake is as before, so that a forged
 * response does no harm. 0, -ENOKEY, -EINVAL (low order; wrong state; not our index), -EBADMSG
 * (forged, or another preshared key). */
int noise_consume_response(struct noise_handshake *handshake, const struct noise_local *local,
			   const struct wire_response *message);
/* After a response was sent or taken: derives the transport keys (section 5.4.5) and resets the
 * handshake. 0 or -EINVAL (wrong state). */
int noise_begin_session(struct noise_handshake *handshake, struct noise_session *session);
void noise_session_wipe(struct noise_session *session);

/* The TAI64N label of a wall-clock time, blurred down to 2^24 ns so that it tells little of us. */
void noise_timestamp(uint8_t timestamp[WIRE_TIMESTAMP_LEN], int64_t seconds, uint32_t nanoseconds);

/* The bare Noise messages, with any prologue and any payload: the functions above are made of
 * these, and the published Noise vectors test these. payload_len is of the payload in the clear;
 * message is the Noise part only. After a failure what they changed is of no use. */
#define NOISE_SENDER_LEN (KEY_LEN + KEY_LEN + WIRE_TAG_LEN) /* before the initiation's payload */
#define NOISE_INITIATION_LEN(payload_len) (NOISE_SENDER_LEN + (payload_len) + WIRE_TAG_LEN)
#define NOISE_RESPONSE_LEN(payload_len) (KEY_LEN + (payload_len) + WIRE_TAG_LEN)

/* The transcript before the first message: protocol name, prologue, the responder's static key. */
void noise_start(struct noise_symmetric *symmetric, const void *prologue, size_t prologue_len,
		 const struct key *responder);
/* After noise_start() on the handshake's transcript. 0, -ENOKEY or -EINVAL. */
int noise_write_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			   const struct key *ephemeral, const void *payload, size_t payload_len,
			   uint8_t *message);
/* After noise_start() on the opened transcript; reads NOISE_SENDER_LEN bytes. 0, -EINVAL or
 * -EBADMSG. */
int noise_read_sender(struct noise_initiation *opened, const struct noise_local *local,
		      const uint8_t *message);
/* The rest of the message. Needs the handshake for the static-static secret, and changes nothing
 * else there: noise_take_initiation() does. 0, -ENOKEY, -EINVAL or -EBADMSG. */
int noise_read_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			  struct noise_initiation *opened, const uint8_t *sealed,
			  size_t payload_len, void *payload);
/* The initiation was found good: from now on it is the handshake under way. */
void noise_take_initiation(struct noise_handshake *handshake,
			   const struct noise_initiation *opened);
/* 0 or -EINVAL. */
int noise_write_response(struct noise_handshake *handshake, const struct key *ephemeral,
			 const void *payload, size_t payload_len, uint8_t *message);
/* 0, -ENOKEY, -EINVAL or -EBADMSG. */
int noise_read_response(struct noise_handshake *handshake, const struct noise_local *local,
			const uint8_t *message, size_t payload_len, void *payload);
