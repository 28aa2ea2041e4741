/* SPDX-License-Identifier: MIT
 * Noise_IKpsk2 (Noise specification rev. 34, sections 5 and 9; whitepaper section 5.4). Comments
 * name the tokens of the specification. Every key that they make seals one thing only, so that the
 * nonce is always zero. */
#include "engine/noise.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sodium.h>
#include "engine/aead.h"
#include "engine/kdf.h"

#define TAI64_BASE UINT64_C(0x400000000000000a) /* the Unix epoch: 2^62, and 10 leap seconds */
#define NANOSECONDS_BLUR ((UINT32_C(1) << 24) - 1)

static const uint8_t NONCE[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

_Static_assert(KEY_LEN == crypto_scalarmult_BYTES, "X25519");
_Static_assert(sizeof(struct wire_initiation) - offsetof(struct wire_initiation, ephemeral) -
			       2 * WIRE_MAC_LEN ==
		       NOISE_INITIATION_LEN(WIRE_TIMESTAMP_LEN),
	       "the Noise part of an initiation is in one piece");
_Static_assert(offsetof(struct wire_initiation, timestamp) ==
		       offsetof(struct wire_initiation, ephemeral) + NOISE_SENDER_LEN,
	       "the payload of an initiation is the time stamp");
_Static_assert(sizeof(struct wire_response) - offsetof(struct wire_response, ephemeral) -
			       2 * WIRE_MAC_LEN ==
		       NOISE_RESPONSE_LEN(0),
	       "the Noise part of a response is in one piece");

/* The symmetric state (Noise section 5.2) */

/* MixHash */
static void mix_hash(struct noise_symmetric *symmetric, const void *data, size_t len)
{
	struct blake2s state;

	blake2s_start(&state, BLAKE2S_HASH_LEN, NULL, 0);
	blake2s_add(&state, symmetric->hash, sizeof(symmetric->hash));
	blake2s_add(&state, data, len);
	blake2s_finish(&state, symmetric->hash);
}

/* MixKey; key NULL: nothing will be sealed with it. */
static void mix_key(struct noise_symmetric *symmetric, uint8_t key[AEAD_KEY_LEN],
		    const struct key *input)
{
	kdf(symmetric->chaining, key, NULL, symmetric->chaining, input->bytes, KEY_LEN);
}

/* The token e; where there is a psk, it goes into the chaining key too (Noise section 9.2). */
static void mix_ephemeral(struct noise_symmetric *symmetric, const struct key *public)
{
	mix_hash(symmetric, public->bytes, KEY_LEN);
	mix_key(symmetric, NULL, public);
}

/* The token psk: MixKeyAndHash. Zeros are mixed in like any other key. */
static void mix_preshared(struct noise_symmetric *symmetric, uint8_t key[AEAD_KEY_LEN],
			  const struct key *preshared)
{
	uint8_t hash[BLAKE2S_HASH_LEN];

	kdf(symmetric->chaining, hash, key, symmetric->chaining, preshared->bytes, KEY_LEN);
	mix_hash(symmetric, hash, sizeof(hash));
	sodium_memzero(hash, sizeof(hash));
}

/* 0 or -EINVAL (public is of low order: the secret would not depend on private). */
static int diffie_hellman(struct key *secret, const struct key *private, const struct key *public)
{
	return crypto_scalarmult(secret->bytes, private->bytes, public->bytes) == 0 ? 0 : -EINVAL;
}

/* The tokens es, ee, se */
static int mix_dh(struct noise_symmetric *symmetric, uint8_t key[AEAD_KEY_LEN],
		  const struct key *private, const struct key *public)
{
	struct key secret;
	int ret = diffie_hellman(&secret, private, public);

	if (ret == 0)
		mix_key(symmetric, key, &secret);
	key_wipe(&secret);
	return ret;
}

/* The token ss, whose secret stays the same as long as both static keys do. */
static int mix_static_static(struct noise_symmetric *symmetric, uint8_t key[AEAD_KEY_LEN],
			     struct noise_handshake *handshake, const struct noise_local *local)
{
	int ret;

	if (!local->present)
		return -ENOKEY;
	if (!handshake->static_static_known) {
		ret = diffie_hellman(&handshake->static_static, &local->private_key,
				     &handshake->remote_static);
		if (ret < 0) {
			key_wipe(&handshake->static_static);
			return ret;
		}
		handshake->static_static_known = true;
	}
	mix_key(symmetric, key, &handshake->static_static);
	return 0;
}

/* EncryptAndHash: sealed has len + WIRE_TAG_LEN bytes. */
static void seal_and_hash(struct noise_symmetric *symmetric, const uint8_t key[AEAD_KEY_LEN],
			  uint8_t *sealed, const void *plain, size_t len)
{
	crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, plain, len, symmetric->hash,
						  sizeof(symmetric->hash), NULL, NONCE, key);
	mix_hash(symmetric, sealed, len + WIRE_TAG_LEN);
}

