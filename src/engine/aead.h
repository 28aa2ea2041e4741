/* SPDX-License-Identifier: MIT
 * ChaCha20-Poly1305 (RFC 8439) over many packets of one key at once: the one door through which the
 * data path reaches a cipher. libsodium is the backend; another may stand behind the same two
 * functions. No additional data. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "engine/wire.h"

#define AEAD_KEY_LEN 32
#define AEAD_TAG_LEN 16

struct aead_op {
	uint8_t *dst;       /* len + AEAD_TAG_LEN bytes; open: len less that. May equal src */
	const uint8_t *src; /* seal: the plaintext; open: ciphertext and tag */
	size_t len;         /* of src; open: less than AEAD_TAG_LEN is never ok */
	uint64_t counter;   /* the nonce is 4 zero bytes and this, little-endian */
	bool ok;            /* open: was the tag right? If not, dst holds nothing of use */
};

void aead_seal_many(const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops, unsigned count);
void aead_open_many(const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops, unsigned count);
