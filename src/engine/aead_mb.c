/* SPDX-License-Identifier: MIT
 * ChaCha20-Poly1305 with libipsec-mb. A packet is a job of its own, done when submit returns: for
 * this cipher the library's bursts gain nothing, and ask for more in each of its releases. Jobs
 * hold pointers only, so that a manager has no copy of a key. The library's imb_errno is one for
 * all threads, which all write it and none reads. */
#include "engine/aead_mb.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <sodium.h>
#include <string.h>

#define NONCE_LEN 12

static int mb_start(void **state)
{
	IMB_MGR *manager;

	/* This one also asks whether the system saves the registers; the library does not. */
	if (!__builtin_cpu_supports("avx512f"))
		return -ENOTSUP;
	manager = alloc_mb_mgr(0);
	if (!manager)
		return -ENOMEM;
	if ((manager->features & IMB_CPUFLAGS_AVX512) != IMB_CPUFLAGS_AVX512) {
		free_mb_mgr(manager);
		return -ENOTSUP;
	}
	init_mb_mgr_avx512(manager);
	*state = manager;
	return 0;
}

static void mb_stop(void *state)
{
	free_mb_mgr(state);
}

/* One packet of len bytes; its tag goes to tag, also when opening. False: not done. */
static bool run(IMB_MGR *manager, const uint8_t *key, const struct aead_op *op, size_t len,
		uint8_t *tag, IMB_CIPHER_DIRECTION direction)
{
	bool seal = direction == IMB_DIR_ENCRYPT;
	uint8_t nonce[NONCE_LEN] = {0};
	IMB_JOB *job = IMB_GET_NEXT_JOB(manager);

	wire_put64(nonce + 4, op->counter);
	*job = (IMB_JOB){
		.enc_keys = key,
		.dec_keys = key,
		.key_len_in_bytes = AEAD_KEY_LEN,
		.src = op->src,
		.dst = op->dst,
		.msg_len_to_cipher_in_bytes = len,
		.msg_len_to_hash_in_bytes = len,
		.iv = nonce,
		.iv_len_in_bytes = sizeof(nonce),
		.auth_tag_output = tag,
		.auth_tag_output_len_in_bytes = AEAD_TAG_LEN,
		.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305,
		.cipher_direction = direction,
		.hash_alg = IMB_AUTH_CHACHA20_POLY1305,
		.chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER,
	};
	job = IMB_SUBMIT_JOB_NOCHECK(manager);
	return job && job->status == IMB_STATUS_COMPLETED;
}

static void mb_seal(void *state, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct aead_op *op = &ops[i];

		/* Whatever happens, no plaintext gets out. */
		if (!run(state, key, op, op->len, op->dst + op->len, IMB_DIR_ENCRYPT))
			memset(op->dst, 0, op->len + AEAD_TAG_LEN);
	}
}

static bool open_one(IMB_MGR *manager, const uint8_t *key, const struct aead_op *op)
{
	uint8_t tag[AEAD_TAG_LEN];
	size_t len = op->len - AEAD_TAG_LEN;

	return op->len >= AEAD_TAG_LEN && run(manager, key, op, len, tag, IMB_DIR_DECRYPT) &&
	       crypto_verify_16(tag, op->src + len) == 0;
}

static void mb_open(void *state, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
		    unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		ops[i].ok = open_one(state, key, &ops[i]);
}

const struct aead_backend aead_mb = {
	.name = "libipsec-mb",
	.start = mb_start,
	.stop = mb_stop,
	.seal = mb_seal,
	.open = mb_open,
};