/* DecryptAndHash: plain has len bytes. 0 or -EBADMSG. */
static int open_and_hash(struct noise_symmetric *symmetric, const uint8_t key[AEAD_KEY_LEN],
			 void *plain, const uint8_t *sealed, size_t len)
{
	if (crypto_aead_chacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed, len + WIRE_TAG_LEN,
						      symmetric->hash, sizeof(symmetric->hash),
						      NONCE, key) != 0)
		return -EBADMSG;
	mix_hash(symmetric, sealed, len + WIRE_TAG_LEN);
	return 0;
}

/* The messages */

void noise_start(struct noise_symmetric *symmetric, const void *prologue, size_t prologue_len,
		 const struct key *responder)
{
	/* InitializeSymmetric: a name longer than a hash is hashed. */
	_Static_assert(sizeof(NOISE_PROTOCOL) - 1 > BLAKE2S_HASH_LEN, "protocol name");
	blake2s_hash(symmetric->chaining, BLAKE2S_HASH_LEN, NOISE_PROTOCOL,
		     sizeof(NOISE_PROTOCOL) - 1, NULL, 0);
	memcpy(symmetric->hash, symmetric->chaining, BLAKE2S_HASH_LEN);
	mix_hash(symmetric, prologue, prologue_len);
	mix_hash(symmetric, responder->bytes, KEY_LEN); /* <- s */
}

int noise_write_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			   const struct key *ephemeral, const void *payload, size_t payload_len,
			   uint8_t *message)
{
	struct noise_symmetric *symmetric = &handshake->symmetric;
	uint8_t key[AEAD_KEY_LEN];
	struct key public;
	int ret;

	/* e */
	handshake->ephemeral_private = *ephemeral;
	key_clamp(&handshake->ephemeral_private);
	key_derive_public(&public, &handshake->ephemeral_private);
	memcpy(message, public.bytes, KEY_LEN);
	mix_ephemeral(symmetric, &public);
	message += KEY_LEN;
	/* es */
	ret = mix_dh(symmetric, key, &handshake->ephemeral_private, &handshake->remote_static);
	if (ret < 0)
		goto out;
	/* s */
	seal_and_hash(symmetric, key, message, local->public_key.bytes, KEY_LEN);
	message += KEY_LEN + WIRE_TAG_LEN;
	/* ss */
	ret = mix_static_static(symmetric, key, handshake, local);
	if (ret < 0)
		goto out;
	/* {t} */
	seal_and_hash(symmetric, key, message, payload, payload_len);
	handshake->initiator = true;
	handshake->state = NOISE_INITIATION_SENT;
out:
	sodium_memzero(key, sizeof(key));
	return ret;
}

int noise_read_sender(struct noise_initiation *opened, const struct noise_local *local,
		      const uint8_t *message)
{
	struct noise_symmetric *symmetric = &opened->symmetric;
	uint8_t key[AEAD_KEY_LEN];
	int ret;

	/* e */
	memcpy(opened->remote_ephemeral.bytes, message, KEY_LEN);
	mix_ephemeral(symmetric, &opened->remote_ephemeral);
	/* es */
	ret = mix_dh(symmetric, key, &local->private_key, &opened->remote_ephemeral);
	/* s */
	if (ret == 0)
		ret = open_and_hash(symmetric, key, opened->remote_static.bytes, message + KEY_LEN,
				    KEY_LEN);
	sodium_memzero(key, sizeof(key));
	return ret;
}

int noise_read_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			  struct noise_initiation *opened, const uint8_t *sealed,
			  size_t payload_len, void *payload)
{
	uint8_t key[AEAD_KEY_LEN];
	int ret;

	/* ss */
	ret = mix_static_static(&opened->symmetric, key, handshake, local);
	/* {t} */
	if (ret == 0)
		ret = open_and_hash(&opened->symmetric, key, payload, sealed, payload_len);
	sodium_memzero(key, sizeof(key));
	return ret;
}

void noise_take_initiation(struct noise_handshake *handshake, const struct noise_initiation *opened)
{
	noise_handshake_reset(handshake);
	handshake->remote_ephemeral = opened->remote_ephemeral;
	handshake->symmetric = opened->symmetric;
	handshake->state = NOISE_INITIATION_TAKEN;
}

