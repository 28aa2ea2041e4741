/* SPDX-License-Identifier: MIT
 * The AEADs: known answers of OpenSSL and random packets for our own functions, over the reference
 * and over the fastest backend of this machine; the proof that a backend must pass; and Wycheproof
 * for the functions of libsodium under them. (No case of Wycheproof has both four zero bytes before
 * its nonce and no additional data, as our packets have.) */
#include "config.h"
#include "engine/aead.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "engine/aead_sodium.h"
#include "../vectors/vectors.h"

#define KNOWN_CASES 9
#define CHACHA_VALID 256
#define XCHACHA_VALID 246
#define INVALID 60 /* of either */

static const uint8_t KEY[AEAD_KEY_LEN] = {1, 2, 3};

/* The backends. *state names the choice at first and holds the cipher then. */

static const enum aead_choice reference = AEAD_SODIUM;
#ifdef HAVE_IPSEC_MB
static const enum aead_choice fastest = AEAD_AUTO;
#endif

static int set_up(void **state)
{
	const enum aead_choice *choice = *state;
	struct aead *aead = malloc(sizeof(*aead));

	assert_non_null(aead);
	assert_int_equal(aead_init(aead, *choice), 0);
	if (*choice == AEAD_AUTO && aead->backend == &aead_sodium)
		aead_free(aead);
	*state = aead;
	return 0;
}

static int tear_down(void **state)
{
	aead_free(*state);
	free(*state);
	return 0;
}

static struct aead *cipher(void **state)
{
	struct aead *aead = *state;

	if (!aead->backend) {
		print_message("# the CPU has nothing faster than libsodium\n");
		skip();
	}
	return aead;
}

static void known_answers(void **state)
{
	struct aead *aead = cipher(state);
	struct vectors vectors;
	unsigned cases = 0;

	vectors_open(&vectors, "aead.txt");
	while (vectors_next(&vectors)) {
		uint8_t key[AEAD_KEY_LEN], counter[8];
		size_t len, sealed_len;
		uint8_t *plain, *expected, *buffer;
		struct aead_op op;

		vectors_copy(&vectors, 1, key, sizeof(key));
		vectors_copy(&vectors, 2, counter, sizeof(counter));
		plain = vectors_bytes(&vectors, 3, &len);
		expected = vectors_bytes(&vectors, 4, &sealed_len);
		assert_int_equal(sealed_len, len + AEAD_TAG_LEN);
		buffer = malloc(sealed_len);
		assert_non_null(buffer);

		op = (struct aead_op){buffer, plain, len, wire_get64(counter), false};
		aead_seal_many(aead, key, &op, 1);
		assert_memory_equal(buffer, expected, sealed_len);
		op = (struct aead_op){buffer, buffer, sealed_len, op.counter, false};
		aead_open_many(aead, key, &op, 1); /* in place */
		assert_true(op.ok);
		assert_memory_equal(buffer, plain, len);
		op = (struct aead_op){buffer, buffer, len, op.counter, false};
		aead_seal_many(aead, key, &op, 1); /* in place */
		assert_memory_equal(buffer, expected, sealed_len);
		op = (struct aead_op){buffer, expected, sealed_len, op.counter, false};
		aead_open_many(aead, key, &op, 1);
		assert_true(op.ok);
		assert_memory_equal(buffer, plain, len);

		free(plain);
		free(expected);
		free(buffer);
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, KNOWN_CASES);
}

/* One sealed packet of len bytes in the clear, with counter 7 */
static void seal_one(struct aead *aead, uint8_t *sealed, size_t len)
{
	struct aead_op op = {sealed, sealed, len, 7, false};

	for (size_t i = 0; i < len; i++)
		sealed[i] = (uint8_t)i;
	aead_seal_many(aead, KEY, &op, 1);
}

