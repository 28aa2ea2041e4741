/* SPDX-License-Identifier: MIT
 * MAC1, MAC2 and cookies (whitepaper sections 5.3, 5.4.4, 5.4.7). A checker is the receiving side,
 * one for the device; a maker is the sending side, one for each peer. No now is ever 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "conf/endpoint.h"
#include "conf/key.h"
#include "engine/wire.h"

#define COOKIE_LEN 16
#define COOKIE_NONCE_LEN 24
#define COOKIE_SECRET_LEN 32

struct cookie_checker {
	uint8_t mac1_key[32];
	uint8_t cookie_key[32];
	uint8_t secret[COOKIE_SECRET_LEN];
	uint64_t secret_born; /* 0: never made */
};

struct cookie_maker {
	uint8_t mac1_key[32];
	uint8_t cookie_key[32];
	uint8_t cookie[COOKIE_LEN];
	uint64_t cookie_born; /* 0: none */
	uint8_t last_mac1[WIRE_MAC_LEN];
	bool mac1_sent; /* last_mac1 is of our latest message, and no cookie answered it yet */
};

void cookie_checker_init(struct cookie_checker *checker, const struct key *local_public);
void cookie_checker_wipe(struct cookie_checker *checker);
/* Wipes the secret, and no more. */
void cookie_checker_forget(struct cookie_checker *checker);
/* Wipes the secret once it has had its day. When to ask again; UINT64_MAX: there is none. */
uint64_t cookie_checker_expire(struct cookie_checker *checker, uint64_t now);
/* message: an initiation or a response of len bytes; its last 32 bytes are the MACs. */
bool cookie_check_mac1(const struct cookie_checker *checker, const uint8_t *message, size_t len);
/* Is MAC2 made with the cookie that belongs to this source address and port? */
bool cookie_check_mac2(const struct cookie_checker *checker, const uint8_t *message, size_t len,
		       const union sockaddr_ip *source, uint64_t now);
/* fresh_secret: random bytes, used when the present secret is older than COOKIE_SECRET_MAX_AGE. */
void cookie_create_reply(struct cookie_checker *checker, struct wire_cookie_reply *reply,
			 const uint8_t *message, size_t len, uint32_t receiver,
			 const union sockaddr_ip *source, const uint8_t nonce[COOKIE_NONCE_LEN],
			 const uint8_t fresh_secret[COOKIE_SECRET_LEN], uint64_t now);

void cookie_maker_init(struct cookie_maker *maker, const struct key *remote_public);
void cookie_maker_wipe(struct cookie_maker *maker);
/* Wipes the cookie, and no more. */
void cookie_maker_forget(struct cookie_maker *maker);
/* Wipes the cookie once it has had its day. When to ask again; UINT64_MAX: there is none. */
uint64_t cookie_maker_expire(struct cookie_maker *maker, uint64_t now);
/* Fills the MACs of a message that is complete but for them, and remembers MAC1. */
void cookie_add_macs(struct cookie_maker *maker, uint8_t *message, size_t len, uint64_t now);
/* 0, or -EBADMSG (forged, or no answer to our latest message): then nothing changes. */
int cookie_consume_reply(struct cookie_maker *maker, const struct wire_cookie_reply *reply,
			 uint64_t now);
