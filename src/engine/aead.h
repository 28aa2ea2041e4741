/* SPDX-License-Identifier: MIT
 * ChaCha20-Poly1305 (RFC 8439) over many packets of one key at once: the one door through which the
 * data path reaches a cipher. No additional data. Behind the door stands one of several backends;
 * libsodium is the one that is always there, and its AEAD the measure of all. */
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

/* A library that can do it. seal and open are aead_seal_many and aead_open_many. */
struct aead_backend {
	const char *name;
	/* Makes what one thread needs. 0, -ENOTSUP (not on this machine) or -ENOMEM. */
	int (*start)(void **state);
	void (*stop)(void *state);
	void (*seal)(void *state, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		     unsigned count);
	void (*open)(void *state, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		     unsigned count);
};

enum aead_choice {
	AEAD_AUTO,   /* the fastest that works on this machine */
	AEAD_SODIUM, /* the reference: no memory of its own */
};

/* One thread's cipher: two threads need two. All zeros: none. */
struct aead {
	const struct aead_backend *backend;
	void *state; /* the backend's; owned */
};

/* After sodium_init(). A backend that does not do just what libsodium's AEAD does is passed over. 0
 * or -errno, which only a libsodium that fails can cause. */
int aead_init(struct aead *aead, enum aead_choice choice);
/* The first of these that starts and proves itself; the list ends with NULL. 0, or what the last
 * one failed with (-EIO: it differs from libsodium, or does not refuse a forgery). */
int aead_init_first(struct aead *aead, const struct aead_backend *const *backends);
void aead_free(struct aead *aead); /* none is fine */
/* For the log: "libsodium", "libipsec-mb". */
const char *aead_name(const struct aead *aead);

/* Nothing of the key stays behind. */
void aead_seal_many(struct aead *aead, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		    unsigned count);
void aead_open_many(struct aead *aead, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		    unsigned count);