static bool opens(struct aead *aead, const uint8_t key[AEAD_KEY_LEN], const uint8_t *sealed,
		  size_t len, uint64_t counter)
{
	uint8_t *plain = malloc(len);
	struct aead_op op = {plain, sealed, len, counter, true};

	assert_non_null(plain);
	aead_open_many(aead, key, &op, 1);
	free(plain);
	return op.ok;
}

static void tampered(void **state)
{
	struct aead *aead = cipher(state);
	uint8_t sealed[100 + AEAD_TAG_LEN], other[AEAD_KEY_LEN];

	seal_one(aead, sealed, 100);
	assert_true(opens(aead, KEY, sealed, sizeof(sealed), 7));
	for (unsigned bit = 0; bit < 8 * sizeof(sealed); bit++) {
		sealed[bit / 8] ^= 1 << bit % 8;
		assert_false(opens(aead, KEY, sealed, sizeof(sealed), 7));
		sealed[bit / 8] ^= 1 << bit % 8;
	}
	for (unsigned bit = 0; bit < 64; bit++)
		assert_false(opens(aead, KEY, sealed, sizeof(sealed), 7 ^ UINT64_C(1) << bit));
	for (unsigned bit = 0; bit < 8 * sizeof(other); bit++) {
		memcpy(other, KEY, sizeof(other));
		other[bit / 8] ^= 1 << bit % 8;
		assert_false(opens(aead, other, sealed, sizeof(sealed), 7));
	}
	for (size_t len = 1; len < sizeof(sealed); len++) /* also shorter than a tag */
		assert_false(opens(aead, KEY, sealed, len, 7));
	assert_true(opens(aead, KEY, sealed, sizeof(sealed), 7));
}

static void empty_packet(void **state)
{
	struct aead *aead = cipher(state);
	uint8_t sealed[AEAD_TAG_LEN];

	seal_one(aead, sealed, 0);
	assert_true(opens(aead, KEY, sealed, sizeof(sealed), 7));
	sealed[0] ^= 1;
	assert_false(opens(aead, KEY, sealed, sizeof(sealed), 7));
}

/* Many at once are each as alone; a bad one harms none of the others. */
static void many(void **state)
{
	enum { COUNT = 130, STRIDE = 200 };
	static uint8_t together[COUNT][STRIDE], plain[COUNT][STRIDE], alone[STRIDE];
	struct aead *aead = cipher(state);
	struct aead_op ops[COUNT];

	for (unsigned i = 0; i < COUNT; i++) {
		for (unsigned j = 0; j < STRIDE; j++)
			plain[i][j] = (uint8_t)(i + j);
		ops[i] = (struct aead_op){together[i] + i % 4, plain[i], i, 1000 + i, false};
	}
	aead_seal_many(aead, KEY, ops, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		struct aead_op op = {alone, plain[i], i, 1000 + i, false};

		aead_seal_many(aead, KEY, &op, 1);
		assert_memory_equal(together[i] + i % 4, alone, i + AEAD_TAG_LEN);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		uint8_t *sealed = together[i] + i % 4;

		ops[i] = (struct aead_op){sealed, sealed, i + AEAD_TAG_LEN, 1000 + i, i % 3 == 0};
		if (i % 3 == 0)
			sealed[i / 2] ^= 0x10;
	}
	aead_open_many(aead, KEY, ops, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(ops[i].ok, i % 3 != 0);
		if (ops[i].ok)
			assert_memory_equal(ops[i].dst, plain[i], i);
	}
	aead_seal_many(aead, KEY, NULL, 0);
	aead_open_many(aead, KEY, NULL, 0);
}

/* Random packets, beside what libsodium makes of each alone */

#define RANDOM_ROUNDS 400
#define RANDOM_COUNT 64
#define RANDOM_BIG 65535
#define CANARY 0xa5
#define CANARY_LEN 16

