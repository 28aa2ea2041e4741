/* SPDX-License-Identifier: MIT
 * Curve25519 keys and preshared keys, and their two text forms. Encoding and decoding take the same
 * time whatever the key. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_LEN 32
#define KEY_BASE64_LEN 44 /* without the NUL */
#define KEY_HEX_LEN 64    /* without the NUL */

struct key {
	uint8_t bytes[KEY_LEN];
};

/* Exactly KEY_BASE64_LEN characters, standard alphabet, padded, unused bits zero. 0 or -EINVAL
 * (then *key is zero). */
int key_from_base64(struct key *key, const char *text, size_t len);
void key_to_base64(char text[KEY_BASE64_LEN + 1], const struct key *key);
/* Exactly KEY_HEX_LEN hexadecimal digits. 0 or -EINVAL (then *key is zero). */
int key_from_hex(struct key *key, const char *text, size_t len);
void key_to_hex(char text[KEY_HEX_LEN + 1], const struct key *key);

bool key_is_zero(const struct key *key);                  /* constant time */
bool key_equal(const struct key *a, const struct key *b); /* constant time */
void key_clamp(struct key *key);                          /* RFC 7748 section 5 */
void key_generate(struct key *key);                       /* random; clamp it for a private key */
void key_derive_public(struct key *public, const struct key *private);
void key_wipe(struct key *key);
