/* SPDX-License-Identifier: MIT
 * The far ends of the engine's tunnels, each a peer with a handshake and sessions of its own, which
 * listen to what the engine sends and check it. What they send is made here too. */
#pragma once

#include "engine/cookie.h"
#include "engine/noise.h"
#include "world.h"

#define FARS 3
#define FAR_SESSIONS 64
#define PARCELS_MAX 512
#define INDICES_MAX 1024
#define ENGINE_KEYS 3 /* private keys that the engine may have; the last is far end 0's */

struct far_session {
	struct key send, receive;
	uint32_t index;   /* ours */
	uint32_t engines; /* the engine's */
	uint64_t next;    /* the counter of the next packet to it */
	uint64_t heard;   /* one more than the last counter of it */
	uint64_t born;
	bool responder; /* the engine was: then its keys are just as old */
};

struct far {
	struct noise_local local;
	struct key preshared;
	struct noise_handshake handshake;
	struct cookie_maker maker;
	struct cookie_checker checker;
	union sockaddr_ip addr;
	uint32_t clock;    /* of the time stamps */
	uint32_t answered; /* the latest that the engine took: none before it may be taken again */
	struct far_session sessions[FAR_SESSIONS];
	unsigned session_count;
	struct wire_initiation asked; /* the engine's latest, to be answered */
	bool was_asked;
	uint8_t heard[WIRE_HANDSHAKE_MAX]; /* the engine's latest handshake message */
	size_t heard_len;
};

/* An inner packet on its way through a tunnel. */
struct parcel {
	uint8_t *bytes; /* owned */
	size_t len;
	unsigned far;
	bool inward, arrived;
};

struct fars {
	struct far far[FARS];
	struct parcel parcels[PARCELS_MAX];
	unsigned parcel_count;
	unsigned heard[FARS];         /* of each far: the parcels before this came, or never will */
	unsigned sent;                /* datagrams of the engine */
	unsigned cookies;             /* replies among them */
	union sockaddr_ip stranger;   /* whose datagrams are all forged */
	uint32_t indices, ephemerals; /* that were used */
	uint32_t clocks[INDICES_MAX]; /* time stamp of the initiation with that index */
	struct key engine[ENGINE_KEYS]; /* its private keys */
	struct noise_local engine_local[ENGINE_KEYS];
};

extern struct fars fars;

/* From the start. The engine has its first key then. */
void fars_begin(void);
void fars_end(void);
/* The engine has that key now. */
void fars_know_engine(unsigned key);
/* world.sent: a datagram of the engine. */
void fars_hear(const struct world_datagram *datagram);

/* Each makes one message and leaves the far end as one that sent it. 0: it cannot. */
size_t fars_initiate(struct far *far, bool again, struct wire_initiation *message);
size_t fars_respond(struct far *far, struct wire_response *message);
size_t fars_demand_cookie(struct far *far, struct wire_cookie_reply *message);
/* A data message under a session, with len bytes of packet and padding. */
size_t fars_seal(struct far_session *session, const uint8_t *packet, size_t len, uint8_t *message);
/* The MACs of a message that was changed. */
void fars_mac(struct far *far, uint8_t *message, size_t len);
/* A session of both ends without a handshake. NULL: no room. */
struct far_session *fars_agree(struct far *far, bool initiator);

/* NULL: no room for more. */
struct parcel *fars_post(unsigned far, bool inward, const uint8_t *bytes, size_t len);
/* The engine wrote this packet to its interface: it must be one that was posted inward, just once
 * and unchanged, but for what the way may change. */
void fars_arrived(const uint8_t *packet, size_t len);