struct packet {
	uint8_t *in, *out; /* the same one, or apart; at any address */
	uint8_t *plain, *expected;
	size_t len;
	bool forged;
	void *memory[4];
};

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* At an odd distance from where malloc puts things, and with a canary behind. */
static uint8_t *allocate(void **memory, size_t len, unsigned offset)
{
	uint8_t *bytes;

	*memory = malloc(offset + len + CANARY_LEN);
	assert_non_null(*memory);
	bytes = (uint8_t *)*memory + offset;
	memset(bytes + len, CANARY, CANARY_LEN);
	return bytes;
}

static void check_canary(const uint8_t *end)
{
	for (unsigned i = 0; i < CANARY_LEN; i++)
		assert_int_equal(end[i], CANARY);
}

static void make_packet(struct packet *packet, const uint8_t key[AEAD_KEY_LEN], uint64_t counter,
			uint32_t *seed)
{
	uint8_t nonce[12] = {0}, fill[randombytes_SEEDBYTES] = {0};
	size_t sealed_len;

	packet->len = next_random(seed) % 100 ? next_random(seed) % 1501
					      : next_random(seed) % (RANDOM_BIG + 1);
	sealed_len = packet->len + AEAD_TAG_LEN;
	packet->in = allocate(&packet->memory[0], sealed_len, next_random(seed) % 17);
	packet->out = next_random(seed) % 2
			      ? packet->in
			      : allocate(&packet->memory[1], sealed_len, next_random(seed) % 17);
	packet->plain = allocate(&packet->memory[2], packet->len, 0);
	packet->expected = allocate(&packet->memory[3], sealed_len, 0);
	wire_put64(fill, counter);
	randombytes_buf_deterministic(packet->plain, packet->len, fill);
	memcpy(packet->in, packet->plain, packet->len);
	wire_put64(nonce + 4, counter);
	crypto_aead_chacha20poly1305_ietf_encrypt(packet->expected, NULL, packet->plain,
						  packet->len, NULL, 0, NULL, nonce, key);
}

static void free_packet(struct packet *packet)
{
	for (unsigned i = 0; i < 4; i++)
		free(packet->memory[i]);
}

static void seal_packets(struct aead *aead, const uint8_t key[AEAD_KEY_LEN], struct packet *packets,
			 unsigned count, uint64_t counter)
{
	struct aead_op ops[RANDOM_COUNT];

	for (unsigned i = 0; i < count; i++)
		ops[i] = (struct aead_op){packets[i].out, packets[i].in, packets[i].len,
					  counter + i, false};
	aead_seal_many(aead, key, ops, count);
	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = &packets[i];
		size_t sealed_len = packet->len + AEAD_TAG_LEN;

		assert_memory_equal(packet->out, packet->expected, sealed_len);
		check_canary(packet->out + sealed_len);
		if (packet->out != packet->in)
			assert_memory_equal(packet->in, packet->plain, packet->len);
	}
}

/* Some are forged on the way: these are refused, the others are not. */
static void open_packets(struct aead *aead, const uint8_t key[AEAD_KEY_LEN], struct packet *packets,
			 unsigned count, uint64_t counter, uint32_t *seed)
{
	struct aead_op ops[RANDOM_COUNT];

	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &packets[i];
		size_t sealed_len = packet->len + AEAD_TAG_LEN;

		packet->forged = next_random(seed) % 4 == 0;
		if (packet->forged)
			packet->out[next_random(seed) % sealed_len] ^= 1 << next_random(seed) % 8;
		ops[i] = (struct aead_op){packet->in, packet->out, sealed_len, counter + i,
					  packet->forged};
	}
	aead_open_many(aead, key, ops, count);
	for (unsigned i = 0; i < count; i++) {
		const struct packet *packet = &packets[i];

		assert_int_equal(ops[i].ok, !packet->forged);
		if (ops[i].ok)
			assert_memory_equal(packet->in, packet->plain, packet->len);
		check_canary(packet->in + packet->len + AEAD_TAG_LEN);
	}
}

