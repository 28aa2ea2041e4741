/* SPDX-License-Identifier: MIT
 * A private key from standard input, its public key to standard output, as wg(8) does it. */
#include "cli/pubkey.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sodium.h>
#include "cli/args.h"
#include "cli/output.h"
#include "cli/say.h"
#include "conf/key.h"
#include "conf/text.h"

#define INPUT_MAX 4096 /* bytes: a key, and what may trail it */

/* Reads to the end of the input. 0 or -errno, said. */
static int read_input(char input[INPUT_MAX], size_t *len)
{
	*len = 0;
	while (*len < INPUT_MAX) {
		ssize_t n = read(STDIN_FILENO, input + *len, INPUT_MAX - *len);

		if (n == 0)
			break;
		if (n > 0) {
			*len += (size_t)n;
		} else if (errno != EINTR) {
			n = -errno;
			say_error("cannot read the key: %s", strerror((int)-n));
			return (int)n;
		}
	}
	return 0;
}

/* 0 or -EINVAL, said. What trails the key is looked at first, as wg(8) does. */
static int read_key(struct key *key, const char *input, size_t len)
{
	static const char blanks[] = " \t\n\v\f\r"; /* and the NUL that ends it */

	for (size_t i = KEY_BASE64_LEN; i < len; i++) {
		if (len < INPUT_MAX && memchr(blanks, input[i], sizeof(blanks)))
			continue;
		say_error("Trailing characters found after key");
		return -EINVAL;
	}
	if (len < KEY_BASE64_LEN || key_from_base64(key, input, KEY_BASE64_LEN)) {
		say_error("Key is not the correct length or format");
		return -EINVAL;
	}
	return 0;
}

enum command_result pubkey_run(int argc, char **argv)
{
	struct text out = TEXT_EMPTY;
	char input[INPUT_MAX], base64[KEY_BASE64_LEN + 1];
	struct key private = {0}, public;
	struct args args;
	size_t len;
	int err;

	if (args_parse(&args, argc, argv, 0) || args.count)
		return COMMAND_USAGE;
	err = read_input(input, &len);
	if (!err)
		err = read_key(&private, input, len);
	if (!err) {
		key_derive_public(&public, &private);
		key_to_base64(base64, &public);
		text_puts(&out, base64);
		text_puts(&out, "\n");
		err = output_write(&out);
	}
	sodium_memzero(input, sizeof(input));
	key_wipe(&private);
	text_wipe(&out);
	return err ? COMMAND_FAILED : COMMAND_OK;
}
