/* SPDX-License-Identifier: MIT
 * What `wg-quick strip' prints, and besides what keys of our own come to. What cannot be printed
 * must not pass for a file without peers: `wg syncconf wg0 <(wgctl strip wg0)' would remove all. */
#include "cli/strip.h"

#include <errno.h>
#include "cli/args.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/say.h"
#include "conf/error.h"
#include "conf/exclude.h"
#include "conf/file.h"
#include "conf/plain.h"
#include "conf/source.h"
#include "conf/text.h"

#define NOTHING "[not a configuration: `wgctl strip' failed]\n" /* no reader takes it */

/* 0 or -errno, said. */
static int strip(struct text *out, struct file *file, const char *path)
{
	struct text text = TEXT_EMPTY;
	struct conf_error error = {0};
	int err = source_read(&text, path, FILE_SIZE_MAX, &error);

	if (!err)
		err = file_parse_at(file, path, text.data, text.len, &error);
	if (!err) {
		err = plain_put(out, file, text.data, text.len);
		conf_error_set(&error, -err, 0, 0, "%s", exclude_problem(err));
	}
	if (err)
		say_file_error(path, &error);
	text_wipe(&text);
	return err;
}

static int find_and_strip(struct text *out, const char *word)
{
	struct file file = FILE_EMPTY;
	struct conf_error error = {0};
	struct paths paths;
	int err = paths_find(&paths, word, &error);

	if (err) {
		say_error("%s", error.what);
		return err;
	}
	err = strip(out, &file, paths.file);
	say_file_warnings(paths.file, &file);
	if (!err && source_is_exposed(paths.file))
		say_exposed(paths.file);
	file_wipe(&file);
	return err;
}

enum command_result strip_run(int argc, char **argv)
{
	struct text out = TEXT_EMPTY;
	struct args args;
	int err;

	if (args_parse(&args, argc, argv, 0) || args.count != 1)
		return COMMAND_USAGE;
	err = find_and_strip(&out, args.words[0]);
	if (err) {
		text_wipe(&out);
		text_puts(&out, NOTHING);
	}
	if (output_write(&out) && !err)
		err = -EIO;
	text_wipe(&out);
	return err ? COMMAND_FAILED : COMMAND_OK;
}
