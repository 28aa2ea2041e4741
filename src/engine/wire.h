/* SPDX-License-Identifier: MIT
 * The four messages of the protocol as bytes on the wire (whitepaper section 5.4), and the
 * protocol's constants (sections 6.1 to 6.5). All integers are little-endian; all fields are bytes,
 * so any alignment will do. */
#pragma once

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_TAG_LEN 16
#define WIRE_MAC_LEN 16
#define WIRE_TIMESTAMP_LEN 12
#define WIRE_PADDING 16

enum wire_type {
	WIRE_INVALID = 0,
	WIRE_INITIATION = 1,
	WIRE_RESPONSE = 2,
	WIRE_COOKIE_REPLY = 3,
	WIRE_DATA = 4,
};

struct wire_initiation {
	uint8_t type[4];
	uint8_t sender[4];
	uint8_t ephemeral[32];
	uint8_t fixed[32 + WIRE_TAG_LEN]; /* the initiator's static public key, sealed */
	uint8_t timestamp[WIRE_TIMESTAMP_LEN + WIRE_TAG_LEN];
	uint8_t mac1[WIRE_MAC_LEN];
	uint8_t mac2[WIRE_MAC_LEN];
};

struct wire_response {
	uint8_t type[4];
	uint8_t sender[4];
	uint8_t receiver[4];
	uint8_t ephemeral[32];
	uint8_t nothing[WIRE_TAG_LEN];
	uint8_t mac1[WIRE_MAC_LEN];
	uint8_t mac2[WIRE_MAC_LEN];
};

struct wire_cookie_reply {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t nonce[24];
	uint8_t cookie[16 + WIRE_TAG_LEN];
};

struct wire_data {
	uint8_t type[4];
	uint8_t receiver[4];
	uint8_t counter[8];
	uint8_t sealed[]; /* the padded packet, then its tag */
};

_Static_assert(sizeof(struct wire_initiation) == 148, "initiation: 148 bytes");
_Static_assert(sizeof(struct wire_response) == 92, "response: 92 bytes");
_Static_assert(sizeof(struct wire_cookie_reply) == 64, "cookie reply: 64 bytes");
_Static_assert(sizeof(struct wire_data) == 16, "data header: 16 bytes");

#define WIRE_HANDSHAKE_MAX sizeof(struct wire_initiation)
#define WIRE_OVERHEAD (sizeof(struct wire_data) + WIRE_TAG_LEN) /* a keepalive is just this */

/* Nanoseconds of CLOCK_BOOTTIME are the engine's only time; "never" is 0, "not planned" is
 * UINT64_MAX. */
#define SECOND UINT64_C(1000000000)
#define MILLISECOND UINT64_C(1000000)

#define REKEY_AFTER_TIME (120 * SECOND)
#define REJECT_AFTER_TIME (180 * SECOND)
#define REKEY_TIMEOUT (5 * SECOND)
#define REKEY_JITTER_MAX (333 * MILLISECOND)
#define REKEY_ATTEMPTS_MAX 18 /* REKEY_ATTEMPT_TIME / REKEY_TIMEOUT */
#define KEEPALIVE_TIMEOUT (10 * SECOND)
#define COOKIE_SECRET_MAX_AGE (120 * SECOND)
#define COOKIE_SECRET_LATENCY                                                                      \
	(5 * SECOND) /* the sender of a cookie stops using it this much earlier */
#define INITIATIONS_INTERVAL                                                                       \
	(20 * MILLISECOND) /* at least this between two accepted from one peer */
#define REKEY_AFTER_MESSAGES (UINT64_C(1) << 60)
#define REJECT_AFTER_MESSAGES (UINT64_MAX - 8128 - 1)

static inline uint32_t wire_get32(const uint8_t bytes[4])
{
	uint32_t value;
	memcpy(&value, bytes, sizeof(value));
	return le32toh(value);
}

static inline uint64_t wire_get64(const uint8_t bytes[8])
{
	uint64_t value;
	memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

static inline void wire_put32(uint8_t bytes[4], uint32_t value)
{
	value = htole32(value);
	memcpy(bytes, &value, sizeof(value));
}

static inline void wire_put64(uint8_t bytes[8], uint64_t value)
{
	value = htole64(value);
	memcpy(bytes, &value, sizeof(value));
}

/* What a datagram is, judged by type, reserved bytes (must be zero) and length; else
 * WIRE_INVALID. */
static inline enum wire_type wire_classify(const uint8_t *datagram, size_t len)
{
	if (len < 4)
		return WIRE_INVALID;
	switch (wire_get32(datagram)) {
	case WIRE_INITIATION:
		return len == sizeof(struct wire_initiation) ? WIRE_INITIATION : WIRE_INVALID;
	case WIRE_RESPONSE:
		return len == sizeof(struct wire_response) ? WIRE_RESPONSE : WIRE_INVALID;
	case WIRE_COOKIE_REPLY:
		return len == sizeof(struct wire_cookie_reply) ? WIRE_COOKIE_REPLY : WIRE_INVALID;
	case WIRE_DATA:
		return len >= WIRE_OVERHEAD ? WIRE_DATA : WIRE_INVALID;
	default:
		return WIRE_INVALID;
	}
}
