/* SPDX-License-Identifier: MIT
 * What the keys of a configuration file mean: wg(8)'s are conf/value's, wg-quick(8)'s conf/quick's,
 * our own conf/extension's. Whatever is wrong ends the
 * reading, and nothing of the file is left. No message repeats a value that might be a key in the
 * wrong place. */
#include "conf/file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "conf/array.h"
#include "conf/extension.h"
#include "conf/lines.h"
#include "conf/name.h"
#include "conf/quick.h"
#include "conf/source.h"
#include "conf/text.h"
#include "conf/value.h"

struct loader {
	struct file *file;          /* borrowed */
	struct lines *lines;        /* borrowed; for the place of what is found; NULL: names */
	struct value_report report; /* error: borrowed, may be NULL */
	const char *path;           /* of the file; NULL: the text is from memory; borrowed */
	bool only_wg;               /* wg(8)'s keys, none of wg-quick(8)'s */
	bool goes_on;               /* after an error */
	unsigned peer_column;       /* of the last [Peer] header */
	struct name_places names;
};

static int no_memory(struct loader *loader)
{
	return conf_error_set(loader->report.error, ENOMEM, 0, 0, "out of memory");
}

/* From the place in the value to that in the file. */
static void locate(struct lines *lines, unsigned *line, unsigned *column)
{
	if (*line || !*column)
		return;
	*line = lines_number(lines);
	*column = lines_column(lines, *column - 1);
}

/* A new one, or NULL with *rc set: 0 where there are enough. */
static struct file_warning *note(struct loader *loader, const struct conf_error *what, int *rc)
{
	const size_t max = loader->goes_on ? FILE_FAULTS_MAX : FILE_WARNINGS_MAX;
	struct file *file = loader->file;
	struct file_warning *warning;

	*rc = 0;
	if (file->warning_count == max)
		return NULL;
	warning = array_room(file->warnings, file->warning_count, &file->warning_size,
			     sizeof(*warning));
	if (!warning) {
		*rc = no_memory(loader);
		return NULL;
	}
	file->warnings = warning;
	warning += file->warning_count++;
	*warning = (struct file_warning){.line = what->line, .column = what->column};
	memcpy(warning->what, what->what, sizeof(warning->what));
	if (file->warning_count == max)
		strcpy(warning->what,
		       loader->goes_on ? "and more such findings" : "and more such warnings");
	return warning;
}

static int warn(void *user, const struct conf_error *what)
{
	struct loader *loader = user;
	int rc;
	struct file_warning *warning = note(loader, what, &rc);

	if (!warning)
		return rc;
	locate(loader->lines, &warning->line, &warning->column);
	warning->key = loader->lines ? lines_key(loader->lines) : KEYWORD_NAME;
	return 0;
}

/* An error, where they do not end the reading. 0 or -errno. */
static int pass_over(struct loader *loader, enum lines_fault fault, enum keyword key,
		     const struct conf_error *error)
{
	int rc;
	struct file_warning *warning = note(loader, error, &rc);

	if (!warning)
		return rc;
	warning->is_error = true;
	warning->fault = fault;
	warning->key = key;
	return 0;
}

static int read_fault(void *user, struct lines *lines, enum lines_fault fault,
		      const struct conf_error *error)
{
	return pass_over(user, fault, lines_key(lines), error);
}

/* Of an error that is not found at its line. */
static int settle(struct loader *loader, enum lines_fault fault, enum keyword key, int rc)
{
	if (rc == 0 || rc == -ENOMEM || !loader->goes_on)
		return rc;
	return pass_over(loader, fault, key, loader->report.error);
}

/* What is for `up' only. */
static int refuse(struct loader *loader, enum keyword key, const struct value_part *part)
{
	return VALUE_FAIL(&loader->report, part, "%s is for %s`wgctl up': remove the line here",
			  keyword_name(key),
			  keyword_origin(key) == KEYWORD_OF_QUICK ? "wg-quick and " : "");
}

