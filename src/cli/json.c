/* SPDX-License-Identifier: MIT
 * Commas, quotes and escapes. */
#include "cli/json.h"

#include <stddef.h>
#include <string.h>
#include "conf/text.h"

size_t json_character(const char *at)
{
	const unsigned char *c = (const unsigned char *)at;
	static const unsigned smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = c[0] < 0x80 ? 1 : c[0] < 0xc0 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	unsigned code;

	if (len < 2)
		return len;
	code = c[0] & (0xffu >> (len + 1));
	if (c[0] >= 0xf8)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c[i] & 0x3fu);
	}
	if (code < smallest[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return len;
}

static void put_string(struct text *out, const char *string)
{
	text_append(out, "\"", 1);
	while (*string) {
		size_t len = json_character(string);
		unsigned char c = (unsigned char)*string;

		if (!len)
			text_puts(out, "\\ufffd");
		else if (c == '"' || c == '\\')
			text_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			text_printf(out, "\\u%04x", c);
		else
			text_append(out, string, len);
		string += len ? len : 1;
	}
	text_append(out, "\"", 1);
}

/* What stands before a value. */
static void begin(struct json *json, const char *name)
{
	if (json->follows)
		text_append(json->out, ",", 1);
	json->follows = true;
	if (!name)
		return;
	put_string(json->out, name);
	text_append(json->out, ":", 1);
}

void json_open(struct json *json, const char *name, char bracket)
{
	begin(json, name);
	text_append(json->out, &bracket, 1);
	json->follows = false;
}

void json_close(struct json *json, char bracket)
{
	text_append(json->out, &bracket, 1);
	json->follows = true;
}

void json_string(struct json *json, const char *name, const char *value)
{
	begin(json, name);
	if (value)
		put_string(json->out, value);
	else
		text_puts(json->out, "null");
}

void json_number(struct json *json, const char *name, uint64_t value)
{
	begin(json, name);
	text_printf(json->out, "%llu", (unsigned long long)value);
}

void json_thousandths(struct json *json, const char *name, uint64_t value)
{
	begin(json, name);
	text_printf(json->out, "%llu.%03u", (unsigned long long)value / 1000,
		    (unsigned)(value % 1000));
}

void json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	text_puts(json->out, value ? "true" : "false");
}

void json_number_if(struct json *json, const char *name, bool is_known, uint64_t value)
{
	if (is_known)
		json_number(json, name, value);
	else
		json_string(json, name, NULL);
}
