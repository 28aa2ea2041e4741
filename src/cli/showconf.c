/* SPDX-License-Identifier: MIT
 * Byte for byte what `wg showconf' prints, but that wgctl adds the names of peers, as comments. */
#include "cli/showconf.h"

#include <sodium.h>
#include "cli/access.h"
#include "cli/args.h"
#include "cli/output.h"
#include "cli/peername.h"
#include "conf/model.h"
#include "conf/text.h"

static void put_line(struct text *out, const char *name, const char *value)
{
	text_puts(out, name);
	text_puts(out, " = ");
	text_puts(out, value);
	text_puts(out, "\n");
}

static void put_key(struct text *out, const char *name, const struct key *key)
{
	char base64[KEY_BASE64_LEN + 1];

	if (key_is_zero(key))
		return;
	key_to_base64(base64, key);
	put_line(out, name, base64);
	sodium_memzero(base64, sizeof(base64));
}

static void put_peer(struct text *out, const struct model_peer *peer)
{
	char text[ENDPOINT_TEXT_MAX];

	text_puts(out, "[Peer]\n");
	if (peer->name)
		text_printf(out, "# Name = %s\n", peer->name);
	key_to_base64(text, &peer->public_key);
	put_line(out, "PublicKey", text);
	put_key(out, "PresharedKey", &peer->preshared_key);
	for (size_t i = 0; i < peer->allowed_count; i++) {
		text_puts(out, i ? ", " : "AllowedIPs = ");
		text_puts(out, prefix_format(text, &peer->allowed[i].prefix));
	}
	text_puts(out, peer->allowed_count ? "\n" : "");
	if (peer->endpoint.sa.sa_family != AF_UNSPEC)
		put_line(out, "Endpoint", endpoint_format(text, &peer->endpoint));
	if (peer->keepalive)
		text_printf(out, "PersistentKeepalive = %u\n", peer->keepalive);
}

static void put_device(struct text *out, const struct model *model)
{
	text_puts(out, "[Interface]\n");
	if (model->listen_port)
		text_printf(out, "ListenPort = %u\n", model->listen_port);
	if (model->fwmark)
		text_printf(out, "FwMark = 0x%x\n", model->fwmark);
	put_key(out, "PrivateKey", &model->private_key);
	text_puts(out, "\n");
	for (size_t i = 0; i < model->peer_count; i++) {
		text_puts(out, i ? "\n" : "");
		put_peer(out, &model->peers[i]);
	}
}

enum command_result showconf_run(int argc, char **argv)
{
	struct model model = MODEL_EMPTY;
	int err = 0;
	struct text out = OUTPUT_TEXT(&err);
	struct args args;

	if (args_parse(&args, argc, argv, 0) || args.count != 1)
		return COMMAND_USAGE;
	err = access_get(args.words[0], &model);
	if (!err) {
		peername_fill(args.words[0], &model);
		put_device(&out, &model);
		err = output_finish(&out);
	}
	model_wipe(&model);
	text_wipe(&out);
	return err ? COMMAND_FAILED : COMMAND_OK;
}