/* A remark that cannot be a name is a mere comment, and it never replaces a name. */
static int read_name(struct loader *loader, const struct value_part *part)
{
	struct model *device = &loader->file->device;
	struct model_peer *peer = model_last_peer(device);
	const bool is_remark = lines_form(loader->lines) == LINES_REMARK;
	const bool is_valid = name_is_valid(part->text, part->len);
	const struct name_place place = {
		.peer = device->peer_count - 1,
		.line = lines_number(loader->lines),
		.column = lines_column(loader->lines, 0),
		.is_remark = is_remark,
	};

	if (is_remark && (!is_valid || peer->name))
		return 0;
	if (!is_valid)
		return VALUE_FAIL(&loader->report, part,
				  "%s cannot be a name: expected 1 to %d bytes of UTF-8 without "
				  "control characters, and not a key",
				  value_quote(part).text, NAME_MAX_LEN);
	if (model_peer_set_name(peer, part->text) < 0 || name_note(&loader->names, &place) < 0)
		return no_memory(loader);
	return 0;
}

/* wgctl's own. */
static int read_extension(struct loader *loader, enum keyword key, const struct value_part *part)
{
	if (key == KEYWORD_NAME)
		return read_name(loader, part);
	if (loader->only_wg && key == KEYWORD_KILL_SWITCH &&
	    lines_form(loader->lines) == LINES_PLAIN)
		return refuse(loader, key, part);
	return extension_read(loader->file, key, part, loader->path, &loader->report);
}

/* A key comes from one place. */
static int check_single(const struct loader *loader, enum keyword key,
			const struct value_part *part)
{
	static const struct {
		enum keyword plain, in_file;
	} pairs[] = {
		{KEYWORD_PRIVATE_KEY, KEYWORD_PRIVATE_KEY_FILE},
		{KEYWORD_PRESHARED_KEY, KEYWORD_PRESHARED_KEY_FILE},
	};
	const unsigned *line_of = loader->file->line_of;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		enum keyword other = key == pairs[i].plain ? pairs[i].in_file : pairs[i].plain;

		if ((key == pairs[i].plain || key == pairs[i].in_file) && line_of[other])
			return VALUE_FAIL(&loader->report, part,
					  "line %u has %s already: remove one of the two",
					  line_of[other], keyword_name(other));
	}
	return 0;
}

static int read_part(struct loader *loader, enum keyword key, const struct value_part *part)
{
	switch (keyword_origin(key)) {
	case KEYWORD_OF_WG:
		return value_read(&loader->file->device, key, part, &loader->report);
	case KEYWORD_OF_QUICK:
		return loader->only_wg ? refuse(loader, key, part)
				       : quick_read(loader->file, key, part, &loader->report);
	case KEYWORD_OF_WGCTL:
		break;
	}
	return read_extension(loader, key, part);
}

static int read_value(void *user, struct lines *lines, enum keyword key, const char *value,
		      size_t len)
{
	const struct value_part part = {.text = value, .len = len};
	struct loader *loader = user;
	struct conf_error *error = loader->report.error;
	int rc;

	loader->lines = lines;
	if (!loader->file->line_of[key])
		loader->file->line_of[key] = lines_number(lines);
	rc = check_single(loader, key, &part);
	if (rc == 0)
		rc = read_part(loader, key, &part);
	if (rc < 0 && error)
		locate(lines, &error->line, &error->column);
	return rc;
}

/* The peer that ends here needs its key: nothing else says who it is. */
static int end_peer(struct loader *loader)
{
	const struct file *file = loader->file;

	if (!file->device.peer_count || file->line_of[KEYWORD_PUBLIC_KEY])
		return 0;
	return conf_error_set(loader->report.error, EINVAL, model_last_peer(&file->device)->line,
			      loader->peer_column, "this [Peer] has no PublicKey: add one");
}

