/* SPDX-License-Identifier: MIT
 * Walks over the words along the command's grammar, and offers what may come at its place. */
#include "cli/complete.h"

#include <ctype.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/device.h"
#include "cli/names.h"
#include "cli/paths.h"
#include "cli/peername.h"
#include "cli/say.h"
#include "cli/show.h"
#include "conf/model.h"
#include "conf/name.h"

#define LIMIT_SECONDS 1 /* for all: somebody waits at the prompt */
#define TOKENS_MAX 32

struct span {
	const char *text;
	size_t len;
};

struct token {
	struct span names; /* a|b */
	struct span value; /* what is behind a `=': a|b; or empty */
	bool used;
};

struct place {
	const struct command *commands;
	size_t command_count;
	bool as_wg; /* wg(8) has no options */
	struct token tokens[TOKENS_MAX];
	size_t count, opener; /* opener: the word that opens a group; or count: there is none */
	bool in_group, no_options, ended;
	struct span wanted;      /* the value that comes next; or empty */
	const char *interface;   /* the last one named; or NULL */
	char (*names)[IFNAMSIZ]; /* offered already */
	size_t name_count;
};

static bool is(struct span span, const char *word)
{
	return strlen(word) == span.len && !memcmp(span.text, word, span.len);
}

static bool is_kind(struct span part)
{
	return isupper((unsigned char)part.text[0]);
}

/* Takes the next of a|b from *rest. False: there is none. */
static bool next_part(struct span *part, struct span *rest)
{
	const char *bar = rest->len ? memchr(rest->text, '|', rest->len) : NULL;

	*part = (struct span){rest->text, bar ? (size_t)(bar - rest->text) : rest->len};
	rest->text += part->len + !!bar;
	rest->len -= part->len + !!bar;
	return part->len;
}

/* Whether word is one of a|b. */
static bool has(struct span parts, const char *word)
{
	struct span part;

	while (next_part(&part, &parts))
		if (is(part, word))
			return true;
	return false;
}

static bool is_option(const struct token *token)
{
	return token->names.text[0] == '-';
}

static bool is_argument(const struct token *token)
{
	return !is_option(token) && !token->value.len &&
	       (is_kind(token->names) || memchr(token->names.text, '|', token->names.len));
}

static bool is_word(const struct token *token)
{
	return !is_option(token) && !is_argument(token);
}

static void read_grammar(struct place *place, const char *grammar)
{
	bool has_group = false;

	for (; place->count < TOKENS_MAX && *grammar; grammar += strspn(grammar, " ")) {
		struct span span = {grammar, strcspn(grammar, " ")};
		const char *equals = memchr(span.text, '=', span.len);
		struct token *token = &place->tokens[place->count];

		grammar += span.len;
		if (is(span, "/") && place->count) {
			place->opener = place->count - 1;
			has_group = true;
			continue;
		}
		*token = (struct token){.names = span};
		if (equals) {
			token->names.len = (size_t)(equals - span.text);
			token->value = (struct span){equals + 1, span.len - token->names.len - 1};
		}
		place->count++;
	}
	if (!has_group)
		place->opener = place->count;
}

/* The next argument, or NULL: all are there. */
static struct token *next_argument(struct place *place)
{
	for (size_t i = 0; i < place->count; i++)
		if (is_argument(&place->tokens[i]) && !place->tokens[i].used)
			return &place->tokens[i];
	return NULL;
}

static void take_argument(struct place *place, struct token *token, const char *word)
{
	struct span rest = token->names, part;

	token->used = true;
	while (next_part(&part, &rest)) {
		if (is(part, "IF"))
			place->interface = word;
		if (part.text[part.len - 1] == '!' &&
		    is((struct span){part.text, part.len - 1}, word))
			place->ended = true;
	}
}

static void open_group(struct place *place)
{
	place->in_group = true;
	for (size_t i = place->opener; i < place->count; i++)
		place->tokens[i].used = false;
}

