/* SPDX-License-Identifier: MIT
 * A file of wg(8)'s keys becomes the configuration (setconf), is added to it (addconf), or it is
 * led to the file by the changes that this takes (syncconf). A file with a mistake changes nothing.
 */
#include "cli/setconf.h"

#include "cli/access.h"
#include "cli/args.h"
#include "cli/say.h"
#include "cli/sync.h"
#include "conf/error.h"
#include "conf/file.h"

/* 0 or -errno, said. */
static int read_file(struct file *file, const char *path)
{
	struct conf_error error = {0};
	int err = file_read_wg(file, path, &error);

	if (err) {
		say_file_error(path, &error);
		return err;
	}
	say_file_warnings(path, file);
	return access_resolve(&file->device, path);
}

/* What the file does not name goes back to what it is when nothing is configured. */
static int replace_all(const char *name, struct model *model)
{
	(void)name;
	model->replace_peers = true;
	model->has_private_key = model->has_listen_port = model->has_fwmark = true;
	return 0;
}

static int add(const char *name, struct model *model)
{
	(void)name;
	(void)model;
	return 0;
}

static int reduce(const char *name, struct model *model)
{
	struct model now = MODEL_EMPTY;
	int err = access_get(name, &now);

	if (!err) {
		err = sync_reduce(model, &now);
		if (err)
			say_error("out of memory");
	}
	model_wipe(&now);
	return err;
}

/* prepare: makes a change of what the file says; 0 or -errno, said. */
static enum command_result run(int argc, char **argv,
			       int (*prepare)(const char *name, struct model *model))
{
	struct file file = FILE_EMPTY;
	struct args args;
	int err;

	if (args_parse(&args, argc, argv, 0) || args.count != 2)
		return COMMAND_USAGE;
	err = read_file(&file, args.words[1]);
	if (!err)
		err = prepare(args.words[0], &file.device);
	if (!err)
		err = access_set(args.words[0], &file.device);
	file_wipe(&file);
	return err ? COMMAND_FAILED : COMMAND_OK;
}

enum command_result setconf_run(int argc, char **argv)
{
	return run(argc, argv, replace_all);
}

enum command_result setconf_run_add(int argc, char **argv)
{
	return run(argc, argv, add);
}

enum command_result setconf_run_sync(int argc, char **argv)
{
	return run(argc, argv, reduce);
}