static void random_packets(void **state)
{
	struct aead *aead = cipher(state);
	static struct packet packets[RANDOM_COUNT];
	uint32_t seed = 20250101;
	uint8_t key[AEAD_KEY_LEN];

	for (unsigned round = 0; round < RANDOM_ROUNDS; round++) {
		unsigned count = 1 + next_random(&seed) % RANDOM_COUNT;
		uint64_t counter = (uint64_t)next_random(&seed) << 32 | next_random(&seed);

		for (unsigned i = 0; i < AEAD_KEY_LEN; i++)
			key[i] = (uint8_t)next_random(&seed);
		memset(packets, 0, sizeof(packets));
		for (unsigned i = 0; i < count; i++)
			make_packet(&packets[i], key, counter + i, &seed);
		seal_packets(aead, key, packets, count, counter);
		open_packets(aead, key, packets, count, counter, &seed);
		for (unsigned i = 0; i < count; i++)
			free_packet(&packets[i]);
	}
}

/* Just what libsodium's AEAD makes of it. */
static void check_length(struct aead *aead, size_t len)
{
	static uint8_t plain[RANDOM_BIG], expected[sizeof(plain) + AEAD_TAG_LEN],
		sealed[sizeof(expected)];
	const uint8_t nonce[12] = {0, 0, 0, 0, 9};
	struct aead_op op = {sealed, plain, len, 9, false};

	for (size_t i = 0; i < len; i++)
		plain[i] = (uint8_t)(i * 31 ^ i >> 7);
	crypto_aead_chacha20poly1305_ietf_encrypt(expected, NULL, plain, len, NULL, 0, NULL, nonce,
						  KEY);
	aead_seal_many(aead, KEY, &op, 1);
	assert_memory_equal(sealed, expected, len + AEAD_TAG_LEN);
	op = (struct aead_op){sealed, sealed, len + AEAD_TAG_LEN, 9, false};
	aead_open_many(aead, KEY, &op, 1);
	assert_true(op.ok);
	assert_memory_equal(sealed, plain, len);
}

/* A backend may work in pieces: beyond two of ours, all of them. */
static void every_length(void **state)
{
	for (size_t len = 0; len <= 4500; len++)
		check_length(cipher(state), len);
	check_length(cipher(state), RANDOM_BIG);
}

/* Nothing before or behind a packet is so much as read: it lies between two pages that kill. */
static void guarded(void **state)
{
	struct aead *aead = cipher(state);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *middle = memory + page;

	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(mprotect(middle, page, PROT_READ | PROT_WRITE), 0);
	for (size_t len = 0; len <= 1600; len += len < 300 ? 1 : 13) {
		uint8_t *at[] = {middle, middle + page - len - AEAD_TAG_LEN};

		for (unsigned i = 0; i < 2; i++) {
			struct aead_op op = {at[i], at[i], len, len, false};

			memset(middle, (int)len, page);
			aead_seal_many(aead, KEY, &op, 1);
			op.len += AEAD_TAG_LEN;
			aead_open_many(aead, KEY, &op, 1);
			assert_true(op.ok);
			for (size_t j = 0; j < len; j++)
				assert_int_equal(at[i][j], len & 0xff);
		}
	}
	munmap(memory, 3 * page);
}

/* Backends that are wrong in one way each, beside that as libsodium */

static unsigned started, stopped;

static int fault_start(void **state)
{
	*state = &started;
	started++;
	return 0;
}

static void fault_stop(void *state)
{
	assert_ptr_equal(state, &started);
	stopped++;
}

static int no_start(void **state)
{
	(void)state;
	return -ENOTSUP;
}

static void wrong_tag(void *state, const uint8_t *key, struct aead_op *ops, unsigned count)
{
	aead_sodium.seal(state, key, ops, count);
	ops[count - 1].dst[ops[count - 1].len + AEAD_TAG_LEN - 1] ^= 0x80;
}

static void wrong_when_long(void *state, const uint8_t *key, struct aead_op *ops, unsigned count)
{
	aead_sodium.seal(state, key, ops, count);
	for (unsigned i = 0; i < count; i++)
		if (ops[i].len > 1024)
			ops[i].dst[1024] ^= 1;
}