int noise_write_response(struct noise_handshake *handshake, const struct key *ephemeral,
			 const void *payload, size_t payload_len, uint8_t *message)
{
	struct noise_symmetric *symmetric = &handshake->symmetric;
	uint8_t key[AEAD_KEY_LEN];
	struct key private = *ephemeral, public;
	int ret;

	/* e */
	key_clamp(&private);
	key_derive_public(&public, &private);
	memcpy(message, public.bytes, KEY_LEN);
	mix_ephemeral(symmetric, &public);
	/* ee */
	ret = mix_dh(symmetric, NULL, &private, &handshake->remote_ephemeral);
	if (ret < 0)
		goto out;
	/* se */
	ret = mix_dh(symmetric, NULL, &private, &handshake->remote_static);
	if (ret < 0)
		goto out;
	/* psk */
	mix_preshared(symmetric, key, &handshake->preshared_key);
	/* {} */
	seal_and_hash(symmetric, key, message + KEY_LEN, payload, payload_len);
	handshake->state = NOISE_RESPONSE_SENT;
out:
	key_wipe(&private);
	sodium_memzero(key, sizeof(key));
	return ret;
}

int noise_read_response(struct noise_handshake *handshake, const struct noise_local *local,
			const uint8_t *message, size_t payload_len, void *payload)
{
	struct noise_symmetric *symmetric = &handshake->symmetric;
	uint8_t key[AEAD_KEY_LEN];
	int ret;

	if (!local->present)
		return -ENOKEY;
	/* e */
	memcpy(handshake->remote_ephemeral.bytes, message, KEY_LEN);
	mix_ephemeral(symmetric, &handshake->remote_ephemeral);
	/* ee */
	ret = mix_dh(symmetric, NULL, &handshake->ephemeral_private, &handshake->remote_ephemeral);
	if (ret < 0)
		goto out;
	/* se */
	ret = mix_dh(symmetric, NULL, &local->private_key, &handshake->remote_ephemeral);
	if (ret < 0)
		goto out;
	/* psk */
	mix_preshared(symmetric, key, &handshake->preshared_key);
	/* {} */
	ret = open_and_hash(symmetric, key, payload, message + KEY_LEN, payload_len);
	if (ret == 0) {
		key_wipe(&handshake->ephemeral_private);
		handshake->state = NOISE_RESPONSE_TAKEN;
	}
out:
	sodium_memzero(key, sizeof(key));
	return ret;
}

/* Who takes part */

void noise_local_set(struct noise_local *local, const struct key *private_key)
{
	struct key private;

	if (!private_key || key_is_zero(private_key)) {
		noise_local_wipe(local);
		return;
	}
	private = *private_key; /* may be local's own */
	key_clamp(&private);
	local->private_key = private;
	key_derive_public(&local->public_key, &private);
	local->present = true;
	key_wipe(&private);
}

void noise_local_wipe(struct noise_local *local)
{
	sodium_memzero(local, sizeof(*local));
}

void noise_handshake_init(struct noise_handshake *handshake, const struct key *remote_static)
{
	memset(handshake, 0, sizeof(*handshake));
	handshake->remote_static = *remote_static;
}

void noise_handshake_reset(struct noise_handshake *handshake)
{
	handshake->state = NOISE_IDLE;
	handshake->initiator = false;
	key_wipe(&handshake->ephemeral_private);
	key_wipe(&handshake->remote_ephemeral);
	sodium_memzero(&handshake->symmetric, sizeof(handshake->symmetric));
	handshake->local_index = 0;
	handshake->remote_index = 0;
}

void noise_forget_local(struct noise_handshake *handshake)
{
	noise_handshake_reset(handshake);
	key_wipe(&handshake->static_static);
	handshake->static_static_known = false;
}

void noise_handshake_wipe(struct noise_handshake *handshake)
{
	sodium_memzero(handshake, sizeof(*handshake));
}

/* WireGuard's handshake */

int noise_create_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			    const struct key *ephemeral, uint32_t local_index,
			    const uint8_t timestamp[WIRE_TIMESTAMP_LEN],
			    struct wire_initiation *message)
{
	struct noise_handshake next;
	int ret;

	if (!local->present)
		return -ENOKEY;
	next = *handshake;
	noise_handshake_reset(&next);
	noise_start(&next.symmetric, NOISE_PROLOGUE, sizeof(NOISE_PROLOGUE) - 1,
		    &next.remote_static);
	ret = noise_write_initiation(&next, local, ephemeral, timestamp, WIRE_TIMESTAMP_LEN,
				     (uint8_t *)message +
					     offsetof(struct wire_initiation, ephemeral));
	if (ret == 0) {
		wire_put32(message->type, WIRE_INITIATION);
		wire_put32(message->sender, local_index);
		next.local_index = local_index;
		*handshake = next;
	}
	noise_handshake_wipe(&next);
	return ret;
}

