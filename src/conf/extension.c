/* SPDX-License-Identifier: MIT
 * Keys from files of their own, and switches. No message repeats what a key file holds, nor a path,
 * which may be a key in the wrong place. */
#include "conf/extension.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/file.h"
#include "conf/keyfile.h"
#include "conf/source.h"
#include "conf/value.h"

static int put_path(char path[PATH_MAX], const char *directory, size_t len, const char *name)
{
	int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)len, directory, len ? "/" : "", name);

	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int find_credential(char path[PATH_MAX], const struct value_part *part,
			   const struct value_report *report)
{
	const char *name = part->text + strlen(EXTENSION_CREDENTIAL);
	const char *directory = getenv("CREDENTIALS_DIRECTORY");

	if (!*name || strchr(name, '/') || !strcmp(name, "..") || !strcmp(name, "."))
		return VALUE_FAIL(report, part,
				  "expected the name of a credential behind '" EXTENSION_CREDENTIAL
				  "'");
	if (!directory || !*directory)
		return VALUE_FAIL_AS(report, ENOENT, part,
				     "CREDENTIALS_DIRECTORY is not set: a credential is for a "
				     "service of systemd with LoadCredential=");
	return put_path(path, directory, strlen(directory), name);
}

static int find_path(char path[PATH_MAX], const struct value_part *part, const char *config,
		     const struct value_report *report)
{
	const char *slash = strrchr(config, '/');
	size_t len = slash && part->text[0] != '/' ? (size_t)(slash - config) : 0;

	if (strncmp(part->text, EXTENSION_CREDENTIAL, strlen(EXTENSION_CREDENTIAL)) == 0)
		return find_credential(path, part, report);
	/* The root's files, where the configuration is one of them. */
	if (slash == config && part->text[0] != '/')
		return put_path(path, "/.", 2, part->text);
	return put_path(path, config, len, part->text);
}

static int read_key(struct key *key, enum keyword which, const struct value_part *part,
		    const char *config, const struct value_report *report)
{
	const char *name = keyword_name(which);
	struct conf_error what = {0};
	char path[PATH_MAX];
	int rc;

	if (!config)
		return 0;
	rc = find_path(path, part, config, report);
	if (rc == -ENAMETOOLONG)
		return VALUE_FAIL_AS(report, ENAMETOOLONG, part, "%s: the path is too long", name);
	if (rc < 0)
		return rc;
	rc = keyfile_read(key, path, &what);
	if (rc < 0)
		return VALUE_FAIL_AS(report, what.err, part, "%s: %s", name, what.what);
	if (key_is_zero(key))
		return VALUE_FAIL(report, part, "%s: there is no key in the file", name);
	if (!source_is_exposed(path))
		return 0;
	conf_error_set(&what, EACCES, 0, (unsigned)part->offset + 1,
		       "%s is accessible to other users; `chmod 600' keeps the key secret", name);
	return report->warn(report->user, &what);
}

static int read_switch(bool *on, const struct value_part *part, const struct value_report *report)
{
	*on = strcmp(part->text, "yes") == 0;
	if (*on || strcmp(part->text, "no") == 0)
		return 0;
	return VALUE_FAIL(report, part, "%s is neither 'yes' nor 'no'", value_quote(part).text);
}

int extension_read(struct file *file, enum keyword key, const struct value_part *value,
		   const char *config, const struct value_report *report)
{
	struct model *device = &file->device;
	struct model_peer *peer;

	if (key == KEYWORD_KILL_SWITCH)
		return read_switch(&file->kill_switch, value, report);
	if (key == KEYWORD_PRIVATE_KEY_FILE) {
		device->has_private_key = config;
		return read_key(&device->private_key, key, value, config, report);
	}
	peer = model_last_peer(device);
	peer->has_preshared_key = config;
	return read_key(&peer->preshared_key, key, value, config, report);
}
