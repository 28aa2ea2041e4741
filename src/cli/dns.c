/* SPDX-License-Identifier: MIT
 * A step's text is "WAY SERVER... search DOMAIN...". With systemd-resolved the tunnel is asked for
 * all names, as with the other ways, unless a domain is written "~DOMAIN": then for the domains. */
#include "cli/dns.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/child.h"
#include "cli/dnsfile.h"
#include "cli/iface.h"
#include "cli/interrupt.h"
#include "cli/plan.h"
#include "cli/say.h"
#include "cli/tunnel.h"
#include "conf/error.h"
#include "conf/file.h"
#include "conf/source.h"
#include "conf/text.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define INTERFACE_ORDER "/etc/resolvconf/interface-order"
#define READ_MAX (1u << 20) /* bytes */
#define SEARCH "search"
#define RESOLVED_STUB "nameserver 127.0.0.53\n"
#define RESOLVED_LINK "/systemd/resolve/"
#define WORDS_MAX 64

enum way {
	WAY_RESOLVED,
	WAY_RESOLVCONF,
	WAY_FILE,
	WAY_OFF,
	WAYS,
};

static const char *const way_names[WAYS] = {"resolved", "resolvconf", "file", "off"};

/* A step's text, cut into words. */
struct wish {
	char *text; /* owned */
	enum way way;
	const char *servers[WORDS_MAX + 1], *domains[WORDS_MAX + 1]; /* end in NULL */
	bool has_route;                                              /* a domain with a '~' */
};

static enum way find_way(const char *name)
{
	enum way way = WAY_RESOLVED;

	while (way < WAYS && strcmp(way_names[way], name) != 0)
		way++;
	return way;
}

bool dns_is_way(const char *word)
{
	return find_way(word) < WAYS;
}

/* 0 or -errno; *wish is then the caller's to free(wish->text). */
static int read_wish(struct wish *wish, const struct plan_step *step, struct conf_error *why)
{
	const char **list = wish->servers;
	size_t count = 0;
	char *rest, *word;

	*wish = (struct wish){.text = strdup(step->text ? step->text : "")};
	if (!wish->text)
		return conf_error_set(why, ENOMEM, 0, 0, "out of memory");
	word = strtok_r(wish->text, " ", &rest);
	wish->way = find_way(word ? word : "");
	while ((word = strtok_r(NULL, " ", &rest)) && count < WORDS_MAX) {
		if (list == wish->servers && !strcmp(word, SEARCH)) {
			list = wish->domains;
			count = 0;
			continue;
		}
		list[count++] = word;
		wish->has_route |= list == wish->domains && word[0] == '~';
	}
	return 0;
}

static void put_words(struct text *out, const char *before, const char *const *words,
		      const char *after)
{
	for (; *words; words++)
		text_printf(out, "%s%s%s", before, *words, after);
}

/* As resolv.conf(5) has them. */
static void put_lines(struct text *out, const struct wish *wish)
{
	put_words(out, "nameserver ", wish->servers, "\n");
	if (!wish->domains[0])
		return;
	text_puts(out, SEARCH);
	put_words(out, " ", wish->domains, "");
	text_puts(out, "\n");
}

/* The word that Debian's resolvconf wants before a name, so that the tunnel comes first: of the
 * first pattern that is a word and a star. */
static void put_prefix(struct text *out, const char *program)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
	struct text order = TEXT_EMPTY;
	struct stat st;
	char *line, *rest;

	if (lstat(program, &st) || S_ISLNK(st.st_mode) ||
	    source_read(&order, INTERFACE_ORDER, READ_MAX, NULL) || !order.len)
		return;
	for (line = strtok_r(order.data, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		size_t len = strspn(line, letters);

		if (!len || strcmp(line + len, "*") != 0)
			continue;
		text_append(out, line, len);
		text_puts(out, ".");
		break;
	}
	text_wipe(&order);
}

/* Where the program lies in PATH; false: nowhere. */
static bool find_program(char path[PATH_MAX], const char *name)
{
	const char *folder = getenv("PATH");

	for (; folder && *folder; folder += *folder == ':') {
		const int len = (int)strcspn(folder, ":");

		if (snprintf(path, PATH_MAX, "%.*s/%s", len, folder, name) < PATH_MAX &&
		    !access(path, X_OK))
			return true;
		folder += len;
	}
	return false;
}

/* Whether the C library asks systemd-resolved. */
static bool asks_resolved(void)
{
	struct text text = TEXT_EMPTY;
	char path[PATH_MAX];
	bool asks;

	if (realpath(RESOLV_CONF, path) && strstr(path, RESOLVED_LINK))
		return true;
	asks = !source_read(&text, RESOLV_CONF, READ_MAX, NULL) && text.len &&
	       (!strncmp(text.data, RESOLVED_STUB, strlen(RESOLVED_STUB)) ||
		strstr(text.data, "\n" RESOLVED_STUB));
	text_wipe(&text);
	return asks;
}

