/* SPDX-License-Identifier: MIT
 * Why a packet went no further: every drop is counted under one of these, for the device and for
 * its peer where one is known, and nothing is logged per packet. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

/* name as it is reported, meaning */
#define DROPS(X)                                                                                   \
	X(MALFORMED, "malformed",                                                                  \
	  "datagram of no known type, with reserved bits, or of a wrong length")                   \
	X(NO_IDENTITY, "no_identity", "handshake message while the interface has no private key")  \
	X(BAD_MAC1, "bad_mac1", "handshake message not made for our public key")                   \
	X(QUEUE_FULL, "queue_full", "handshake message while the queue was full")                  \
	X(COOKIE_DEMANDED, "cookie_demanded",                                                      \
	  "handshake message answered with a cookie, under load")                                  \
	X(RATE_LIMITED, "rate_limited", "too many handshakes from one source, under load")         \
	X(BAD_HANDSHAKE, "bad_handshake",                                                          \
	  "handshake message that is forged, or made with another key")                            \
	X(UNKNOWN_PEER, "unknown_peer", "initiation by a public key that is no peer")              \
	X(OLD_INITIATION, "old_initiation",                                                        \
	  "initiation with a time stamp not newer than the last")                                  \
	X(INITIATION_FLOOD, "initiation_flood", "initiations of one peer too close together")      \
	X(UNKNOWN_INDEX, "unknown_index", "message for no session or handshake of ours")           \
	X(EXPIRED, "expired", "packet under keys past their life")                                 \
	X(FORGED, "forged", "packet with a wrong authentication tag")                              \
	X(REPLAYED, "replayed", "packet seen before, or too old for the window")                   \
	X(INNER_MALFORMED, "inner_malformed", "decrypted packet with a bad version or length")     \
	X(INNER_SOURCE, "inner_source", "decrypted packet whose source is not the peer's")         \
	X(ECN, "ecn", "decrypted packet marked on its way, of ends that do not know ECN")          \
	X(TUN_WRITE, "tun_write", "packet that the interface did not take")                        \
	X(NOT_IP, "not_ip", "packet to send that is neither IPv4 nor IPv6")                        \
	X(BAD_OFFLOAD, "bad_offload", "super-packet to send that contradicts itself")              \
	X(NO_PEER, "no_peer", "packet to send to an address that is no peer's")                    \
	X(NO_ENDPOINT, "no_endpoint", "packet to send to a peer whose endpoint is not known")      \
	X(STAGED_FULL, "staged_full",                                                              \
	  "packet that waited for a handshake, for a newer one, or for want of room")              \
	X(GIVEN_UP, "given_up", "packet that waited for a handshake that never came")              \
	X(SEND_FAILED, "send_failed", "datagram that the socket did not take")                     \
	X(NO_MEMORY, "no_memory", "no memory for it")

enum drop {
#define DROP_ENUM(id, name, meaning) DROP_##id,
	DROPS(DROP_ENUM)
#undef DROP_ENUM
		DROP_COUNT,
	DROP_NONE = DROP_COUNT,
};

struct drops {
	_Atomic uint64_t count[DROP_COUNT];
};

static inline void drop_count(struct drops *drops, enum drop reason, unsigned packets)
{
	atomic_fetch_add_explicit(&drops->count[reason], packets, memory_order_relaxed);
}

static inline uint64_t drop_get(const struct drops *drops, enum drop reason)
{
	return atomic_load_explicit(&drops->count[reason], memory_order_relaxed);
}

static inline const char *drop_name(enum drop reason)
{
	static const char *const names[DROP_COUNT] = {
#define DROP_NAME(id, name, meaning) [DROP_##id] = (name),
		DROPS(DROP_NAME)
#undef DROP_NAME
	};
	return names[reason];
}