static int read_section(void *user, struct lines *lines, enum keyword_section section)
{
	struct loader *loader = user;
	struct model_peer *peer;
	int rc;

	if (section == KEYWORD_INTERFACE) {
		if (!loader->file->interface_line)
			loader->file->interface_line = lines_number(lines);
		return 0;
	}
	rc = settle(loader, LINES_FAULT_VALUE, KEYWORD_PUBLIC_KEY, end_peer(loader));
	if (rc < 0)
		return rc;
	peer = model_add_peer(&loader->file->device);
	if (!peer)
		return no_memory(loader);
	peer->line = lines_number(lines);
	peer->replace_allowed = true;
	loader->peer_column = lines_column(lines, 0);
	for (enum keyword key = KEYWORD_PUBLIC_KEY; key < KEYWORD_COUNT; key++)
		loader->file->line_of[key] = 0;
	return 0;
}

static int parse(struct file *file, const char *text, size_t len, struct loader *loader)
{
	const struct lines_events events = {
		.section = read_section,
		.value = read_value,
		.fault = loader->goes_on ? read_fault : NULL,
	};
	struct conf_error *error = loader->report.error;
	int rc;

	*file = (struct file)FILE_EMPTY;
	if (len > FILE_SIZE_MAX)
		return conf_error_set(error, EFBIG, 0, 0, "the file is larger than %u MiB",
				      FILE_SIZE_MAX >> 20);
	loader->file = file;
	loader->report.warn = warn;
	loader->report.user = loader;
	rc = lines_read(text, len, &events, loader, error);
	rc = settle(loader, LINES_FAULT_BYTES, KEYWORD_COUNT, rc);
	loader->lines = NULL;
	if (rc == 0)
		rc = settle(loader, LINES_FAULT_VALUE, KEYWORD_PUBLIC_KEY, end_peer(loader));
	if (rc == 0)
		rc = settle(loader, LINES_FAULT_VALUE, KEYWORD_NAME,
			    name_settle(&loader->names, &file->device, &loader->report));
	name_places_free(&loader->names);
	if (rc < 0)
		file_wipe(file);
	return rc;
}

static int read_and_parse(struct file *file, struct loader *loader)
{
	struct text text = TEXT_EMPTY;
	int rc;

	*file = (struct file)FILE_EMPTY;
	rc = source_read(&text, loader->path, FILE_SIZE_MAX, loader->report.error);
	if (rc == 0)
		rc = parse(file, text.data, text.len, loader);
	text_wipe(&text);
	return rc;
}

int file_parse(struct file *file, const char *text, size_t len, struct conf_error *error)
{
	struct loader loader = {.report.error = error};

	return parse(file, text, len, &loader);
}

int file_parse_at(struct file *file, const char *path, const char *text, size_t len,
		  struct conf_error *error)
{
	struct loader loader = {.path = path, .report.error = error};

	return parse(file, text, len, &loader);
}

int file_check(struct file *file, const char *path, const char *text, size_t len)
{
	struct conf_error error = {0};
	struct loader loader = {.path = path, .goes_on = true, .report.error = &error};

	return parse(file, text, len, &loader);
}

int file_read(struct file *file, const char *path, struct conf_error *error)
{
	struct loader loader = {.path = path, .report.error = error};

	return read_and_parse(file, &loader);
}

int file_read_wg(struct file *file, const char *path, struct conf_error *error)
{
	struct loader loader = {.path = path, .only_wg = true, .report.error = error};

	return read_and_parse(file, &loader);
}

void file_wipe(struct file *file)
{
	model_wipe(&file->device);
	free(file->addresses);
	free(file->warnings);
	words_free(&file->dns);
	words_free(&file->search);
	free(file->table);
	for (size_t i = 0; i < FILE_HOOKS; i++)
		words_free(&file->hooks[i]);
	*file = (struct file)FILE_EMPTY;
}