static void wrong_in_place(void *state, const uint8_t *key, struct aead_op *ops, unsigned count)
{
	aead_sodium.seal(state, key, ops, count);
	for (unsigned i = 0; i < count; i++)
		if (ops[i].src == ops[i].dst && ops[i].len > 0)
			ops[i].dst[0] ^= 1;
}

static void first_only(void *state, const uint8_t *key, struct aead_op *ops, unsigned count)
{
	aead_sodium.seal(state, key, ops, count > 0);
}

static void trusts(void *state, const uint8_t *key, struct aead_op *ops, unsigned count)
{
	aead_sodium.open(state, key, ops, count);
	for (unsigned i = 0; i < count; i++)
		ops[i].ok = true;
}

static void refuses(void *state, const uint8_t *key, struct aead_op *ops, unsigned count)
{
	aead_sodium.open(state, key, ops, count);
	for (unsigned i = 0; i < count; i++)
		ops[i].ok = false;
}

/* Looks at the tag, but not to its end. */
static void trusts_last_byte(void *state, const uint8_t *key, struct aead_op *ops, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t sealed[4096];
		struct aead_op op = ops[i];

		memcpy(sealed, op.src, op.len);
		op.src = sealed;
		op.ok = false;
		for (unsigned last = 0; last < 256 && !op.ok; last++) {
			sealed[op.len - 1] = (uint8_t)last;
			aead_sodium.open(state, key, &op, 1);
		}
		ops[i].ok = op.ok;
	}
}

static void faulty_backends(void **state)
{
	static const struct {
		void (*seal)(void *, const uint8_t *, struct aead_op *, unsigned);
		void (*open)(void *, const uint8_t *, struct aead_op *, unsigned);
	} faults[] = {
		{wrong_tag, NULL},        {wrong_when_long, NULL}, {wrong_in_place, NULL},
		{first_only, NULL},       {NULL, trusts},          {NULL, refuses},
		{NULL, trusts_last_byte},
	};
	enum { FAULTS = sizeof(faults) / sizeof(faults[0]) };

	(void)state;
	started = stopped = 0;
	for (unsigned i = 0; i < FAULTS; i++) {
		const struct aead_backend faulty = {
			.name = "faulty",
			.start = fault_start,
			.stop = fault_stop,
			.seal = faults[i].seal ? faults[i].seal : aead_sodium.seal,
			.open = faults[i].open ? faults[i].open : aead_sodium.open,
		};
		const struct aead_backend *const alone[] = {&faulty, NULL};
		const struct aead_backend *const helped[] = {&faulty, &aead_sodium, NULL};
		struct aead aead;

		assert_int_equal(aead_init_first(&aead, alone), -EIO);
		assert_null(aead.backend);
		aead_free(&aead);
		assert_int_equal(aead_init_first(&aead, helped), 0);
		assert_string_equal(aead_name(&aead), "libsodium");
		aead_free(&aead);
	}
	assert_int_equal(started, 2 * FAULTS);
	assert_int_equal(stopped, 2 * FAULTS);
}

static void choice(void **state)
{
	const struct aead_backend absent = {.name = "absent", .start = no_start};
	const struct aead_backend good = {
		"good", fault_start, fault_stop, aead_sodium.seal, aead_sodium.open,
	};
	const struct aead_backend *const last[] = {&absent, &good, &aead_sodium, NULL};
	const struct aead_backend *const none[] = {&absent, NULL};
	struct aead aead = {0};

	(void)state;
	aead_free(&aead); /* none is fine */
	started = stopped = 0;
	assert_int_equal(aead_init_first(&aead, last), 0);
	assert_string_equal(aead_name(&aead), "good");
	assert_int_equal(stopped, 0);
	aead_free(&aead);
	assert_int_equal(started, 1);
	assert_int_equal(stopped, 1);
	assert_int_equal(aead_init_first(&aead, none), -ENOTSUP);
	aead_free(&aead);
	assert_int_equal(aead_init(&aead, AEAD_SODIUM), 0);
	assert_string_equal(aead_name(&aead), "libsodium");
	aead_free(&aead);
}

