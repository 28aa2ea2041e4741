/* SPDX-License-Identifier: MIT
 * Names and files. Only looks; opens no file. */
#include "cli/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/names.h"
#include "conf/error.h"

#define DEFAULT_DIRECTORIES "/etc/wireguard"
#define SUFFIX ".conf"
#define SUFFIX_LEN (sizeof(SUFFIX) - 1)
#define NAME_RULE "1 to 15 letters, digits or _=+.-, no - in front, not all or default"

static bool ends_in_conf(const char *word)
{
	size_t len = strlen(word);

	return len > SUFFIX_LEN && !strcmp(word + len - SUFFIX_LEN, SUFFIX);
}

static bool exists(const char *file)
{
	struct stat st;

	/* What cannot be looked at for another reason is found, and fails when it is read. */
	return !stat(file, &st) || (errno != ENOENT && errno != ENOTDIR);
}

/* Folders of /proc/sys/net/ipv4/conf: the kernel makes no interface of these names. */
static bool is_taken(const char *name, size_t len)
{
	static const char *const taken[] = {".", "..", "all", "default"};

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (strlen(taken[i]) == len && !memcmp(taken[i], name, len))
			return true;
	return false;
}

static bool is_name(const char *name, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_=+.-";

	return len && len < IFNAMSIZ && name[0] != '-' && strspn(name, letters) >= len &&
	       !is_taken(name, len);
}

/* Takes the interface's name from a file's. */
static int take_name(struct paths *paths, const char *file, struct conf_error *error)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	size_t len;

	if (!ends_in_conf(base))
		return conf_error_set(error, EINVAL, 0, 0,
				      "%s: a configuration file is named after its interface: "
				      "NAME.conf",
				      file);
	len = strlen(base) - SUFFIX_LEN;
	if (!is_name(base, len))
		return conf_error_set(error, EINVAL, 0, 0,
				      "%s: `%.*s' cannot be the name of an interface (" NAME_RULE
				      ")",
				      file, (int)len, base);
	memcpy(paths->name, base, len);
	paths->name[len] = '\0';
	return 0;
}

/* a:b:c */
static const char *directories(void)
{
	const char *list = getenv("WGCTL_PATH");

	return list && *list ? list : DEFAULT_DIRECTORIES;
}

/* Looks for NAME.conf; *looked lists where. */
static bool search(struct paths *paths, const char *name, char *looked, size_t size)
{
	const char *directory = directories();
	size_t used = 0;

	looked[0] = '\0';
	while (*directory) {
		size_t len = strcspn(directory, ":");
		int n = snprintf(paths->file, sizeof(paths->file), "%.*s/%s" SUFFIX, (int)len,
				 directory, name);

		if (len && n < (int)sizeof(paths->file)) {
			if (exists(paths->file))
				return true;
			n = snprintf(looked + used, size - used, "%s%s", used ? ", " : "",
				     paths->file);
			used += (size_t)n < size - used ? (size_t)n : size - used - 1;
		}
		directory += len + (directory[len] == ':');
	}
	paths->file[0] = '\0';
	return false;
}

static int take_file(struct paths *paths, const char *word, bool needed, struct conf_error *error)
{
	int err;

	if (strlen(word) >= sizeof(paths->file))
		return conf_error_set(error, ENAMETOOLONG, 0, 0, "%s", strerror(ENAMETOOLONG));
	err = take_name(paths, word, error);
	if (err)
		return err;
	paths->is_file = exists(word);
	if (paths->is_file)
		strcpy(paths->file, word);
	else if (needed)
		return conf_error_set(error, ENOENT, 0, 0, "%s: no such file", word);
	return 0;
}

static int find(struct paths *paths, const char *word, bool needed, struct conf_error *error)
{
	char looked[CONF_ERROR_WHAT_MAX];

	*paths = (struct paths){0};
	if (strchr(word, '/') || (ends_in_conf(word) && exists(word)))
		return take_file(paths, word, needed, error);
	if (!is_name(word, strlen(word)))
		return conf_error_set(error, EINVAL, 0, 0,
				      "`%s' cannot be the name of an interface (" NAME_RULE ")",
				      word);
	strcpy(paths->name, word);
	if (search(paths, word, looked, sizeof(looked)))
		return 0;
	if (!needed)
		return ends_in_conf(word) ? take_name(paths, word, error) : 0;
	if (ends_in_conf(word))
		return conf_error_set(error, ENOENT, 0, 0,
				      "%s: no such file here, and there is no %s either", word,
				      looked);
	return conf_error_set(error, ENOENT, 0, 0, "%s: no configuration found; looked for %s",
			      word, looked);
}

int paths_find(struct paths *paths, const char *word, struct conf_error *error)
{
	return find(paths, word, true, error);
}

int paths_find_name(struct paths *paths, const char *word, struct conf_error *error)
{
	return find(paths, word, false, error);
}

static int list_directory(char (**names)[IFNAMSIZ], size_t *count, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int err = 0;

	while (dir && !err && (entry = readdir(dir))) {
		char *name = entry->d_name;

		if (!ends_in_conf(name) || !is_name(name, strlen(name) - SUFFIX_LEN))
			continue;
		name[strlen(name) - SUFFIX_LEN] = '\0';
		err = names_add(names, count, name);
	}
	if (dir)
		closedir(dir);
	return err;
}

int paths_list(char (**names)[IFNAMSIZ], size_t *count)
{
	const char *rest = directories();
	int err = 0;

	while (*rest && !err) {
		size_t len = strcspn(rest, ":");
		char *directory = strndup(rest, len);

		err = directory ? list_directory(names, count, directory) : -ENOMEM;
		free(directory);
		rest += len + (rest[len] == ':');
	}
	return err;
}