/* An option or a word. What the grammar does not know has no value behind it. */
static void take_named(struct place *place, const char *word)
{
	for (size_t i = 0; i < place->count; i++) {
		struct token *token = &place->tokens[i];

		if (is_argument(token) || !has(token->names, word))
			continue;
		token->used = true;
		place->wanted = token->value;
		if (i == place->opener)
			open_group(place);
	}
}

static void take(struct place *place, const char *word)
{
	struct token *argument = next_argument(place);

	if (place->wanted.len)
		place->wanted.len = 0;
	else if (!strcmp(word, "--"))
		place->no_options = true;
	else if (argument && (word[0] != '-' || place->no_options))
		take_argument(place, argument, word);
	else
		take_named(place, word);
}

/* Shells and terminals would make something else of control characters. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			return false;
	return true;
}

/* what: NULL: not said. */
static void offer(const char *word, const char *what)
{
	if (!word[0] || !is_plain(word))
		return;
	fputs(word, stdout);
	if (what && is_plain(what))
		printf("\t%s", what);
	putchar('\n');
}

static void offer_commands(struct place *place)
{
	for (size_t i = 0; i < place->command_count; i++)
		if (!place->as_wg || place->commands[i].is_wg)
			offer(place->commands[i].name, place->commands[i].help);
}

/* Those of the names that were not offered yet. */
static void offer_names(struct place *place, char (*names)[IFNAMSIZ], size_t count,
			const char *what)
{
	for (size_t i = 0; i < count; i++) {
		size_t before = place->name_count;

		if (names_add(&place->names, &place->name_count, names[i]) ||
		    place->name_count > before)
			offer(names[i], what);
	}
}

static void offer_interfaces(struct place *place)
{
	char(*names)[IFNAMSIZ];
	size_t count;

	(void)device_list(&names, &count);
	offer_names(place, names, count, "interface");
	free(names);
}

static void offer_configurations(struct place *place)
{
	char(*names)[IFNAMSIZ] = NULL;
	size_t count = 0;

	(void)paths_list(&names, &count);
	offer_names(place, names, count, "configuration");
	free(names);
}

static void offer_fields(struct place *place)
{
	const char *field;

	for (size_t i = 0; (field = show_field(i, place->as_wg)); i++)
		offer(field, NULL);
}

/* By its name, and by its key. */
static void offer_peer(const char *interface, const struct model_peer *peer)
{
	char key[KEY_BASE64_LEN + 1], endpoint[ENDPOINT_TEXT_MAX] = "";
	char what[IFNAMSIZ + NAME_MAX_LEN + ENDPOINT_TEXT_MAX + 2];
	const char *name = peer->name ? peer->name : "";

	if (peer->endpoint.sa.sa_family != AF_UNSPEC)
		endpoint_format(endpoint, &peer->endpoint);
	snprintf(what, sizeof(what), "%s%s%s", interface, *endpoint ? " " : "", endpoint);
	offer(name, what);
	snprintf(what, sizeof(what), "%s%s%s%s%s", interface, *name ? " " : "", name,
		 *endpoint ? " " : "", endpoint);
	key_to_base64(key, &peer->public_key);
	offer(key, what);
}

static void offer_peers_of(struct place *place, const char *interface)
{
	struct model model = MODEL_EMPTY;

	if (!device_get(interface, &model, NULL)) {
		if (!place->as_wg)
			peername_fill(interface, &model);
		for (size_t i = 0; i < model.peer_count; i++)
			offer_peer(interface, &model.peers[i]);
	}
	model_wipe(&model);
}

static void offer_peers(struct place *place)
{
	char(*names)[IFNAMSIZ];
	size_t count;

	if (place->interface) {
		offer_peers_of(place, place->interface);
		return;
	}
	(void)device_list(&names, &count);
	for (size_t i = 0; i < count; i++)
		offer_peers_of(place, names[i]);
	free(names);
}

static void offer_nothing(struct place *place)
{
	(void)place;
}

