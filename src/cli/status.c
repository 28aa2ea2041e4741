/* SPDX-License-Identifier: MIT
 * An interface is healthy if it answers and none of its peers is down. A peer that is asked for by
 * itself, or with an age, has to be up. */
#include "cli/status.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/args.h"
#include "cli/device.h"
#include "cli/health.h"
#include "cli/json.h"
#include "cli/names.h"
#include "cli/output.h"
#include "cli/peername.h"
#include "cli/say.h"
#include "cli/show_json.h"
#include "conf/model.h"
#include "conf/text.h"

#define SILENCE_MS 3000 /* of an engine, until it counts as hanging */
#define LOOK_MS 200     /* between two looks; nothing tells of a handshake */

struct question {
	const char *interface; /* NULL: all */
	const char *peer;      /* a name, or a key or the beginning of one; NULL: all */
	const char *either;    /* one of these two; NULL: they are known */
	int64_t max_age;       /* as health_of_peer() takes it */
	uint64_t wait_ms;
	bool json;
};

/* What one look gave. */
struct answer {
	enum command_result result;
	struct text out; /* for stdout */
	struct text why; /* COMMAND_TROUBLE's message */
	struct json json;
	int64_t now;
	unsigned wait_ms; /* how long an engine may be silent */
};

/* 0: no; 1: the key begins so; 2: it is the name or the key */
static int matches(const struct model_peer *peer, const char *word)
{
	char key[KEY_BASE64_LEN + 1];

	key_to_base64(key, &peer->public_key);
	if (!strcmp(word, key) || (peer->name && !strcmp(word, peer->name)))
		return 2;
	return strlen(word) >= PEERNAME_PREFIX_MIN && !strncmp(word, key, strlen(word));
}

static void put_peer_label(struct text *out, const struct model_peer *peer)
{
	char key[KEY_BASE64_LEN + 1];

	key_to_base64(key, &peer->public_key);
	text_puts(out, peer->name ? peer->name : key);
}

/* "1 second", "12 minutes" */
static void put_duration(struct text *out, int64_t seconds)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	seconds /= units[i].seconds;
	text_printf(out, "%lld %s%s", (long long)seconds, units[i].name, seconds == 1 ? "" : "s");
}

static int64_t age_of(const struct answer *answer, int64_t then)
{
	return answer->now > then ? answer->now - then : 0;
}

/* "wg0 alice: no handshake for 12 minutes (endpoint 192.0.2.1:51820)" */
static void put_peer_line(struct answer *answer, const char *name, const struct model_peer *peer,
			  bool healthy)
{
	struct text *out = &answer->out;
	char endpoint[ENDPOINT_TEXT_MAX];

	text_printf(out, "%s ", name);
	put_peer_label(out, peer);
	text_puts(out, healthy ? ": healthy, last handshake " : ": no handshake ");
	if (!peer->handshake_sec) {
		text_puts(out, "yet");
	} else {
		text_puts(out, healthy ? "" : "for ");
		put_duration(out, age_of(answer, peer->handshake_sec));
		text_puts(out, healthy ? " ago" : "");
	}
	if (peer->endpoint.sa.sa_family == AF_UNSPEC)
		text_puts(out, " (no endpoint)\n");
	else
		text_printf(out, " (endpoint %s)\n", endpoint_format(endpoint, &peer->endpoint));
}

static void put_json_peer(struct json *json, const struct model_peer *peer, enum health_state state,
			  bool healthy)
{
	show_json_open_peer(json, peer);
	json_bool(json, "healthy", healthy);
	json_string(json, "state", health_word(state));
	json_close(json, '}');
}

/* "wg0: healthy, 2 of 3 peers up, last handshake 12 seconds ago" */
static void put_interface_line(struct answer *answer, const char *name, const struct model *model,
			       bool healthy, size_t up)
{
	int64_t latest = 0;

	text_printf(&answer->out, "%s: %s, %zu of %zu peers up", name,
		    healthy ? "healthy" : "unhealthy", up, model->peer_count);
	for (size_t i = 0; i < model->peer_count; i++)
		if (model->peers[i].handshake_sec > latest)
			latest = model->peers[i].handshake_sec;
	if (latest) {
		text_puts(&answer->out, ", last handshake ");
		put_duration(&answer->out, age_of(answer, latest));
		text_puts(&answer->out, " ago");
	}
	text_puts(&answer->out, "\n");
}

static void put_json_interface(struct json *json, const char *name, bool healthy,
			       const char *problem)
{
	json_open(json, NULL, '{');
	json_string(json, "name", name);
	json_bool(json, "healthy", healthy);
	json_string(json, "problem", problem);
	json_open(json, "peers", '[');
}

