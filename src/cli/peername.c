/* SPDX-License-Identifier: MIT
 * Reads the configuration file for its names alone: none of the files that it names is opened, and
 * whatever is wrong with it is not said. */
#include "cli/peername.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/paths.h"
#include "cli/record.h"
#include "cli/self.h"
#include "conf/error.h"
#include "conf/file.h"
#include "conf/nearest.h"
#include "conf/source.h"
#include "conf/text.h"
#include "conf/value.h"

/* Nobody waits for a pipe. */
static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* 0 or -errno; then *file is empty. *paths: where it is. */
static int read_file(struct file *file, struct paths *paths, const char *interface)
{
	struct text text = TEXT_EMPTY;
	struct conf_error ignored;
	char recorded[PATH_MAX];
	int err;

	*file = (struct file)FILE_EMPTY;
	err = self_is_wg() ? -ENOENT : paths_find_name(paths, interface, &ignored);
	if (err)
		return err;
	if (!record_find_file(paths->name, recorded) && is_file(recorded))
		strcpy(paths->file, recorded);
	if (!is_file(paths->file))
		return -ENOENT;
	err = source_read(&text, paths->file, FILE_SIZE_MAX, NULL);
	if (!err)
		err = file_parse(file, text.data, text.len, NULL);
	text_wipe(&text);
	return err;
}

struct named {
	const struct model_peer *peer; /* borrowed */
};

static int compare(const void *left, const void *right)
{
	const struct named *a = left, *b = right;

	return memcmp(&a->peer->public_key, &b->peer->public_key, sizeof(struct key));
}

/* Gives each peer the name that one of the count sorted ones with its key has. 0 or -ENOMEM. */
static int copy_names(struct model *model, const struct named *named, size_t count)
{
	for (size_t i = 0; i < model->peer_count; i++) {
		const struct named wanted = {&model->peers[i]};
		const struct named *found = bsearch(&wanted, named, count, sizeof(*named), compare);

		if (found && model_peer_set_name(&model->peers[i], found->peer->name) < 0)
			return -ENOMEM;
	}
	return 0;
}

void peername_fill(const char *interface, struct model *model)
{
	struct named *named;
	struct paths paths;
	struct file file;
	size_t count = 0;

	if (read_file(&file, &paths, interface))
		return;
	named = calloc(file.device.peer_count + 1, sizeof(*named));
	for (size_t i = 0; i < file.device.peer_count && named; i++)
		if (file.device.peers[i].name)
			named[count++].peer = &file.device.peers[i];
	if (count) {
		qsort(named, count, sizeof(*named), compare);
		(void)copy_names(model, named, count);
	}
	free(named);
	file_wipe(&file);
}

static struct model_peer *find_name(const struct model *model, const char *name)
{
	for (size_t i = 0; i < model->peer_count; i++)
		if (model->peers[i].name && !strcmp(model->peers[i].name, name))
			return &model->peers[i];
	return NULL;
}

int peername_find(const struct model *model, const char *word, struct model_peer **peer)
{
	const size_t len = strlen(word);

	*peer = find_name(model, word);
	if (*peer)
		return 0;
	if (len < PEERNAME_PREFIX_MIN || len > KEY_BASE64_LEN)
		return -ENOENT;
	for (size_t i = 0; i < model->peer_count; i++) {
		char key[KEY_BASE64_LEN + 1];

		key_to_base64(key, &model->peers[i].public_key);
		if (strncmp(key, word, len) != 0)
			continue;
		if (*peer)
			return -ENOTUNIQ;
		*peer = &model->peers[i];
	}
	return *peer ? 0 : -ENOENT;
}

/* Fills *error; returns -EINVAL, or -ENOENT if the file names nobody. */
static int explain(const struct model *model, const char *file, const char *name,
		   struct conf_error *error)
{
	const struct value_part part = {.text = name, .len = strlen(name)};
	const char **names = calloc(model->peer_count + 1, sizeof(*names)), *meant;
	size_t count = 0;

	for (size_t i = 0; i < model->peer_count && names; i++)
		if (model->peers[i].name)
			names[count++] = model->peers[i].name;
	meant = nearest_word(name, names, count);
	free(names);
	/* What is that long, and like no name, was to be a key. */
	if (!count || (!meant && part.len > NEAREST_MAX))
		return -ENOENT;
	if (meant)
		return conf_error_set(error, EINVAL, 0, 0,
				      "%s is neither a key nor a name in %s; did you mean `%s'?",
				      value_quote(&part).text, file, meant);
	return conf_error_set(error, EINVAL, 0, 0, "%s is neither a key nor a name in %s",
			      value_quote(&part).text, file);
}

int peername_look_up(const char *interface, const char *name, struct key *key,
		     struct conf_error *error)
{
	const struct model_peer *peer;
	struct paths paths;
	struct file file;
	int err;

	if (read_file(&file, &paths, interface))
		return -ENOENT;
	peer = find_name(&file.device, name);
	err = peer ? 0 : explain(&file.device, paths.file, name, error);
	if (peer)
		*key = peer->public_key;
	file_wipe(&file);
	return err;
}
