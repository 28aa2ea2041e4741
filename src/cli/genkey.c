/* SPDX-License-Identifier: MIT
 * New keys on standard output, as wg(8) prints them. */
#include "cli/genkey.h"

#include <stdbool.h>
#include <sodium.h>
#include "cli/args.h"
#include "cli/output.h"
#include "conf/key.h"
#include "conf/text.h"

static enum command_result generate(int argc, char **argv, bool clamp)
{
	struct text out = TEXT_EMPTY;
	char base64[KEY_BASE64_LEN + 1];
	struct args args;
	struct key key;
	int err;

	if (args_parse(&args, argc, argv, 0) || args.count)
		return COMMAND_USAGE;
	output_warn_exposed();
	key_generate(&key);
	if (clamp)
		key_clamp(&key);
	key_to_base64(base64, &key);
	text_puts(&out, base64);
	text_puts(&out, "\n");
	err = output_write(&out);
	key_wipe(&key);
	sodium_memzero(base64, sizeof(base64));
	text_wipe(&out);
	return err ? COMMAND_FAILED : COMMAND_OK;
}

enum command_result genkey_run(int argc, char **argv)
{
	return generate(argc, argv, true);
}

enum command_result genkey_run_psk(int argc, char **argv)
{
	return generate(argc, argv, false);
}