static const struct kind {
	const char *name;
	void (*offer)(struct place *place);
	const char *files; /* the first line of the answer, or NULL */
} kinds[] = {
	{"COMMAND", offer_commands, NULL}, {"CONF", offer_configurations, ":file .conf"},
	{"FIELD", offer_fields, NULL},     {"FILE", offer_nothing, ":file"},
	{"IF", offer_interfaces, NULL},    {"PEER", offer_peers, NULL},
	{"VALUE", offer_nothing, NULL},
};

static const struct kind *find_kind(struct span part)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (is(part, kinds[i].name))
			return &kinds[i];
	return NULL;
}

static void offer_part(struct place *place, struct span part)
{
	const struct kind *kind = find_kind(part);
	char word[64];

	if (kind) {
		kind->offer(place);
	} else if (is_kind(part)) {
		say_error("complete: the grammar has an unknown kind");
	} else {
		bool is_last = part.text[part.len - 1] == '!';

		snprintf(word, sizeof(word), "%.*s", (int)part.len - is_last, part.text);
		offer(word, NULL);
	}
}

/* parts: a|b */
static void offer_parts(struct place *place, struct span parts)
{
	struct span part;

	while (next_part(&part, &parts))
		offer_part(place, part);
}

/* The first line of the answer. */
static void put_files(struct span parts)
{
	const char *files = ":";
	struct span part;

	while (next_part(&part, &parts)) {
		const struct kind *kind = find_kind(part);

		if (kind && kind->files)
			files = kind->files;
	}
	puts(files);
}

static void offer_options(struct place *place)
{
	for (size_t i = 0; i < place->count && !place->as_wg; i++)
		if (is_option(&place->tokens[i]) && !place->tokens[i].used)
			offer_parts(place, place->tokens[i].names);
	if (!place->as_wg)
		offer("--help", NULL);
}

/* Words that may come once, and the one that opens a group again and again. */
static void offer_words(struct place *place)
{
	for (size_t i = 0; i < place->count; i++) {
		const struct token *token = &place->tokens[i];
		bool is_here = i == place->opener || place->in_group == (i > place->opener);

		if (is_word(token) && is_here && !token->used)
			offer_parts(place, token->names);
	}
}

static void offer_all(struct place *place, const char *current)
{
	struct token *argument = next_argument(place);
	struct span parts = {"", 0};

	if (place->wanted.len)
		parts = place->wanted;
	else if (argument && !place->ended)
		parts = argument->names;
	if (!place->wanted.len && current[0] == '-' && !place->no_options)
		parts.len = 0;
	put_files(parts);
	if (parts.len)
		offer_parts(place, parts);
	else if (current[0] == '-' && !place->no_options)
		offer_options(place);
	else if (!place->ended)
		offer_words(place);
}

/* words: the program, the command ..., and the one to complete, which is the last of count. */
static void complete(struct place *place, char **words, int count)
{
	const char *current = words[count - 1];
	const struct command *command = NULL;

	for (size_t i = 0; count > 2 && i < place->command_count; i++)
		if (!strcmp(place->commands[i].name, words[1]))
			command = &place->commands[i];
	if (count > 2 && (!command || (place->as_wg && !command->is_wg))) {
		puts(":");
		return;
	}
	read_grammar(place, command ? command->grammar : "-h -v|--version COMMAND");
	for (int i = 2; i < count - 1; i++)
		take(place, words[i]);
	offer_all(place, current);
}

static void stop(int number)
{
	(void)number;
	_exit(EXIT_FAILURE);
}

enum command_result complete_run(const struct command *commands, size_t count, int argc,
				 char **argv)
{
	struct place place = {.commands = commands, .command_count = count};
	int first = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;
	const char *slash;

	if (argc - first < 2)
		return COMMAND_FAILED;
	slash = strrchr(argv[first], '/');
	place.as_wg = !strcmp(slash ? slash + 1 : argv[first], "wg");
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* no half of a line when time is over */
	signal(SIGALRM, stop);
	alarm(LIMIT_SECONDS);
	complete(&place, argv + first, argc - first);
	free(place.names);
	return COMMAND_OK;
}
