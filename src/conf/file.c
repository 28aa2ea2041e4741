/* SPDX-License-Identifier: MIT
 * What the keys of a configuration file mean; wg(8)'s are conf/value's. Whatever is wrong ends the
 * reading, and nothing of the file is left. No message repeats a value that might be a key in the
 * wrong place. */
#include "conf/file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "conf/lines.h"
#include "conf/number.h"
#include "conf/source.h"
#include "conf/text.h"
#include "conf/value.h"

#define MTU_IPV6_MIN 1280

struct loader {
	struct file *file;          /* borrowed */
	struct lines *lines;        /* borrowed; for the place of what is found */
	struct value_report report; /* error: borrowed, may be NULL */
	bool only_wg;               /* wg(8)'s keys, none of wg-quick(8)'s */
	unsigned peer_column;       /* of the last [Peer] header */
	bool peer_has_key;
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

static int warn(void *user, const struct conf_error *what)
{
	struct loader *loader = user;
	struct file *file = loader->file;
	struct file_warning *warning;

	if (file->warning_count == FILE_WARNINGS_MAX)
		return 0;
	if (file->warning_count == file->warning_size) {
		size_t size = file->warning_size ? file->warning_size * 2 : 4;

		warning = reallocarray(file->warnings, size, sizeof(*warning));
		if (!warning)
			return no_memory(loader);
		file->warnings = warning;
		file->warning_size = size;
	}
	warning = &file->warnings[file->warning_count++];
	warning->line = what->line;
	warning->column = what->column;
	locate(loader->lines, &warning->line, &warning->column);
	memcpy(warning->what, what->what, sizeof(warning->what));
	if (file->warning_count == FILE_WARNINGS_MAX)
		strcpy(warning->what, "and more such warnings");
	return 0;
}

static int read_mtu(struct loader *loader, const struct value_part *part)
{
	struct conf_error what;
	uint64_t number;

	if (number_parse(&number, part->text, part->len, FILE_MTU_MAX) < 0 || number < FILE_MTU_MIN)
		return VALUE_FAIL(&loader->report, part,
				  "%s is no MTU: expected a number from %d to %d",
				  value_quote(part).text, FILE_MTU_MIN, FILE_MTU_MAX);
	loader->file->mtu = (uint32_t)number;
	if (number >= MTU_IPV6_MIN)
		return 0;
	conf_error_set(&what, EINVAL, 0, 1,
		       "MTU %u is too small for IPv6, which needs %d: only IPv4 will pass",
		       (unsigned)number, MTU_IPV6_MIN);
	return warn(loader, &what);
}

static int read_address(void *user, const struct value_part *part)
{
	struct loader *loader = user;
	struct file *file = loader->file;
	struct prefix prefix;

	if (!part->len)
		return 0;
	if (prefix_parse(&prefix, part->text, part->len) < 0)
		return VALUE_FAIL(
			&loader->report, part,
			"%s is no address: expected one such as 10.0.0.1/24 or fd00::1/64",
			value_quote(part).text);
	if (file->address_count == file->address_size) {
		size_t size = file->address_size ? file->address_size * 2 : 4;
		struct prefix *addresses;

		addresses = reallocarray(file->addresses, size, sizeof(*addresses));
		if (!addresses)
			return no_memory(loader);
		file->addresses = addresses;
		file->address_size = size;
	}
	file->addresses[file->address_count++] = prefix;
	return 0;
}

/* wg-quick(8) separates addresses by commas, white space, or both. */
static int read_addresses(struct loader *loader, const struct value_part *part)
{
	size_t before = loader->file->address_count;
	int rc = value_read_list(part, read_address, loader);

	if (rc == 0 && loader->file->address_count == before)
		return VALUE_FAIL(&loader->report, part,
				  "'Address' has no value: write one or remove the line");
	return rc;
}

/* Known to wg-quick(8), and not done here yet: only what asks for nothing may pass. */
static int read_unsupported(struct loader *loader, enum keyword key, const struct value_part *part)
{
	bool is_false = strcmp(part->text, "false") == 0;

	if (key == KEYWORD_TABLE && strcmp(part->text, "auto") == 0)
		return 0;
	if (key == KEYWORD_SAVE_CONFIG && is_false)
		return 0;
	if (key == KEYWORD_SAVE_CONFIG && strcmp(part->text, "true") != 0)
		return VALUE_FAIL(&loader->report, part, "%s is neither 'true' nor 'false'",
				  value_quote(part).text);
	return VALUE_FAIL_AS(&loader->report, ENOTSUP, part,
			     "%s is not supported yet: remove the line, or use wg-quick with "
			     "WG_QUICK_USERSPACE_IMPLEMENTATION=wgengine",
			     keyword_name(key));
}

/* wg-quick(8)'s. */
static int read_quick(struct loader *loader, enum keyword key, const struct value_part *part)
{
	if (loader->only_wg)
		return VALUE_FAIL(&loader->report, part,
				  "%s is for wg-quick and `wgctl up': remove the line here",
				  keyword_name(key));
	if (key == KEYWORD_ADDRESS)
		return read_addresses(loader, part);
	if (key == KEYWORD_MTU)
		return read_mtu(loader, part);
	return read_unsupported(loader, key, part);
}

static int read_value(void *user, struct lines *lines, enum keyword key, const char *value,
		      size_t len)
{
	const struct value_part part = {.text = value, .len = len};
	struct loader *loader = user;
	struct conf_error *error = loader->report.error;
	int rc;

	loader->lines = lines;
	if (key == KEYWORD_PUBLIC_KEY)
		loader->peer_has_key = true;
	rc = value_is_wg(key) ? value_read(&loader->file->device, key, &part, &loader->report)
			      : read_quick(loader, key, &part);
	if (rc < 0 && error)
		locate(lines, &error->line, &error->column);
	return rc;
}

/* The peer that ends here needs its key: nothing else says who it is. */
static int end_peer(struct loader *loader)
{
	const struct model *device = &loader->file->device;

	if (!device->peer_count || loader->peer_has_key)
		return 0;
	return conf_error_set(loader->report.error, EINVAL,
			      model_last_peer(&loader->file->device)->line, loader->peer_column,
			      "this [Peer] has no PublicKey: add one");
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
	rc = end_peer(loader);
	if (rc < 0)
		return rc;
	peer = model_add_peer(&loader->file->device);
	if (!peer)
		return no_memory(loader);
	peer->line = lines_number(lines);
	peer->replace_allowed = true;
	loader->peer_column = lines_column(lines, 0);
	loader->peer_has_key = false;
	return 0;
}

static int parse(struct file *file, const char *text, size_t len, bool only_wg,
		 struct conf_error *error)
{
	static const struct lines_events events = {.section = read_section, .value = read_value};
	struct loader loader = {
		.file = file,
		.report = {.error = error, .warn = warn, .user = &loader},
		.only_wg = only_wg,
	};
	int rc;

