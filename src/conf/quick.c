/* SPDX-License-Identifier: MIT
 * Addresses, servers of names, tables, commands. Compare wg-quick(8), CONFIGURATION. No message
 * repeats a value that might be a key in the wrong place. */
#include "conf/quick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf/array.h"
#include "conf/file.h"
#include "conf/number.h"
#include "conf/value.h"

#define MTU_IPV6_MIN 1280
#define DOMAIN_MAX 253 /* bytes */
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* A list being read. */
struct list {
	struct file *file;                 /* borrowed */
	const struct value_report *report; /* borrowed */
};

static int no_memory(const struct value_report *report)
{
	return conf_error_set(report->error, ENOMEM, 0, 0, "out of memory");
}

static int read_mtu(struct file *file, const struct value_part *part,
		    const struct value_report *report)
{
	struct conf_error what;
	uint64_t number;

	if (number_parse(&number, part->text, part->len, FILE_MTU_MAX) < 0 || number < FILE_MTU_MIN)
		return VALUE_FAIL(report, part, "%s is no MTU: expected a number from %d to %d",
				  value_quote(part).text, FILE_MTU_MIN, FILE_MTU_MAX);
	file->mtu = (uint32_t)number;
	if (number >= MTU_IPV6_MIN)
		return 0;
	conf_error_set(&what, EINVAL, 0, 1,
		       "MTU %u is too small for IPv6, which needs %d: only IPv4 will pass",
		       (unsigned)number, MTU_IPV6_MIN);
	return report->warn(report->user, &what);
}

static int read_address(void *user, const struct value_part *part)
{
	struct list *list = user;
	struct file *file = list->file;
	struct prefix *addresses, prefix;

	if (!part->len)
		return 0;
	if (prefix_parse(&prefix, part->text, part->len) < 0)
		return VALUE_FAIL(
			list->report, part,
			"%s is no address: expected one such as 10.0.0.1/24 or fd00::1/64",
			value_quote(part).text);
	addresses = array_room(file->addresses, file->address_count, &file->address_size,
			       sizeof(*addresses));
	if (!addresses)
		return no_memory(list->report);
	file->addresses = addresses;
	file->addresses[file->address_count++] = prefix;
	return 0;
}

/* The first bytes that are all of set: whether that is the whole part. */
static bool consists_of(const struct value_part *part, const char *set)
{
	for (size_t i = 0; i < part->len; i++)
		if (!strchr(set, part->text[i]))
			return false;
	return true;
}

/* An address without a length, its scope aside: fe80::1%eth0. */
static bool is_server(const struct value_part *part)
{
	const char *scope = memchr(part->text, '%', part->len);
	size_t len = scope ? (size_t)(scope - part->text) : part->len;
	struct prefix prefix;

	if (memchr(part->text, '/', part->len) || (scope && len + 1 == part->len))
		return false;
	return prefix_parse(&prefix, part->text, len) == 0 &&
	       !(scope && prefix_max(prefix.family) == 32);
}

static bool is_domain(const struct value_part *part)
{
	if (part->len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < part->len; i++)
		if ((unsigned char)part->text[i] < 0x80 &&
		    !strchr(LETTERS DIGITS "._-~", part->text[i]))
			return false;
	return true;
}

/* wg-quick(8) tells them apart this way: what looks like an address is one, all else a domain. */
static int read_dns(void *user, const struct value_part *part)
{
	struct list *list = user;
	struct file *file = list->file;
	bool is_address = consists_of(part, DIGITS ".") || memchr(part->text, ':', part->len);

	if (!part->len)
		return 0;
	if (is_address && !is_server(part))
		return VALUE_FAIL(list->report, part,
				  "%s is no address: expected one such as 9.9.9.9 or 2620:fe::fe",
				  value_quote(part).text);
	if (!is_address && !is_domain(part))
		return VALUE_FAIL(list->report, part,
				  "%s is neither an address nor a domain to search",
				  value_quote(part).text);
	if (words_add(is_address ? &file->dns : &file->search, part->text, part->len) < 0)
		return no_memory(list->report);
	return 0;
}

/* wg-quick(8) separates elements by commas, white space, or both. */
static int read_list(struct file *file, enum keyword key, const struct value_part *part,
		     const struct value_report *report)
{
	struct list list = {.file = file, .report = report};

	return value_read_list(part, key == KEYWORD_DNS ? read_dns : read_address, &list);
}

/* What the system makes of a name, it says when it is asked. */
static int read_table(struct file *file, const struct value_part *part,
		      const struct value_report *report)
{
	if (!consists_of(part, LETTERS DIGITS "._-"))
		return VALUE_FAIL(report, part,
				  "%s is no routing table: expected 'auto', 'off', a number or a "
				  "name",
				  value_quote(part).text);
	free(file->table);
	file->table = strdup(part->text);
	return file->table ? 0 : no_memory(report);
}

static int read_save_config(struct file *file, const struct value_part *part,
			    const struct value_report *report)
{
	file->save_config = strcmp(part->text, "true") == 0;
	if (file->save_config || strcmp(part->text, "false") == 0)
		return 0;
	return VALUE_FAIL(report, part, "%s is neither 'true' nor 'false'", value_quote(part).text);
}

static int read_hook(struct file *file, enum keyword key, const struct value_part *part,
		     const struct value_report *report)
{
	static const enum file_hook hooks[KEYWORD_COUNT] = {
		[KEYWORD_PRE_UP] = FILE_PRE_UP,
		[KEYWORD_POST_UP] = FILE_POST_UP,
		[KEYWORD_PRE_DOWN] = FILE_PRE_DOWN,
		[KEYWORD_POST_DOWN] = FILE_POST_DOWN,
	};

	return words_add(&file->hooks[hooks[key]], part->text, part->len) < 0 ? no_memory(report)
									      : 0;
}

/* As wg-quick(8) takes it. */
static int warn_empty(enum keyword key, const struct value_part *part,
		      const struct value_report *report)
{
	struct conf_error what;

	conf_error_set(&what, EINVAL, 0, (unsigned)part->offset + 1,
		       "'%s' has no value, and says nothing: write one or remove the line",
		       keyword_name(key));
	return report->warn(report->user, &what);
}

int quick_read(struct file *file, enum keyword key, const struct value_part *value,
	       const struct value_report *report)
{
	if (keyword_may_be_empty(key) && consists_of(value, ","))
		return warn_empty(key, value, report);
	if (key == KEYWORD_ADDRESS || key == KEYWORD_DNS)
		return read_list(file, key, value, report);
	if (key == KEYWORD_MTU)
		return read_mtu(file, value, report);
	if (key == KEYWORD_TABLE)
		return read_table(file, value, report);
	if (key == KEYWORD_SAVE_CONFIG)
		return read_save_config(file, value, report);
	return read_hook(file, key, value, report);
}