/* An interface that is there, but whose state is not to be had. */
static void judge_problem(struct answer *answer, const struct question *question, const char *name,
			  int err)
{
	const char *problem = err == -ETIMEDOUT ? "the engine does not answer" : strerror(-err);

	answer->result = COMMAND_FAILED;
	if (!question->json) {
		text_printf(&answer->out, "%s: unhealthy, %s\n", name, problem);
		return;
	}
	put_json_interface(&answer->json, name, false, problem);
	json_close(&answer->json, ']');
	json_close(&answer->json, '}');
}

/* only: the peer that was asked for, or NULL. */
static void judge(struct answer *answer, const struct question *question, const char *name,
		  const struct model *model, const struct model_peer *only)
{
	size_t up = 0, bad = 0;

	for (size_t i = 0; i < model->peer_count; i++) {
		const struct model_peer *peer = &model->peers[i];
		enum health_state state = health_of_peer(peer, answer->now, question->max_age);

		up += state == HEALTH_UP;
		bad += (!only && state == HEALTH_DOWN) || (only == peer && state != HEALTH_UP);
	}
	if (bad)
		answer->result = COMMAND_FAILED;
	if (question->json)
		put_json_interface(&answer->json, name, !bad, NULL);
	else if (!only)
		put_interface_line(answer, name, model, !bad, up);
	for (size_t i = 0; i < model->peer_count; i++) {
		const struct model_peer *peer = &model->peers[i];
		enum health_state state = health_of_peer(peer, answer->now, question->max_age);
		bool healthy = only ? state == HEALTH_UP : state != HEALTH_DOWN;

		if (only && only != peer)
			continue;
		if (question->json)
			put_json_peer(&answer->json, peer, state, healthy);
		else if (only || !healthy)
			put_peer_line(answer, name, peer, healthy);
	}
	if (question->json) {
		json_close(&answer->json, ']');
		json_close(&answer->json, '}');
	}
}

/* An interface that is there. */
struct thing {
	char name[IFNAMSIZ];
	struct model model;
	int err; /* why there is no model; 0 */
};

struct things {
	struct thing *all;
	size_t count;
};

static bool is_gone(int err)
{
	return err == -ENODEV || err == -ENOENT || err == -ECONNREFUSED;
}

/* It is us that cannot ask. */
static bool is_ours(int err)
{
	return err == -EPERM || err == -EACCES || err == -ENOMEM;
}

/* Reads those of the names that are there. 0 or -ENOMEM. */
static int gather(struct things *things, const struct answer *answer, char (*names)[IFNAMSIZ],
		  size_t count)
{
	things->all = calloc(count + 1, sizeof(*things->all));
	if (!things->all)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct thing *thing = &things->all[things->count];

		strcpy(thing->name, names[i]);
		thing->err = device_get_within(names[i], answer->wait_ms, &thing->model, NULL);
		if (is_gone(thing->err)) {
			model_wipe(&thing->model);
			continue;
		}
		peername_fill(names[i], &thing->model);
		things->count++;
	}
	return 0;
}

static void release(struct things *things)
{
	for (size_t i = 0; i < things->count; i++)
		model_wipe(&things->all[i].model);
	free(things->all);
}

/* How many peers of one interface match so; *found: the last of them. Adds them to all. */
static unsigned find_in(const struct thing *thing, const char *word, int match, struct text *all,
			const struct model_peer **found)
{
	unsigned count = 0;

	for (size_t i = 0; i < thing->model.peer_count; i++) {
		if (matches(&thing->model.peers[i], word) != match)
			continue;
		count++;
		*found = &thing->model.peers[i];
		text_printf(all, "%s%s ", all->len ? " or " : "", thing->name);
		put_peer_label(all, *found);
	}
	return count;
}

/* The one peer that is meant, and where it is; else NULL, with why, unless it may be in an
 * interface that does not answer. A name or a whole key counts more than the beginning of a key. */
static const struct model_peer *find_peer(struct answer *answer, const struct things *things,
					  const char *kind, const char *word,
					  const struct thing **where)
{
	const struct model_peer *found = NULL;
	struct text all = TEXT_EMPTY;
	bool all_answer = true;
	unsigned count = 0;

	for (int match = 2; match && !count; match--) {
		for (size_t i = 0; i < things->count; i++) {
			unsigned more = find_in(&things->all[i], word, match, &all, &found);

			*where = more ? &things->all[i] : *where;
			count += more;
			all_answer = all_answer && !things->all[i].err;
		}
	}
	if (count > 1)
		text_printf(&answer->why, "`%s' may be %s", word, all.data ? all.data : "");
	else if (!count && all_answer)
		text_printf(&answer->why, "there is no %s `%s'", kind, word);
	text_wipe(&all);
	return count == 1 ? found : NULL;
}