/* Whether it is there to be told. */
static bool answers_resolved(void)
{
	static const char *const argv[] = {"resolvectl", "dns", NULL};
	const struct child child = {.argv = argv, .is_silent = true};
	struct interrupt interrupt;
	int err;

	interrupt_begin(&interrupt);
	err = child_run(&child, argv[0], &interrupt, NULL);
	interrupt_end(&interrupt);
	return !err;
}

/* systemd-resolved has a resolvconf too, which is of use only where that runs. */
static bool has_resolvconf(void)
{
	char path[PATH_MAX], real[PATH_MAX];
	const char *name;

	if (!find_program(path, "resolvconf") || !realpath(path, real))
		return false;
	name = strrchr(real, '/');
	return !name || strcmp(name, "/resolvectl") != 0;
}

static enum way choose_way(void)
{
	if (asks_resolved() && answers_resolved())
		return WAY_RESOLVED;
	return has_resolvconf() ? WAY_RESOLVCONF : WAY_FILE;
}

/* What resolvconf calls the tunnel; out: empty. */
static void put_tunnel(struct text *out, const struct tunnel *tunnel)
{
	char program[PATH_MAX];

	if (find_program(program, "resolvconf"))
		put_prefix(out, program);
	text_puts(out, tunnel->name);
}

static void describe_do(const struct tunnel *tunnel, const struct wish *wish, struct text *out)
{
	switch (wish->way) {
	case WAY_RESOLVED:
		text_printf(out, "resolvectl dns %s", tunnel->name);
		put_words(out, " ", wish->servers, "");
		text_printf(out, " && resolvectl domain %s", tunnel->name);
		put_words(out, " ", wish->domains, "");
		text_puts(out, wish->has_route ? "" : " ~.");
		break;
	case WAY_RESOLVCONF:
		text_puts(out, "resolvconf -a ");
		put_tunnel(out, tunnel);
		text_puts(out, " -m 0 -x");
		break;
	case WAY_FILE:
		text_puts(out, "printf '%s\\n'");
		put_words(out, " 'nameserver ", wish->servers, "'");
		put_words(out, " 'search ", wish->domains, "'");
		text_puts(out, " >" RESOLV_CONF);
		break;
	case WAY_OFF:
	case WAYS:
		break;
	}
}

static void describe_undo(const struct tunnel *tunnel, const struct wish *wish, struct text *out)
{
	switch (wish->way) {
	case WAY_RESOLVED:
		text_printf(out, "resolvectl revert %s", tunnel->name);
		break;
	case WAY_RESOLVCONF:
		text_puts(out, "resolvconf -d ");
		put_tunnel(out, tunnel);
		text_puts(out, " -f");
		break;
	case WAY_FILE:
		text_puts(out, "restore " RESOLV_CONF);
		break;
	case WAY_OFF:
	case WAYS:
		break;
	}
}

static void describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
		     struct text *out)
{
	struct wish wish;

	if (read_wish(&wish, step, NULL))
		return;
	switch (phrase) {
	case PLAN_DO:
		describe_do(world, &wish, out);
		break;
	case PLAN_UNDO:
		describe_undo(world, &wish, out);
		break;
	case PLAN_GOAL:
		text_puts(out, "set the name servers (DNS)");
		break;
	}
	free(wish.text);
}

/* Runs PROGRAM VERB IFNAME WORDS... */
static int call(const struct tunnel *tunnel, const char *verb, const char *const *words,
		const char *last, struct conf_error *why)
{
	const char *argv[WORDS_MAX + 5] = {"resolvectl", verb, tunnel->name};
	const struct child child = {.argv = argv};
	size_t count = 3;

	while (words && *words)
		argv[count++] = *words++;
	if (last)
		argv[count++] = last;
	return child_run(&child, argv[0], tunnel->interrupt, why);
}

static int tell_resolved(const struct tunnel *tunnel, const struct wish *wish,
			 struct conf_error *why)
{
	int err = call(tunnel, "dns", wish->servers, NULL, why);

	if (!err)
		err = call(tunnel, "domain", wish->domains, wish->has_route ? NULL : "~.", why);
	if (err)
		(void)call(tunnel, "revert", NULL, NULL, NULL);
	return err;
}

/* What was told of a link goes with it. */
static int untell_resolved(const struct tunnel *tunnel, struct conf_error *why)
{
	struct iface_link link;

	if (iface_find(tunnel->iface, tunnel->name, &link, NULL) == -ENODEV)
		return 0;
	return call(tunnel, "revert", NULL, NULL, why);
}

/* lines: NULL to take them back. */
static int run_resolvconf(const struct tunnel *tunnel, const char *lines, struct conf_error *why)
{
	struct text name = TEXT_EMPTY;
	int err = -ENOMEM;

	put_tunnel(&name, tunnel);
	if (!name.failed) {
		const char *const add[] = {"resolvconf", "-a", name.data, "-m", "0", "-x", NULL};
		const char *const delete[] = {"resolvconf", "-d", name.data, "-f", NULL};
		const struct child child = {.argv = lines ? add : delete, .input = lines};

		err = child_run(&child, "resolvconf", tunnel->interrupt, why);
	}
	text_wipe(&name);
	return err;
}

