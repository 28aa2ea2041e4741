/* SPDX-License-Identifier: MIT
 * Reads lines of "NUMBER NAME", with "#" before comments. */
#include "cli/tables.h"

#include <errno.h>
#include <glob.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf/number.h"

/* The administrator's own first. */
static const char *const PATTERNS[] = {
	"/etc/iproute2/rt_tables",       "/etc/iproute2/rt_tables.d/*.conf",
	"/usr/share/iproute2/rt_tables", "/usr/share/iproute2/rt_tables.d/*.conf",
	"/usr/lib/iproute2/rt_tables",
};

static int read_line(uint32_t *number, char *line, const char *name)
{
	char *rest, *first, *second;

	line[strcspn(line, "#\n")] = '\0';
	first = strtok_r(line, " \t", &rest);
	second = strtok_r(NULL, " \t", &rest);
	if (!first || !second || strcmp(second, name) != 0)
		return -ENOENT;
	return number_parse_mark(number, first, strlen(first)) ? -ENOENT : 0;
}

static int read_file(uint32_t *number, const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int err = -ENOENT;

	if (!file)
		return -ENOENT;
	while (err && getline(&line, &size, file) >= 0)
		err = read_line(number, line, name);
	free(line);
	fclose(file);
	return err;
}

static int read_files(uint32_t *number, const char *pattern, const char *name)
{
	glob_t found = {0};
	int err = -ENOENT;

	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	for (size_t i = 0; i < found.gl_pathc && err; i++)
		err = read_file(number, found.gl_pathv[i], name);
	globfree(&found);
	return err;
}

int tables_find(uint32_t *number, const char *name)
{
	static const struct {
		const char *name;
		uint32_t number;
	} KNOWN[] = {
		{"main", RT_TABLE_MAIN}, {"local", RT_TABLE_LOCAL}, {"default", RT_TABLE_DEFAULT}};
	int err = number_parse_mark(number, name, strlen(name)) ? -ENOENT : 0;

	for (size_t i = 0; i < sizeof(KNOWN) / sizeof(*KNOWN) && err; i++)
		if (!strcmp(name, KNOWN[i].name)) {
			*number = KNOWN[i].number;
			err = 0;
		}
	for (size_t i = 0; i < sizeof(PATTERNS) / sizeof(*PATTERNS) && err; i++)
		err = read_files(number, PATTERNS[i], name);
	if (!err && *number == RT_TABLE_MAIN)
		*number = 0;
	return err;
}