struct one {
	uint8_t key[32], nonce[24], tag[16];
	uint8_t *additional, *message, *ciphertext;
	size_t additional_len, len;
	bool valid;
};

static void read_one(struct one *one, const struct vectors *vectors, size_t nonce_len)
{
	size_t len;

	assert_int_equal(vectors->count, 8);
	vectors_copy(vectors, 1, one->key, sizeof(one->key));
	vectors_copy(vectors, 2, one->nonce, nonce_len);
	one->additional = vectors_bytes(vectors, 3, &one->additional_len);
	one->message = vectors_bytes(vectors, 4, &one->len);
	one->ciphertext = vectors_bytes(vectors, 5, &len);
	assert_int_equal(len, one->len);
	vectors_copy(vectors, 6, one->tag, sizeof(one->tag));
	one->valid = strcmp(vectors->fields[7], "valid") == 0;
	assert_true(one->valid || strcmp(vectors->fields[7], "invalid") == 0);
}

static void free_one(struct one *one)
{
	free(one->additional);
	free(one->message);
	free(one->ciphertext);
}

typedef int encrypt_function(unsigned char *, unsigned char *, unsigned long long *,
			     const unsigned char *, unsigned long long, const unsigned char *,
			     unsigned long long, const unsigned char *, const unsigned char *,
			     const unsigned char *);
typedef int decrypt_function(unsigned char *, unsigned char *, const unsigned char *,
			     unsigned long long, const unsigned char *, const unsigned char *,
			     unsigned long long, const unsigned char *, const unsigned char *);

static void wycheproof(const char *file, size_t nonce_len, encrypt_function *encrypt,
		       decrypt_function *decrypt, unsigned expected_valid)
{
	struct vectors vectors;
	unsigned valid = 0, invalid = 0;

	vectors_open(&vectors, file);
	while (vectors_next(&vectors)) {
		struct one one;
		uint8_t *out, tag[16];
		int ret;

		read_one(&one, &vectors, nonce_len);
		out = malloc(one.len + 1);
		assert_non_null(out);
		ret = decrypt(out, NULL, one.ciphertext, one.len, one.tag, one.additional,
			      one.additional_len, one.nonce, one.key);
		assert_int_equal(ret, one.valid ? 0 : -1);
		if (one.valid) {
			assert_memory_equal(out, one.message, one.len);
			encrypt(out, tag, NULL, one.message, one.len, one.additional,
				one.additional_len, NULL, one.nonce, one.key);
			assert_memory_equal(out, one.ciphertext, one.len);
			assert_memory_equal(tag, one.tag, sizeof(tag));
			valid++;
		} else {
			invalid++;
		}
		free(out);
		free_one(&one);
	}
	vectors_close(&vectors);
	assert_int_equal(valid, expected_valid);
	assert_int_equal(invalid, INVALID);
}

static void wycheproof_chacha20(void **state)
{
	(void)state;
	wycheproof("chacha20poly1305.txt", 12, crypto_aead_chacha20poly1305_ietf_encrypt_detached,
		   crypto_aead_chacha20poly1305_ietf_decrypt_detached, CHACHA_VALID);
}

static void wycheproof_xchacha20(void **state)
{
	(void)state;
	wycheproof("xchacha20poly1305.txt", 24, crypto_aead_xchacha20poly1305_ietf_encrypt_detached,
		   crypto_aead_xchacha20poly1305_ietf_decrypt_detached, XCHACHA_VALID);
}

/* Wycheproof's packets are none of ours, for their nonces or additional data; but with its keys,
 * counters and messages, we must do what libsodium does. */
