/* SPDX-License-Identifier: MIT
 * The backend libipsec-mb: what tests/unit/aead.c, which runs over every backend, cannot see. */
#include "engine/aead_mb.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include "../vectors/vectors.h"

#define COUNT 64
#define LEN 1420
#define ROUNDS 200

static const struct aead_backend *const MB[] = {&aead_mb, NULL};

/* A CPU that has what it takes, and yet no such backend, is a failure; any other is not. */
static void start(struct aead *aead)
{
	int err = aead_init_first(aead, MB);

	if (err == -ENOTSUP && !__builtin_cpu_supports("avx512vl")) {
		print_message("# the CPU has no AVX-512\n");
		skip();
	}
	assert_int_equal(err, 0);
	assert_string_equal(aead_name(aead), "libipsec-mb");
}

static void is_the_fastest(void **state)
{
	struct aead mb, chosen;

	(void)state;
	start(&mb);
	assert_int_equal(aead_init(&chosen, AEAD_AUTO), 0);
	assert_ptr_equal(chosen.backend, &aead_mb);
	aead_free(&chosen);
	aead_free(&mb);
}

struct packets {
	uint8_t bytes[COUNT][LEN + AEAD_TAG_LEN];
	struct aead_op ops[COUNT];
};

/* Seals and opens in place what fill says; counts those that come back wrong. */
static unsigned there_and_back(struct aead *aead, const uint8_t key[AEAD_KEY_LEN],
			       struct packets *packets, uint8_t fill)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < COUNT; i++) {
		memset(packets->bytes[i], (uint8_t)(fill + i), LEN);
		packets->ops[i] = (struct aead_op){
			.dst = packets->bytes[i],
			.src = packets->bytes[i],
			.len = LEN,
			.counter = i,
		};
	}
	aead_seal_many(aead, key, packets->ops, COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		packets->ops[i].len += AEAD_TAG_LEN;
	aead_open_many(aead, key, packets->ops, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		const uint8_t *bytes = packets->bytes[i];

		wrong += !packets->ops[i].ok || bytes[0] != (uint8_t)(fill + i) ||
			 memcmp(bytes, bytes + 1, LEN - 1) != 0;
	}
	return wrong;
}

/* Neither the key nor what is made of it for a packet is left in the manager. */
static void keeps_no_key(void **state)
{
	uint8_t key[AEAD_KEY_LEN], stream[256], nonce[12] = {0};
	struct packets *packets = malloc(sizeof(*packets));
	struct aead aead;
	size_t size = imb_get_mb_mgr_size();

	(void)state;
	assert_non_null(packets);
	start(&aead);
	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(0x91 + 11 * i);
	assert_int_equal(there_and_back(&aead, key, packets, 3), 0);
	for (unsigned i = 0; i + 8 <= sizeof(key); i++)
		assert_null(memmem(aead.state, size, key + i, 8));
	for (unsigned counter = 0; counter < COUNT; counter++) {
		wire_put64(nonce + 4, counter);
		crypto_stream_chacha20_ietf(stream, sizeof(stream), nonce, key);
		for (unsigned i = 0; i < sizeof(stream); i += 16)
			assert_null(memmem(aead.state, size, stream + i, 8));
	}
	aead_free(&aead);
	free(packets);
}

static void *work(void *arg)
{
	struct aead *aead = arg;
	struct packets *packets = malloc(sizeof(*packets));
	uint8_t key[AEAD_KEY_LEN] = {0};
	uintptr_t wrong = !packets;

	for (unsigned round = 0; round < ROUNDS && !wrong; round++) {
		key[round % AEAD_KEY_LEN] ^= (uint8_t)round;
		wrong += there_and_back(aead, key, packets, (uint8_t)round);
	}
	free(packets);
	return (void *)wrong;
}

static void two_threads(void **state)
{
	struct aead aeads[2];
	pthread_t threads[2];
	void *wrong;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		start(&aeads[i]);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &aeads[i]), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	for (unsigned i = 0; i < 2; i++)
		aead_free(&aeads[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_fastest),
		cmocka_unit_test(keeps_no_key),
		cmocka_unit_test(two_threads),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