static int drop_lines(const struct tunnel *tunnel, const char *lines, struct conf_error *why)
{
	bool found;
	int err = dnsfile_drop(tunnel->name, lines, &found, why);

	if (!err && !found)
		say_warning("%s has no lines for %s any more; it is left as it is", RESOLV_CONF,
			    tunnel->name);
	return err;
}

static int set(const struct tunnel *tunnel, const struct wish *wish, struct conf_error *why)
{
	struct text lines = TEXT_EMPTY;
	int err = 0;

	put_lines(&lines, wish);
	if (lines.failed) {
		err = conf_error_set(why, ENOMEM, 0, 0, "out of memory");
	} else {
		switch (wish->way) {
		case WAY_RESOLVED:
			err = tell_resolved(tunnel, wish, why);
			break;
		case WAY_RESOLVCONF:
			err = run_resolvconf(tunnel, lines.data, why);
			break;
		case WAY_FILE:
			err = dnsfile_put(tunnel->name, lines.data, why);
			break;
		case WAY_OFF:
		case WAYS:
			break;
		}
	}
	text_wipe(&lines);
	return err;
}

static int act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	struct conf_error cause = {0};
	struct wish wish;
	int err = read_wish(&wish, step, why);

	if (err)
		return err;
	err = set(tunnel, &wish, &cause);
	free(wish.text);
	if (err && step->number)
		return conf_error_set(why, -err, 0, 0,
				      "%s (names asked outside the tunnel would be a leak; "
				      "`--dns=off' takes that)",
				      cause.what);
	if (err)
		say_warning("cannot set the name servers (DNS): %s; names are asked as before, "
			    "outside the tunnel where no route leads through it",
			    cause.what);
	return 0;
}

static int undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	struct text lines = TEXT_EMPTY;
	struct wish wish;
	int err = read_wish(&wish, step, why);

	if (err)
		return err;
	switch (wish.way) {
	case WAY_RESOLVED:
		err = untell_resolved(tunnel, why);
		break;
	case WAY_RESOLVCONF:
		err = run_resolvconf(tunnel, NULL, why);
		break;
	case WAY_FILE:
		put_lines(&lines, &wish);
		err = drop_lines(tunnel, lines.failed ? NULL : lines.data, why);
		break;
	case WAY_OFF:
	case WAYS:
		break;
	}
	text_wipe(&lines);
	free(wish.text);
	return err;
}

static const struct plan_verb verb = {.name = "dns",
				      .is_single = true,
				      .is_lasting = true,
				      .describe = describe,
				      .act = act,
				      .undo = undo};

const struct plan_verb *const dns_verbs[] = {&verb, NULL};

/* WAYS: none is recorded. */
static enum way find_recorded(const struct plan *recorded)
{
	struct wish wish;

	for (size_t i = 0; recorded && i < recorded->count; i++) {
		if (recorded->steps[i].verb != &verb || read_wish(&wish, &recorded->steps[i], NULL))
			continue;
		free(wish.text);
		return wish.way;
	}
	return WAYS;
}

int dns_plan(struct plan *plan, const struct plan *recorded, const struct file *file,
	     const char *name, bool leaks, struct conf_error *why)
{
	const enum way former = find_recorded(recorded);
	enum way way = name ? find_way(name) : former;
	struct text text = TEXT_EMPTY;

	if (!file->dns.count || way == WAY_OFF)
		return 0;
	if (way == WAYS)
		way = choose_way();
	if (former != WAYS && way != former)
		return conf_error_set(why, EINVAL, 0, 0,
				      "the name servers were set by --dns=%s: take the tunnel down "
				      "and up again for another way",
				      way_names[former]);
	if (file->dns.count > WORDS_MAX || file->search.count > WORDS_MAX)
		return conf_error_set(why, E2BIG, 0, 0,
				      "more than %d name servers or domains (DNS)", WORDS_MAX);
	text_puts(&text, way_names[way]);
	for (size_t i = 0; i < file->dns.count; i++)
		text_printf(&text, " %s", file->dns.items[i]);
	text_puts(&text, file->search.count ? " " SEARCH : "");
	for (size_t i = 0; i < file->search.count; i++)
		text_printf(&text, " %s", file->search.items[i]);
	plan_add(plan, &verb, NULL, leaks, text.data);
	plan->failed |= text.failed;
	text_wipe(&text);
	return 0;
}

bool dns_clear(const char *name)
{
	struct conf_error why = {0};
	bool found;

	if (dnsfile_drop(name, NULL, &found, &why) < 0)
		say_warning("%s", why.what);
	else if (found)
		say_warning("%s still had lines for %s, which are gone now", RESOLV_CONF, name);
	return found;
}