static void judge_all(struct answer *answer, const struct question *question,
		      const struct things *things)
{
	const struct model_peer *only = NULL;
	const struct thing *where = NULL;

	for (size_t i = 0; i < things->count && !answer->why.len; i++)
		if (is_ours(things->all[i].err))
			text_printf(&answer->why, "%s: %s", things->all[i].name,
				    strerror(-things->all[i].err));
	if (!things->count && question->interface)
		text_printf(&answer->why, "there is no interface `%s'", question->interface);
	else if (!things->count && !question->peer)
		text_puts(&answer->why, "there is no interface");
	else if (!answer->why.len && question->peer)
		only = find_peer(answer, things, question->interface ? "peer" : "interface or peer",
				 question->peer, &where);
	for (size_t i = 0; i < things->count && !answer->why.len; i++) {
		const struct thing *thing = &things->all[i];

		if (question->peer && (only ? thing != where : !thing->err))
			continue;
		if (thing->err)
			judge_problem(answer, question, thing->name, thing->err);
		else
			judge(answer, question, thing->name, &thing->model, only);
	}
}

/* Which of the two a word is: an interface if there is one of that name. */
static void decide(struct question *question, char (*names)[IFNAMSIZ], size_t count)
{
	const char *word = question->either;

	question->peer = word;
	for (size_t i = 0; word && i < count; i++)
		if (!strcmp(names[i], word))
			question->interface = word;
	if (question->interface)
		question->peer = NULL;
}

/* question is a copy: what a word is may change from look to look. */
static void look(struct answer *answer, struct question question)
{
	struct things things = {0};
	char(*names)[IFNAMSIZ];
	size_t count;
	int err = device_list(&names, &count);

	if (question.either)
		decide(&question, names, count);
	if (question.interface) {
		count = 0;
		if (strlen(question.interface) < IFNAMSIZ)
			err = names_add(&names, &count, question.interface);
	}
	answer->result = COMMAND_OK;
	answer->now = time(NULL);
	if (!err || count)
		err = gather(&things, answer, names, count);
	if (err)
		text_puts(&answer->why, strerror(-err));
	else
		judge_all(answer, &question, &things);
	if (err || answer->why.len || answer->why.failed)
		answer->result = COMMAND_TROUBLE;
	release(&things);
	free(names);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void wipe(struct answer *answer)
{
	text_wipe(&answer->out);
	text_wipe(&answer->why);
}

/* Looks until all is well or the time is over; the last look counts. */
static void ask(struct answer *answer, const struct question *question)
{
	const uint64_t start = now_ms();
	uint64_t left = question->wait_ms;

	for (;;) {
		*answer = (struct answer){0};
		answer->json.out = &answer->out;
		answer->wait_ms = SILENCE_MS;
		if (question->wait_ms && left < SILENCE_MS)
			answer->wait_ms = left < LOOK_MS ? LOOK_MS : (unsigned)left;
		look(answer, *question);
		if (answer->result == COMMAND_OK || now_ms() - start >= question->wait_ms)
			return;
		left = question->wait_ms - (now_ms() - start);
		wipe(answer);
		poll(NULL, 0, left < LOOK_MS ? (int)left : LOOK_MS);
	}
}

static int put(struct answer *answer, const struct question *question)
{
	struct text page = TEXT_EMPTY;
	struct json json = {.out = &page};
	int err;

	if (!question->json)
		return output_write(&answer->out);
	json_open(&json, NULL, '{');
	json_bool(&json, "healthy", answer->result == COMMAND_OK);
	json_open(&json, "interfaces", '[');
	text_puts(&page, answer->out.data ? answer->out.data : "");
	json_close(&json, ']');
	json_close(&json, '}');
	text_puts(&page, "\n");
	page.failed |= answer->out.failed;
	err = output_write(&page);
	text_wipe(&page);
	return err;
}

enum command_result status_run(int argc, char **argv)
{
	struct question question = {.max_age = HEALTH_BY_KEEPALIVE};
	uint64_t max_age = 0;
	struct answer answer;
	struct args args;

	if (args_parse(&args, argc, argv,
		       ARGS_QUIET | ARGS_JSON | ARGS_TAKES(ARGS_WAIT) | ARGS_TAKES(ARGS_MAX_AGE)) ||
	    args.count > 2 ||
	    args_thousandths(&question.wait_ms, &args, ARGS_WAIT, 0, 86400000, "seconds") ||
	    args_thousandths(&max_age, &args, ARGS_MAX_AGE, 1000, 86400000, "seconds"))
		return COMMAND_TROUBLE_USAGE;
	question.json = args.json;
	if (args.values[ARGS_MAX_AGE])
		question.max_age = (int64_t)(max_age / 1000);
	if (args.count == 1)
		question.either = args.words[0];
	if (args.count == 2) {
		question.interface = args.words[0];
		question.peer = args.words[1];
	}
	ask(&answer, &question);
	if (answer.result == COMMAND_TROUBLE)
		say_error("%s", answer.why.data ? answer.why.data : strerror(ENOMEM));
	else if (!args.quiet && put(&answer, &question))
		answer.result = COMMAND_TROUBLE;
	wipe(&answer);
	return answer.result;
}