static void wycheproof_as_ours(void **state)
{
	struct aead *aead = cipher(state);
	struct vectors vectors;
	unsigned cases = 0;

	vectors_open(&vectors, "chacha20poly1305.txt");
	while (vectors_next(&vectors)) {
		struct one one;
		uint8_t *ours, *theirs;
		size_t sealed_len;
		struct aead_op op;

		read_one(&one, &vectors, 12);
		sealed_len = one.len + AEAD_TAG_LEN;
		ours = malloc(sealed_len);
		theirs = malloc(sealed_len);
		assert_true(ours && theirs);
		if (one.len > 0)
			memcpy(ours, one.ciphertext, one.len);
		memcpy(ours + one.len, one.tag, sizeof(one.tag));
		assert_false(opens(aead, one.key, ours, sealed_len, wire_get64(one.nonce + 4)));

		op = (struct aead_op){ours, one.message, one.len, wire_get64(one.nonce + 4), false};
		aead_seal_many(aead, one.key, &op, 1);
		memset(one.nonce, 0, 4);
		crypto_aead_chacha20poly1305_ietf_encrypt(theirs, NULL, one.message, one.len, NULL,
							  0, NULL, one.nonce, one.key);
		assert_memory_equal(ours, theirs, sealed_len);
		assert_true(opens(aead, one.key, ours, sealed_len, op.counter));
		free(ours);
		free(theirs);
		free_one(&one);
		cases++;
	}
	vectors_close(&vectors);
	assert_int_equal(cases, CHACHA_VALID + INVALID);
}

/* Nothing of a key stays behind on the stack, where it has been deeper than it is here. Vector code
 * has a word of the key in all lanes of a register. */
static bool __attribute__((noinline)) left_behind(const uint8_t key[AEAD_KEY_LEN])
{
	uint8_t dead[8192];
	bool found = false;

	__asm__ volatile("" : "=m"(dead)); /* the compiler is to take it for written */
	for (size_t i = 0; i < AEAD_KEY_LEN; i += 4) {
		uint8_t lanes[16];

		for (size_t k = 0; k < sizeof(lanes); k++)
			lanes[k] = key[i + k % 4];
		found |= memmem(dead, sizeof(dead), lanes, sizeof(lanes)) ||
			 memmem(dead, sizeof(dead), key + i / 8 * 8, 8);
	}
	return found;
}

static void stack(void **state)
{
	struct aead *aead = cipher(state);
	uint8_t packet[1420 + AEAD_TAG_LEN] = {0};
	struct aead_op op = {.dst = packet, .src = packet};
	uint8_t key[AEAD_KEY_LEN];

	randombytes_buf(key, sizeof(key));
	for (size_t len = 0; len <= 1420; len += 71) {
		op.len = len;
		aead_seal_many(aead, key, &op, 1);
		assert_false(left_behind(key));
		op.len = len + AEAD_TAG_LEN;
		aead_open_many(aead, key, &op, 1);
		assert_false(left_behind(key));
		assert_true(op.ok);
	}
}

#define OVER(test, backend)                                                                        \
	{                                                                                          \
		.name = #test " over the " #backend, .test_func = (test), .setup_func = set_up,    \
		.teardown_func = tear_down, .initial_state = (void *)(uintptr_t) & (backend),      \
	}
#ifdef HAVE_IPSEC_MB
#define OVER_BOTH(test) OVER(test, reference), OVER(test, fastest)
#else
#define OVER_BOTH(test) OVER(test, reference)
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		OVER_BOTH(known_answers),
		OVER_BOTH(tampered),
		OVER_BOTH(empty_packet),
		OVER_BOTH(many),
		OVER_BOTH(random_packets),
		OVER_BOTH(every_length),
		OVER_BOTH(guarded),
		OVER_BOTH(stack),
		OVER_BOTH(wycheproof_as_ours),
		cmocka_unit_test(faulty_backends),
		cmocka_unit_test(choice),
		cmocka_unit_test(wycheproof_chacha20),
		cmocka_unit_test(wycheproof_xchacha20),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
