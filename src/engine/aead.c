/* SPDX-License-Identifier: MIT
 * ChaCha20-Poly1305 (RFC 8439) with libsodium, one packet after the other (whitepaper section
 * 5.4.6). */
#include "engine/aead.h"

#include <sodium.h>

#define NONCE_LEN 12

_Static_assert(AEAD_KEY_LEN == crypto_aead_chacha20poly1305_IETF_KEYBYTES, "key");
_Static_assert(AEAD_TAG_LEN == crypto_aead_chacha20poly1305_IETF_ABYTES, "tag");
_Static_assert(NONCE_LEN == crypto_aead_chacha20poly1305_IETF_NPUBBYTES, "nonce");

void aead_seal_many(const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct aead_op *op = &ops[i];
		uint8_t nonce[NONCE_LEN] = {0};

		wire_put64(nonce + 4, op->counter);
		crypto_aead_chacha20poly1305_ietf_encrypt(op->dst, NULL, op->src, op->len, NULL, 0,
							  NULL, nonce, key);
	}
}

void aead_open_many(const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct aead_op *op = &ops[i];
		uint8_t nonce[NONCE_LEN] = {0};

		wire_put64(nonce + 4, op->counter);
		op->ok = crypto_aead_chacha20poly1305_ietf_decrypt(
				 op->dst, NULL, NULL, op->src, op->len, NULL, 0, nonce, key) == 0;
	}
}
