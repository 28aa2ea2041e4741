/* SPDX-License-Identifier: MIT
 * Up gives the device all at once; a change gives it what differs (sync), so that sessions live on.
 */
#include "cli/configure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cli/device.h"
#include "cli/plan.h"
#include "cli/sync.h"
#include "cli/tunnel.h"
#include "conf/error.h"
#include "conf/key.h"
#include "conf/model.h"
#include "conf/text.h"

static void configure_describe(const void *world, const struct plan_step *step,
			       enum plan_phrase phrase, struct text *out)
{
	const struct tunnel *tunnel = world;

	(void)step;
	switch (phrase) {
	case PLAN_DO:
		text_printf(out, "wg %s %s <(wg-quick strip %s)",
			    tunnel->before ? "syncconf" : "setconf", tunnel->name, tunnel->file);
		break;
	case PLAN_UNDO:
		break;
	case PLAN_GOAL:
		text_printf(out, "configure %s", tunnel->name);
		break;
	}
}

/* Leads the device to what is wanted, from whatever it is. Reduces wanted. */
static int change(const char *name, struct model *wanted, struct conf_error *why)
{
	struct model now = MODEL_EMPTY;
	int err = device_get(name, &now, why);

	if (!err && sync_reduce(wanted, &now))
		err = conf_error_set(why, ENOMEM, 0, 0, "out of memory");
	if (!err)
		err = device_set(name, wanted, why);
	model_wipe(&now);
	return err;
}

static int configure_act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;

	(void)step;
	if (tunnel->before)
		return change(tunnel->name, tunnel->model, why);
	return device_set(tunnel->name, tunnel->model, why);
}

/* As it was before the change. */
static int configure_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	struct model *before = tunnel->before;

	(void)step;
	before->has_private_key = before->has_listen_port = before->has_fwmark = true;
	for (size_t i = 0; i < before->peer_count; i++)
		before->peers[i].replace_allowed = true;
	return change(tunnel->name, before, why);
}

static void endpoint_describe(const void *world, const struct plan_step *step,
			      enum plan_phrase phrase, struct text *out)
{
	(void)world;
	(void)step;
	(void)phrase;
	(void)out;
}

static const struct plan_verb configure_verb = {.name = "configure",
						.is_refreshed = true,
						.is_of_link = true,
						.describe = configure_describe,
						.act = configure_act,
						.undo = configure_undo};
static const struct plan_verb endpoint_verb = {.name = "endpoint", .describe = endpoint_describe};

const struct plan_verb *const configure_verbs[] = {&configure_verb, &endpoint_verb, NULL};

/* "KEY HOST PORT", which is to be freed; NULL: it names none, or no memory. */
static char *endpoint_text(const struct model_peer *peer)
{
	struct text text = TEXT_EMPTY;
	char key[KEY_BASE64_LEN + 1];

	if (!peer->host)
		return NULL;
	key_to_base64(key, &peer->public_key);
	text_printf(&text, "%s %s %s", key, peer->host, peer->port);
	if (text.failed) {
		text_wipe(&text);
		return NULL;
	}
	return text.data;
}

void configure_plan(struct plan *plan, const struct model *model)
{
	plan_add(plan, &configure_verb, NULL, 0, NULL);
	for (size_t i = 0; i < model->peer_count; i++) {
		char *text = endpoint_text(&model->peers[i]);

		if (text)
			plan_add(plan, &endpoint_verb, NULL, 0, text);
		free(text);
	}
}

/* Begins where the last search ended, as files keep their order and peers may be many. */
static bool is_recorded(const struct plan *recorded, const char *text, size_t *start)
{
	for (size_t i = 0; i < recorded->count; i++) {
		const size_t at = (*start + i) % recorded->count;
		const struct plan_step *step = &recorded->steps[at];

		if (step->verb == &endpoint_verb && !strcmp(step->text, text)) {
			*start = at;
			return true;
		}
	}
	return false;
}

void configure_keep_endpoints(struct model *wanted, const struct plan *recorded,
			      const struct model *now)
{
	struct model_index present;
	size_t start = 0;

	(void)model_index_build(&present, now); /* without memory none is kept */
	for (size_t i = 0; i < wanted->peer_count; i++) {
		struct model_peer *peer = &wanted->peers[i];
		const struct model_peer *same = model_index_find(&present, &peer->public_key);
		char *text = endpoint_text(peer);

		if (text && same && same->endpoint.sa.sa_family != AF_UNSPEC &&
		    is_recorded(recorded, text, &start))
			peer->endpoint = same->endpoint;
		free(text);
	}
	free(present.peers);
}
