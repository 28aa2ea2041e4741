/* SPDX-License-Identifier: MIT
 * A command is run as wg-quick(8) runs it: by bash with errexit, pipefail and extglob, in the C
 * locale, with the folder of this program before the others in PATH. Without a bash, by sh. */
#include "cli/hooks.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/child.h"
#include "cli/plan.h"
#include "cli/tunnel.h"
#include "conf/text.h"

static const struct plan_verb verbs[FILE_HOOKS];
static const char *const names[FILE_HOOKS] = {"PreUp", "PostUp", "PreDown", "PostDown"};

static void describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
		     struct text *out)
{
	(void)world;
	switch (phrase) {
	case PLAN_DO:
	case PLAN_UNDO:
		text_puts(out, step->text);
		break;
	case PLAN_GOAL:
		text_printf(out, "run the %s command `%s'", names[step->verb - verbs], step->text);
		break;
	}
}

/* PATH=... with the folder of this program in front, or NULL: that is not known, or no memory. */
static char *make_path(void)
{
	const char *path = getenv("PATH");
	char self[PATH_MAX], *slash;
	struct text text = TEXT_EMPTY;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len <= 0)
		return NULL;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	text_printf(&text, "PATH=%s:%s", self, path ? path : "/usr/sbin:/usr/bin:/sbin:/bin");
	if (!text.failed)
		return text.data;
	text_wipe(&text);
	return NULL;
}

/* Whether both are assignments to the same variable. */
static bool is_same(const char *a, const char *b)
{
	size_t len = strcspn(a, "=") + 1;

	return !strncmp(a, b, len);
}

/* Ours, but for these, up to a NULL. NULL: no memory. To be freed; its strings are borrowed. */
static char **make_environment(char *const *own)
{
	size_t count = 0, kept = 0, owned = 0;
	char **environment;

	while (environ[count])
		count++;
	while (own[owned])
		owned++;
	environment = calloc(count + owned + 1, sizeof(*environment));
	if (!environment)
		return NULL;
	for (; kept < owned; kept++)
		environment[kept] = own[kept];
	for (size_t i = 0, j; i < count; i++) {
		for (j = 0; j < owned && !is_same(own[j], environ[i]); j++)
			;
		if (j == owned)
			environment[kept++] = environ[i];
	}
	return environment;
}

/* NAME=VALUE, to be freed; NULL: no memory. */
static char *assign(const char *name, const char *value)
{
	struct text text = TEXT_EMPTY;

	text_printf(&text, "%s=%s", name, value);
	if (text.failed)
		text_wipe(&text);
	return text.data;
}

static int run(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	const char *const bash[] = {"bash",    "-e", "-o",       "pipefail", "-O",
				    "extglob", "-c", step->text, NULL};
	const char *const sh[] = {"sh", "-e", "-c", step->text, NULL};
	/* As in wg-quick(8), whose variables of these names commands came to use. */
	char locale[] = "LC_ALL=C", *interface = assign("INTERFACE", tunnel->name);
	char real[PATH_MAX], *path = make_path();
	char *file = assign("CONFIG_FILE", realpath(tunnel->file, real) ? real : tunnel->file);
	char *const own[] = {locale, interface, file, path, NULL};
	char **environment = interface && file ? make_environment(own) : NULL;
	struct child child = {.argv = bash, .environment = environment};
	int err = child_run(&child, "it", tunnel->interrupt, why);

	if (err == -ENOENT) {
		child.argv = sh;
		err = child_run(&child, "sh", tunnel->interrupt, why);
	}
	free(environment);
	free(interface);
	free(file);
	free(path);
	return err;
}

static const struct plan_verb verbs[FILE_HOOKS] = {
	[FILE_PRE_UP] = {.name = "pre-up", .is_event = true, .describe = describe, .act = run},
	[FILE_POST_UP] = {.name = "post-up", .is_event = true, .describe = describe, .act = run},
	[FILE_PRE_DOWN] = {.name = "pre-down", .is_event = true, .describe = describe, .undo = run},
	[FILE_POST_DOWN] = {.name = "post-down",
			    .is_event = true,
			    .describe = describe,
			    .undo = run},
};

const struct plan_verb *const hooks_verbs[] = {&verbs[FILE_PRE_UP], &verbs[FILE_POST_UP],
					       &verbs[FILE_PRE_DOWN], &verbs[FILE_POST_DOWN], NULL};

static void add(struct plan *plan, const struct plan_verb *verb, const char *command,
		const char *name)
{
	struct text text = TEXT_EMPTY;
	const char *mark;

	for (; (mark = strstr(command, "%i")); command = mark + 2) {
		text_append(&text, command, (size_t)(mark - command));
		text_puts(&text, name);
	}
	text_puts(&text, command);
	plan_add(plan, verb, NULL, 0, text.data);
	plan->failed |= text.failed;
	text_wipe(&text);
}

void hooks_plan(struct plan *plan, const struct file *file, enum file_hook hook, const char *name)
{
	const struct words *words = &file->hooks[hook];
	const bool goes_down = hook == FILE_PRE_DOWN || hook == FILE_POST_DOWN;

	for (size_t i = 0; i < words->count; i++)
		add(plan, &verbs[hook], words->items[goes_down ? words->count - 1 - i : i], name);
}