	*file = (struct file)FILE_EMPTY;
	if (len > FILE_SIZE_MAX)
		return conf_error_set(error, EFBIG, 0, 0, "the file is larger than %u MiB",
				      FILE_SIZE_MAX >> 20);
	rc = lines_read(text, len, &events, &loader, error);
	if (rc == 0)
		rc = end_peer(&loader);
	if (rc < 0)
		file_wipe(file);
	return rc;
}

static int read_and_parse(struct file *file, const char *path, bool only_wg,
			  struct conf_error *error)
{
	struct text text = TEXT_EMPTY;
	int rc;

	*file = (struct file)FILE_EMPTY;
	rc = source_read(&text, path, FILE_SIZE_MAX, error);
	if (rc == 0)
		rc = parse(file, text.data, text.len, only_wg, error);
	text_wipe(&text);
	return rc;
}

int file_parse(struct file *file, const char *text, size_t len, struct conf_error *error)
{
	return parse(file, text, len, false, error);
}

int file_read(struct file *file, const char *path, struct conf_error *error)
{
	return read_and_parse(file, path, false, error);
}

int file_read_wg(struct file *file, const char *path, struct conf_error *error)
{
	return read_and_parse(file, path, true, error);
}

void file_wipe(struct file *file)
{
	model_wipe(&file->device);
	free(file->addresses);
	free(file->warnings);
	*file = (struct file)FILE_EMPTY;
}
