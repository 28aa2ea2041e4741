/* SPDX-License-Identifier: MIT
 * The choice of a backend, and the proof that it must pass: it does what libsodium's AEAD does
 * (whitepaper section 5.4.6). */
#include "config.h"
#include "engine/aead.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "engine/aead_mb.h"
#include "engine/aead_sodium.h"

#define NONCE_LEN 12

_Static_assert(AEAD_KEY_LEN == crypto_aead_chacha20poly1305_IETF_KEYBYTES, "key");
_Static_assert(AEAD_TAG_LEN == crypto_aead_chacha20poly1305_IETF_ABYTES, "tag");
_Static_assert(NONCE_LEN == crypto_aead_chacha20poly1305_IETF_NPUBBYTES, "nonce");

/* The proof: some packets at once, in place and not, and forgeries among them */

#define PROOF_LONGEST 4000
#define PROOF_COUNTER UINT64_C(0x0123456789abcdef)

static const uint16_t PROOF_LENGTHS[] = {0, 1, 16, 64, 576, 1439, PROOF_LONGEST};
#define PROOF_COUNT (sizeof(PROOF_LENGTHS) / sizeof(PROOF_LENGTHS[0]))

struct proof {
	uint8_t key[AEAD_KEY_LEN], plain[PROOF_LONGEST];
	uint8_t expected[PROOF_COUNT][PROOF_LONGEST + AEAD_TAG_LEN];
	uint8_t sealed[PROOF_COUNT][PROOF_LONGEST + AEAD_TAG_LEN];
	uint8_t opened[PROOF_COUNT][PROOF_LONGEST];
};

static void prepare(struct proof *proof)
{
	for (unsigned i = 0; i < AEAD_KEY_LEN; i++)
		proof->key[i] = (uint8_t)(0x80 + 7 * i);
	for (unsigned i = 0; i < PROOF_LONGEST; i++)
		proof->plain[i] = (uint8_t)(i ^ i >> 8);
	for (unsigned i = 0; i < PROOF_COUNT; i++) {
		uint8_t nonce[NONCE_LEN] = {0};

		wire_put64(nonce + 4, PROOF_COUNTER + i);
		crypto_aead_chacha20poly1305_ietf_encrypt(proof->expected[i], NULL, proof->plain,
							  PROOF_LENGTHS[i], NULL, 0, NULL, nonce,
							  proof->key);
	}
}

static bool seals(struct aead *aead, struct proof *proof, bool in_place)
{
	struct aead_op ops[PROOF_COUNT];
	bool right = true;

	memset(proof->sealed, 0, sizeof(proof->sealed)); /* as is what lies behind in expected */
	for (unsigned i = 0; i < PROOF_COUNT; i++) {
		if (in_place)
			memcpy(proof->sealed[i], proof->plain, PROOF_LENGTHS[i]);
		ops[i] = (struct aead_op){
			.dst = proof->sealed[i],
			.src = in_place ? proof->sealed[i] : proof->plain,
			.len = PROOF_LENGTHS[i],
			.counter = PROOF_COUNTER + i,
		};
	}
	aead_seal_many(aead, proof->key, ops, PROOF_COUNT);
	for (unsigned i = 0; i < PROOF_COUNT; i++)
		right &= !memcmp(proof->sealed[i], proof->expected[i], sizeof(proof->sealed[i]));
	return right;
}

/* Of the expected packets every second one, or every other second one, has a wrong bit, from the
 * first byte to the last of the tag. */
static bool opens(struct aead *aead, struct proof *proof, bool in_place, bool odd)
{
	struct aead_op ops[PROOF_COUNT];
	bool right = true;

	memcpy(proof->sealed, proof->expected, sizeof(proof->sealed));
	for (unsigned i = 0; i < PROOF_COUNT; i++) {
		size_t len = PROOF_LENGTHS[i] + AEAD_TAG_LEN;

		if (i % 2 == odd)
			proof->sealed[i][(len - 1) * i / (PROOF_COUNT - 1)] ^= (uint8_t)(1 << i);
		ops[i] = (struct aead_op){
			.dst = in_place ? proof->sealed[i] : proof->opened[i],
			.src = proof->sealed[i],
			.len = len,
			.counter = PROOF_COUNTER + i,
			.ok = i % 2 == odd,
		};
	}
	aead_open_many(aead, proof->key, ops, PROOF_COUNT);
	for (unsigned i = 0; i < PROOF_COUNT; i++) {
		bool forged = i % 2 == odd;

		right &= ops[i].ok != forged;
		right &= forged || !memcmp(ops[i].dst, proof->plain, PROOF_LENGTHS[i]);
	}
	return right;
}

/* Some 60 us. 0, -EIO or -ENOMEM. */
static int prove(struct aead *aead)
{
	struct proof *proof = calloc(1, sizeof(*proof));
	bool right = true;

	if (!proof)
		return -ENOMEM;
	prepare(proof);
	for (unsigned in_place = 0; in_place < 2; in_place++) {
		right = right && seals(aead, proof, in_place);
		right = right && opens(aead, proof, in_place, false);
		right = right && opens(aead, proof, in_place, true);
	}
	free(proof);
	return right ? 0 : -EIO;
}

/* The choice */

static const struct aead_backend *const FASTEST_FIRST[] = {
#ifdef HAVE_IPSEC_MB
	&aead_mb,
#endif
	&aead_sodium,
	NULL,
};
static const struct aead_backend *const REFERENCE[] = {&aead_sodium, NULL};

static int start(struct aead *aead, const struct aead_backend *backend)
{
	int err;

	*aead = (struct aead){.backend = backend};
	err = backend->start(&aead->state);
	if (err) {
		aead->backend = NULL;
		return err;
	}
	err = prove(aead);
	if (err)
		aead_free(aead);
	return err;
}

int aead_init(struct aead *aead, enum aead_choice choice)
{
	return aead_init_first(aead, choice == AEAD_AUTO ? FASTEST_FIRST : REFERENCE);
}

int aead_init_first(struct aead *aead, const struct aead_backend *const *backends)
{
	int err = -ENOTSUP;

	for (; *backends && err; backends++)
		err = start(aead, *backends);
	return err;
}

void aead_free(struct aead *aead)
{
	if (aead->backend)
		aead->backend->stop(aead->state);
	*aead = (struct aead){0};
}

const char *aead_name(const struct aead *aead)
{
	return aead->backend->name;
}

void aead_seal_many(struct aead *aead, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		    unsigned count)
{
	aead->backend->seal(aead->state, key, ops, count);
}

void aead_open_many(struct aead *aead, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		    unsigned count)
{
	aead->backend->open(aead->state, key, ops, count);
}
