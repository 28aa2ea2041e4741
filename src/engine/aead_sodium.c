/* SPDX-License-Identifier: MIT
 * ChaCha20-Poly1305 (RFC 8439 section 2.8) of libsodium's stream cipher and its authenticator.
 * libsodium's own AEAD makes the authenticator's key by a call for one block, and is slow with what
 * is left of a packet after its last 512 bytes. Here one call makes the key and the stream of a
 * whole packet, and a length that suits the vector code: seven tenths of the time. */
#include "engine/aead_sodium.h"

#include <sodium.h>
#include <string.h>

#define NONCE_LEN 12
#define BLOCK 64
#define STREAM 2048 /* bytes made by that one call, at the most */
/* More than the library uses of the stack. It leaves the key there: its vector code has more words
 * to keep than registers. */
#define STACK_DEPTH 4096

struct packet {
	const uint8_t *key;
	uint8_t nonce[NONCE_LEN];
	uint8_t stream[STREAM]; /* the first block is the authenticator's */
};

static int sodium_start(void **state)
{
	*state = NULL;
	return 0;
}

static void sodium_stop(void *state)
{
	(void)state;
}

/* The stream is made in fours and eights of blocks; what is over is made one by one. */
static size_t suitable(size_t len)
{
	size_t rest = len % (8 * BLOCK);

	if (rest <= BLOCK)
		return len;
	return len - rest + (rest <= 4 * BLOCK ? 4 * BLOCK : 8 * BLOCK);
}

/* Not the stream, which is long. */
static void start(struct packet *packet, const uint8_t *key)
{
	packet->key = key;
	memset(packet->nonce, 0, sizeof(packet->nonce));
}

static void begin(struct packet *packet, uint64_t counter, size_t len)
{
	size_t wanted = BLOCK + len;

	wire_put64(packet->nonce + 4, counter);
	crypto_stream_chacha20_ietf(packet->stream, wanted < STREAM ? suitable(wanted) : STREAM,
				    packet->nonce, packet->key);
}

static void authenticate(const struct packet *packet, const uint8_t *sealed, size_t len,
			 uint8_t tag[AEAD_TAG_LEN])
{
	static const uint8_t zeros[AEAD_TAG_LEN];
	uint8_t lengths[16] = {0}; /* of the additional data, and of this */
	crypto_onetimeauth_poly1305_state state;

	wire_put64(lengths + 8, len);
	crypto_onetimeauth_poly1305_init(&state, packet->stream);
	crypto_onetimeauth_poly1305_update(&state, sealed, len);
	crypto_onetimeauth_poly1305_update(&state, zeros, -len % sizeof(zeros));
	crypto_onetimeauth_poly1305_update(&state, lengths, sizeof(lengths));
	crypto_onetimeauth_poly1305_final(&state, tag);
}

/* In rows: the compiler cannot know that this is safe where dst is src. */
static void combine(uint8_t *dst, const uint8_t *src, const uint8_t *stream, size_t len)
{
	typedef uint64_t row __attribute__((vector_size(16)));
	size_t i = 0;

	for (; i + sizeof(row) <= len; i += sizeof(row)) {
		row a, b;
		memcpy(&a, src + i, sizeof(a));
		memcpy(&b, stream + i, sizeof(b));
		a ^= b;
		memcpy(dst + i, &a, sizeof(a));
	}
	/* clang-tidy does not see that begin() made as much of the stream as is needed. */
	for (; i < len; ++i)
		dst[i] = src[i] ^ stream[i]; /* NOLINT(clang-analyzer-core.UndefinedBinary*) */
}

/* Either way: seals what is open, opens what is sealed. */
static void apply(const struct packet *packet, uint8_t *dst, const uint8_t *src, size_t len)
{
	size_t first = len < STREAM - BLOCK ? len : STREAM - BLOCK;

	combine(dst, src, packet->stream + BLOCK, first);
	if (len > first)
		crypto_stream_chacha20_ietf_xor_ic(dst + first, src + first, len - first,
						   packet->nonce, STREAM / BLOCK, packet->key);
}

static void sodium_seal(void *state, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
			unsigned count)
{
	struct packet packet;

	(void)state;
	start(&packet, key);
	for (unsigned i = 0; i < count; i++) {
		struct aead_op *op = &ops[i];

		begin(&packet, op->counter, op->len);
		apply(&packet, op->dst, op->src, op->len);
		authenticate(&packet, op->dst, op->len, op->dst + op->len);
	}
	sodium_memzero(&packet, sizeof(packet));
	sodium_stackzero(STACK_DEPTH);
}

static bool open_one(struct packet *packet, const struct aead_op *op)
{
	uint8_t tag[AEAD_TAG_LEN];

	if (op->len < AEAD_TAG_LEN)
		return false;
	size_t len = op->len - AEAD_TAG_LEN;
	begin(packet, op->counter, len);
	authenticate(packet, op->src, len, tag);
	if (crypto_verify_16(tag, op->src + len))
		return false;
	apply(packet, op->dst, op->src, len);
	return true;
}

static void sodium_open(void *state, const uint8_t key[AEAD_KEY_LEN], struct aead_op *ops,
			unsigned count)
{
	struct packet packet;

	(void)state;
	start(&packet, key);
	for (unsigned i = 0; i < count; i++)
		ops[i].ok = open_one(&packet, &ops[i]);
	sodium_memzero(&packet, sizeof(packet));
	sodium_stackzero(STACK_DEPTH);
}

const struct aead_backend aead_sodium = {
	.name = "libsodium",
	.start = sodium_start,
	.stop = sodium_stop,
	.seal = sodium_seal,
	.open = sodium_open,
};
