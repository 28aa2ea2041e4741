/* SPDX-License-Identifier: MIT
 * MAC1, MAC2 and cookies: who may make us work, above all under load (whitepaper sections 5.3,
 * 5.4.4, 5.4.7). */
#include "engine/cookie.h"

#include <errno.h>
#include <string.h>
#include <sodium.h>
#include "engine/blake2s.h"

#define MACS_LEN (2 * WIRE_MAC_LEN)
#define LABEL_LEN 8
#define SOURCE_MAX (16 + 2)                                         /* address and port */
#define COOKIE_LIFE (COOKIE_SECRET_MAX_AGE - COOKIE_SECRET_LATENCY) /* with who got it */

_Static_assert(COOKIE_NONCE_LEN == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(sizeof(((struct wire_cookie_reply *)NULL)->cookie) ==
		       COOKIE_LEN + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	       "sealed cookie");

static void derive_key(uint8_t key[32], const char label[LABEL_LEN + 1], const struct key *public)
{
	struct blake2s state;

	blake2s_start(&state, BLAKE2S_HASH_LEN, NULL, 0);
	blake2s_add(&state, label, LABEL_LEN);
	blake2s_add(&state, public->bytes, KEY_LEN);
	blake2s_finish(&state, key);
}

static void derive_keys(uint8_t mac1_key[32], uint8_t cookie_key[32], const struct key *public)
{
	derive_key(mac1_key, "mac1----", public);
	derive_key(cookie_key, "cookie--", public);
}

static void compute_mac(uint8_t mac[WIRE_MAC_LEN], const uint8_t *key, size_t key_len,
			const void *data, size_t len)
{
	blake2s_hash(mac, WIRE_MAC_LEN, data, len, key, key_len);
}

/* Address and port as on the wire. Length; 0: neither IPv4 nor IPv6. */
static size_t source_bytes(uint8_t bytes[SOURCE_MAX], const union sockaddr_ip *source)
{
	if (source->sa.sa_family == AF_INET) {
		memcpy(bytes, &source->in4.sin_addr, 4);
		memcpy(bytes + 4, &source->in4.sin_port, 2);
		return 4 + 2;
	}
	if (source->sa.sa_family == AF_INET6) {
		memcpy(bytes, &source->in6.sin6_addr, 16);
		memcpy(bytes + 16, &source->in6.sin6_port, 2);
		return 16 + 2;
	}
	return 0;
}

/* The secret must be there. */
static void bake_cookie(uint8_t cookie[COOKIE_LEN], const struct cookie_checker *checker,
			const union sockaddr_ip *source)
{
	uint8_t bytes[SOURCE_MAX];
	size_t len = source_bytes(bytes, source);

	compute_mac(cookie, checker->secret, COOKIE_SECRET_LEN, bytes, len);
}

static bool secret_is_fresh(const struct cookie_checker *checker, uint64_t now)
{
	return checker->secret_born != 0 && now - checker->secret_born < COOKIE_SECRET_MAX_AGE;
}

void cookie_checker_init(struct cookie_checker *checker, const struct key *local_public)
{
	memset(checker, 0, sizeof(*checker));
	derive_keys(checker->mac1_key, checker->cookie_key, local_public);
}

void cookie_checker_wipe(struct cookie_checker *checker)
{
	sodium_memzero(checker, sizeof(*checker));
}

void cookie_checker_forget(struct cookie_checker *checker)
{
	sodium_memzero(checker->secret, COOKIE_SECRET_LEN);
	checker->secret_born = 0;
}

uint64_t cookie_checker_expire(struct cookie_checker *checker, uint64_t now)
{
	if (!secret_is_fresh(checker, now))
		cookie_checker_forget(checker);
	return checker->secret_born ? checker->secret_born + COOKIE_SECRET_MAX_AGE : UINT64_MAX;
}

bool cookie_check_mac1(const struct cookie_checker *checker, const uint8_t *message, size_t len)
{
	uint8_t mac[WIRE_MAC_LEN];

	if (len < MACS_LEN)
		return false;
	compute_mac(mac, checker->mac1_key, sizeof(checker->mac1_key), message, len - MACS_LEN);
	return crypto_verify_16(mac, message + len - MACS_LEN) == 0;
}

bool cookie_check_mac2(const struct cookie_checker *checker, const uint8_t *message, size_t len,
		       const union sockaddr_ip *source, uint64_t now)
{
	uint8_t cookie[COOKIE_LEN], mac[WIRE_MAC_LEN];
	bool good = false;

	if (len >= MACS_LEN && secret_is_fresh(checker, now)) {
		bake_cookie(cookie, checker, source);
		compute_mac(mac, cookie, sizeof(cookie), message, len - WIRE_MAC_LEN);
		good = crypto_verify_16(mac, message + len - WIRE_MAC_LEN) == 0;
	}
	sodium_memzero(cookie, sizeof(cookie));
	sodium_memzero(mac, sizeof(mac));
	return good;
}

void cookie_create_reply(struct cookie_checker *checker, struct wire_cookie_reply *reply,
			 const uint8_t *message, size_t len, uint32_t receiver,
			 const union sockaddr_ip *source, const uint8_t nonce[COOKIE_NONCE_LEN],
			 const uint8_t fresh_secret[COOKIE_SECRET_LEN], uint64_t now)
{
	uint8_t cookie[COOKIE_LEN];

	if (!secret_is_fresh(checker, now)) {
		memcpy(checker->secret, fresh_secret, COOKIE_SECRET_LEN);
		checker->secret_born = now;
	}
	bake_cookie(cookie, checker, source);
	wire_put32(reply->type, WIRE_COOKIE_REPLY);
	wire_put32(reply->receiver, receiver);
	memcpy(reply->nonce, nonce, COOKIE_NONCE_LEN);
	crypto_aead_xchacha20poly1305_ietf_encrypt(reply->cookie, NULL, cookie, sizeof(cookie),
						   message + len - MACS_LEN, WIRE_MAC_LEN, NULL,
						   reply->nonce, checker->cookie_key);
	sodium_memzero(cookie, sizeof(cookie));
}

void cookie_maker_init(struct cookie_maker *maker, const struct key *remote_public)
{
	memset(maker, 0, sizeof(*maker));
	derive_keys(maker->mac1_key, maker->cookie_key, remote_public);
}

void cookie_maker_wipe(struct cookie_maker *maker)
{
	sodium_memzero(maker, sizeof(*maker));
}

void cookie_maker_forget(struct cookie_maker *maker)
{
	sodium_memzero(maker->cookie, COOKIE_LEN);
	maker->cookie_born = 0;
}

uint64_t cookie_maker_expire(struct cookie_maker *maker, uint64_t now)
{
	if (maker->cookie_born == 0 || now - maker->cookie_born >= COOKIE_LIFE)
		cookie_maker_forget(maker);
	return maker->cookie_born ? maker->cookie_born + COOKIE_LIFE : UINT64_MAX;
}

void cookie_add_macs(struct cookie_maker *maker, uint8_t *message, size_t len, uint64_t now)
{
	uint8_t *mac1 = message + len - MACS_LEN;
	uint8_t *mac2 = message + len - WIRE_MAC_LEN;

	compute_mac(mac1, maker->mac1_key, sizeof(maker->mac1_key), message, len - MACS_LEN);
	memcpy(maker->last_mac1, mac1, WIRE_MAC_LEN);
	maker->mac1_sent = true;

	cookie_maker_expire(maker, now);
	if (maker->cookie_born)
		compute_mac(mac2, maker->cookie, COOKIE_LEN, message, len - WIRE_MAC_LEN);
	else
		memset(mac2, 0, WIRE_MAC_LEN);
}

int cookie_consume_reply(struct cookie_maker *maker, const struct wire_cookie_reply *reply,
			 uint64_t now)
{
	uint8_t cookie[COOKIE_LEN];
	int ret = -EBADMSG;

	if (maker->mac1_sent &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(
		    cookie, NULL, NULL, reply->cookie, sizeof(reply->cookie), maker->last_mac1,
		    WIRE_MAC_LEN, reply->nonce, maker->cookie_key) == 0) {
		memcpy(maker->cookie, cookie, COOKIE_LEN);
		maker->cookie_born = now;
		maker->mac1_sent = false;
		ret = 0;
	}
	sodium_memzero(cookie, sizeof(cookie));
	return ret;
}
