/* SPDX-License-Identifier: MIT
 * Gives an interface what lines of the UAPI say on stdin: all that a model can hold, also what no
 * command of wgctl asks for. Usage: device_set IFNAME */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sodium.h>
#include "cli/device.h"
#include "conf/error.h"
#include "conf/model.h"
#include "conf/uapi.h"

#define STACK_DEPTH (64 << 10) /* as in wgctl: the dynamic linker saves registers on it */

/* 0 or -errno. */
static int read_device(struct model *model, const struct uapi_line *line)
{
	switch ((int)line->key) {
	case UAPI_PRIVATE_KEY:
		model->private_key = line->secret;
		model->has_private_key = true;
		return 0;
	case UAPI_LISTEN_PORT:
		model->listen_port = (uint16_t)line->number;
		model->has_listen_port = true;
		return 0;
	case UAPI_FWMARK:
		model->fwmark = (uint32_t)line->number;
		model->has_fwmark = true;
		return 0;
	case UAPI_REPLACE_PEERS:
		model->replace_peers = true;
		return 0;
	case UAPI_PUBLIC_KEY:
		if (!model_add_peer(model))
			return -ENOMEM;
		model->peers[model->peer_count - 1].public_key = line->secret;
		return 0;
	}
	return -EINVAL;
}

static int read_peer(struct model_peer *peer, const struct uapi_line *line)
{
	switch ((int)line->key) {
	case UAPI_REMOVE:
		peer->remove = true;
		return 0;
	case UAPI_UPDATE_ONLY:
		peer->update_only = true;
		return 0;
	case UAPI_REPLACE_ALLOWED_IPS:
		peer->replace_allowed = true;
		return 0;
	case UAPI_PRESHARED_KEY:
		peer->preshared_key = line->secret;
		peer->has_preshared_key = true;
		return 0;
	case UAPI_ENDPOINT:
		peer->endpoint = line->endpoint;
		return 0;
	case UAPI_KEEPALIVE:
		peer->keepalive = (uint16_t)line->number;
		peer->has_keepalive = true;
		return 0;
	case UAPI_ALLOWED_IP:
		return model_peer_add_allowed(peer, &line->allowed.prefix, line->allowed.op);
	}
	return -EINVAL;
}

static int read_line(struct model *model, const char *text)
{
	struct uapi_line line;
	int err = uapi_parse_line(&line, text, strcspn(text, "\n"));

	if (!err && model->peer_count && line.key != UAPI_PUBLIC_KEY)
		err = read_peer(&model->peers[model->peer_count - 1], &line);
	else if (!err)
		err = read_device(model, &line);
	uapi_line_wipe(&line);
	if (err)
		fprintf(stderr, "not understood: %s", text);
	return err;
}

int main(int argc, char **argv)
{
	struct model model = MODEL_EMPTY;
	struct conf_error error = {0};
	char text[UAPI_LINE_MAX];
	int err = 0;

	if (argc != 2 || sodium_init() < 0)
		return 2;
	while (!err && fgets(text, sizeof(text), stdin))
		err = read_line(&model, text);
	if (!err) {
		err = device_set(argv[1], &model, &error);
		if (err)
			fprintf(stderr, "%s\n", error.what);
	}
	model_wipe(&model);
	sodium_stackzero(STACK_DEPTH);
	return err ? 1 : 0;
}
