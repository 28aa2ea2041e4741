/* SPDX-License-Identifier: MIT
 * Words to a change of the device, as wg(8) reads those of `wg set'. All is read, keys too, before
 * anything is changed. */
#include "cli/set.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include "cli/access.h"
#include "cli/args.h"
#include "cli/peername.h"
#include "cli/say.h"
#include "conf/error.h"
#include "conf/key.h"
#include "conf/keyfile.h"
#include "conf/keyword.h"
#include "conf/model.h"
#include "conf/nearest.h"
#include "conf/value.h"

/* What a word is followed by. */
enum takes {
	TAKES_NOTHING,
	TAKES_VALUE,
	TAKES_FILE, /* the name of a file with a key */
};

struct word {
	const char *name;
	enum keyword key;
	enum takes takes;
	bool of_peer;
};

/* `remove' has no key in a file. */
static const struct word known[] = {
	{"listen-port", KEYWORD_LISTEN_PORT, TAKES_VALUE, false},
	{"fwmark", KEYWORD_FWMARK, TAKES_VALUE, false},
	{"private-key", KEYWORD_PRIVATE_KEY, TAKES_FILE, false},
	{"peer", KEYWORD_PUBLIC_KEY, TAKES_VALUE, false},
	{"remove", KEYWORD_COUNT, TAKES_NOTHING, true},
	{"preshared-key", KEYWORD_PRESHARED_KEY, TAKES_FILE, true},
	{"endpoint", KEYWORD_ENDPOINT, TAKES_VALUE, true},
	{"persistent-keepalive", KEYWORD_KEEPALIVE, TAKES_VALUE, true},
	{"allowed-ips", KEYWORD_ALLOWED_IPS, TAKES_VALUE, true},
};

#define KNOWN (sizeof(known) / sizeof(*known))

static const struct word *find_word(const char *name)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (!strcmp(known[i].name, name))
			return &known[i];
	return NULL;
}

/* What is no word may be a key that lost its place: not all of it is said. */
static void say_unknown(const char *name)
{
	const struct value_part part = {.text = name, .len = strlen(name)};
	const char *names[KNOWN], *meant;

	for (size_t i = 0; i < KNOWN; i++)
		names[i] = known[i].name;
	meant = nearest_word(name, names, KNOWN);
	if (meant)
		say_error("set: unknown argument `%s'; did you mean `%s'?", name, meant);
	else
		say_error("set: %s is no argument that `wgctl help set' lists",
			  value_quote(&part).text);
}

static int warn(void *user, const struct conf_error *warning)
{
	(void)user;
	say_warning("%s", warning->what);
	return 0;
}

/* The key itself in place of its file: not even that there is no such file may repeat it. */
static bool is_key(const char *path)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/=";
	size_t len = strlen(path);

	return len >= KEY_BASE64_LEN - 1 && path[0] != '/' && strspn(path, digits) == len;
}

static int read_file(struct model *model, const struct word *word, const char *path)
{
	struct model_peer *peer = word->of_peer ? model_last_peer(model) : NULL;
	struct conf_error error = {0};
	int err = keyfile_read(peer ? &peer->preshared_key : &model->private_key, path, &error);

	if (err && is_key(path))
		say_error("%s: expected the name of a file that holds the key, not the key itself",
			  word->name);
	else if (err)
		say_file_error(path, &error);
	else if (peer)
		peer->has_preshared_key = true;
	else
		model->has_private_key = true;
	return err;
}

/* Lists may hold white space, and nothing, which leaves the peer no prefix. */
static int read_list(struct model *model, const char *list, const struct value_report *report)
{
	struct model_peer *peer = model_last_peer(model);
	char *squeezed = strdup(list);
	struct value_part part = {.text = squeezed};
	int err = 0;

	if (!squeezed)
		return conf_error_set(report->error, ENOMEM, 0, 0, "out of memory");
	for (; *list; list++)
		if (!isspace((unsigned char)*list))
			squeezed[part.len++] = *list;
	squeezed[part.len] = '\0';
	peer->replace_allowed = true;
	if (part.len)
		err = value_read(model, KEYWORD_ALLOWED_IPS, &part, report);
	free(squeezed);
	return err;
}

/* A peer by its key, or by the name that the interface's file gives it. */
static int read_peer(struct model *model, const char *interface, const struct value_part *part,
		     const struct value_report *report)
{
	struct model_peer *peer = model_add_peer(model);
	int err;

	if (!peer)
		return conf_error_set(report->error, ENOMEM, 0, 0, "out of memory");
	if (!key_from_base64(&peer->public_key, part->text, part->len))
		return 0;
	err = peername_look_up(interface, part->text, &peer->public_key, report->error);
	return err == -ENOENT ? value_read(model, KEYWORD_PUBLIC_KEY, part, report) : err;
}

static int read_value(struct model *model, const char *interface, const struct word *word,
		      const char *value)
{
	const struct value_part part = {.text = value, .len = strlen(value)};
	struct conf_error error = {0};
	const struct value_report report = {.error = &error, .warn = warn};
	int err;

	if (word->key == KEYWORD_PUBLIC_KEY && part.len)
		err = read_peer(model, interface, &part, &report);
	else if (word->key == KEYWORD_ALLOWED_IPS)
		err = read_list(model, value, &report);
	else if (!part.len)
		err = conf_error_set(&error, EINVAL, 0, 0, "expected a value, not an empty word");
	else
		err = value_read(model, word->key, &part, &report);
	if (err)
		say_error("%s: %s", word->name, error.what);
	return err;
}

/* 0 or -EINVAL, said. */
static int check_place(const struct model *model, const struct word *word, const char *value)
{
	if (word->takes != TAKES_NOTHING && !value)
		say_error("set: `%s' needs a value behind it", word->name);
	else if (word->of_peer && !model->peer_count)
		say_error("set: `%s' is about a peer: it belongs behind `peer KEY'", word->name);
	else if (!word->of_peer && word->key != KEYWORD_PUBLIC_KEY && model->peer_count)
		say_error("set: `%s' is not about a peer: it belongs before the first `peer'",
			  word->name);
	else
		return 0;
	return -EINVAL;
}

/* 0 or -errno, said. */
static int read_words(struct model *model, const char *interface, char **words, int count)
{
	int err = 0;

	for (int i = 0; i < count && !err; i++) {
		const struct word *word = find_word(words[i]);

		if (!word) {
			say_unknown(words[i]);
			return -EINVAL;
		}
		err = check_place(model, word, i + 1 < count ? words[i + 1] : NULL);
		if (err)
			return err;
		if (word->takes == TAKES_NOTHING)
			model_last_peer(model)->remove = true;
		else if (word->takes == TAKES_FILE)
			err = read_file(model, word, words[++i]);
		else
			err = read_value(model, interface, word, words[++i]);
	}
	return err;
}

enum command_result set_run(int argc, char **argv)
{
	struct model model = MODEL_EMPTY;
	struct args args;
	int err;

	if (args_parse(&args, argc, argv, ARGS_IN_ORDER) || args.count < 2)
		return COMMAND_USAGE;
	err = read_words(&model, args.words[0], args.words + 1, args.count - 1);
	if (!err)
		err = access_resolve(&model, NULL);
	if (!err)
		err = access_set(args.words[0], &model);
	model_wipe(&model);
	return err ? COMMAND_FAILED : COMMAND_OK;
}