int noise_open_initiation(struct noise_initiation *opened, const struct noise_local *local,
			  const struct wire_initiation *message)
{
	int ret;

	if (!local->present)
		return -ENOKEY;
	noise_start(&opened->symmetric, NOISE_PROLOGUE, sizeof(NOISE_PROLOGUE) - 1,
		    &local->public_key);
	ret = noise_read_sender(opened, local,
				(const uint8_t *)message +
					offsetof(struct wire_initiation, ephemeral));
	if (ret < 0)
		sodium_memzero(opened, sizeof(*opened));
	return ret;
}

int noise_accept_initiation(struct noise_handshake *handshake, const struct noise_local *local,
			    struct noise_initiation *opened, const struct wire_initiation *message,
			    uint64_t now)
{
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];
	int ret = -EBADMSG;

	if (!key_equal(&opened->remote_static, &handshake->remote_static))
		goto out;
	ret = noise_read_initiation(handshake, local, opened, message->timestamp,
				    WIRE_TIMESTAMP_LEN, timestamp);
	if (ret < 0)
		goto out;
	ret = -EALREADY;
	if (memcmp(timestamp, handshake->latest_timestamp, WIRE_TIMESTAMP_LEN) <= 0)
		goto out;
	ret = -EBUSY;
	if (handshake->latest_initiation != 0 &&
	    now - handshake->latest_initiation < INITIATIONS_INTERVAL)
		goto out;
	ret = 0;
	noise_take_initiation(handshake, opened);
	memcpy(handshake->latest_timestamp, timestamp, WIRE_TIMESTAMP_LEN);
	handshake->latest_initiation = now;
	handshake->remote_index = wire_get32(message->sender);
out:
	sodium_memzero(opened, sizeof(*opened));
	return ret;
}

int noise_create_response(struct noise_handshake *handshake, const struct key *ephemeral,
			  uint32_t local_index, struct wire_response *message)
{
	struct noise_handshake next;
	int ret;

	if (handshake->state != NOISE_INITIATION_TAKEN)
		return -EINVAL;
	next = *handshake;
	ret = noise_write_response(&next, ephemeral, NULL, 0,
				   (uint8_t *)message + offsetof(struct wire_response, ephemeral));
	if (ret == 0) {
		wire_put32(message->type, WIRE_RESPONSE);
		wire_put32(message->sender, local_index);
		wire_put32(message->receiver, next.remote_index);
		next.local_index = local_index;
		*handshake = next;
	}
	noise_handshake_wipe(&next);
	return ret;
}

int noise_consume_response(struct noise_handshake *handshake, const struct noise_local *local,
			   const struct wire_response *message)
{
	struct noise_handshake next;
	int ret;

	if (handshake->state != NOISE_INITIATION_SENT ||
	    wire_get32(message->receiver) != handshake->local_index)
		return -EINVAL;
	next = *handshake;
	ret = noise_read_response(
		&next, local, (const uint8_t *)message + offsetof(struct wire_response, ephemeral),
		0, NULL);
	if (ret == 0) {
		next.remote_index = wire_get32(message->sender);
		*handshake = next;
	}
	noise_handshake_wipe(&next);
	return ret;
}

int noise_begin_session(struct noise_handshake *handshake, struct noise_session *session)
{
	uint8_t *t1, *t2;

	if (handshake->state != NOISE_RESPONSE_SENT && handshake->state != NOISE_RESPONSE_TAKEN)
		return -EINVAL;
	session->initiator = handshake->initiator;
	session->local_index = handshake->local_index;
	session->remote_index = handshake->remote_index;
	t1 = session->initiator ? session->send.bytes : session->receive.bytes;
	t2 = session->initiator ? session->receive.bytes : session->send.bytes;
	kdf(t1, t2, NULL, handshake->symmetric.chaining, NULL, 0);
	noise_handshake_reset(handshake);
	return 0;
}

void noise_session_wipe(struct noise_session *session)
{
	sodium_memzero(session, sizeof(*session));
}

void noise_timestamp(uint8_t timestamp[WIRE_TIMESTAMP_LEN], int64_t seconds, uint32_t nanoseconds)
{
	uint64_t label = htobe64(TAI64_BASE + (uint64_t)seconds);
	uint32_t rest = htobe32(nanoseconds & ~NANOSECONDS_BLUR);

	memcpy(timestamp, &label, sizeof(label));
	memcpy(timestamp + sizeof(label), &rest, sizeof(rest));
}
