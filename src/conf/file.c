/* SPDX-License-Identifier: MIT
 * What the keys of a configuration file mean. Whatever is wrong ends the reading, and nothing of
 * the file is left. No message repeats a value that might be a key in the wrong place. */
#include "conf/file.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "conf/lines.h"
#include "conf/number.h"
#include "conf/source.h"
#include "conf/text.h"

#define QUOTE_MAX 40     /* bytes of a value that are repeated: less than a key has */
#define QUOTE_RUN_MAX 20 /* of them without a dot, a colon and the like: half a key has more */
#define SERVICE_MAX 1024 /* bytes for getservbyname_r() */
#define MTU_IPV6_MIN 1280
#define DIGITS "0123456789"

struct loader {
	struct file *file;        /* borrowed */
	struct conf_error *error; /* borrowed; may be NULL */
	struct lines *lines;      /* borrowed; for the column */
	unsigned peer_column;     /* of the last [Peer] header */
	bool peer_has_key;
};

/* A value, or an element of a list. offset: where in its value. A whole value ends in a NUL. */
struct part {
	const char *text;
	size_t len, offset;
};

static struct model_peer *last_peer(struct loader *loader)
{
	struct model *device = &loader->file->device;

	return &device->peers[device->peer_count - 1];
}

/* At the first byte of the part. A macro, so that the compiler checks the format. */
#define FAIL_AS(loader, err, part, ...)                                                            \
	conf_error_set((loader)->error, err, lines_number((loader)->lines),                        \
		       lines_column((loader)->lines, (part)->offset), __VA_ARGS__)
#define FAIL(loader, part, ...) FAIL_AS(loader, EINVAL, part, __VA_ARGS__)

static int no_memory(struct loader *loader)
{
	return conf_error_set(loader->error, ENOMEM, 0, 0, "out of memory");
}

static bool is_base64(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '+' || c == '/';
}

/* "'VALUE'", or "this" where the value is long or may be part of a key. */
struct quote {
	char text[QUOTE_MAX + 3];
};

static struct quote quote(const struct part *part)
{
	struct quote quote = {"this"};
	size_t run = 0;

	if (!part->len || part->len > QUOTE_MAX || memchr(part->text, '=', part->len))
		return quote;
	for (size_t i = 0; i < part->len; i++) {
		run = is_base64(part->text[i]) ? run + 1 : 0;
		if (run > QUOTE_RUN_MAX || part->text[i] < ' ' || part->text[i] > '~')
			return quote;
	}
	memset(quote.text, 0, sizeof(quote.text));
	quote.text[0] = '\'';
	memcpy(quote.text + 1, part->text, part->len);
	quote.text[1 + part->len] = '\'';
	return quote;
}

/* Adds a warning made by conf_error_set(). */
static int warn(struct loader *loader, const struct conf_error *what)
{
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
	memcpy(warning->what, what->what, sizeof(warning->what));
	if (file->warning_count == FILE_WARNINGS_MAX)
		strcpy(warning->what, "and more such warnings");
	return 0;
}

static bool equals_off(const struct part *part)
{
	return part->len == 3 && strncasecmp(part->text, "off", 3) == 0;
}

/* Of a key, nothing but its length may be said. */
static int read_key(struct loader *loader, struct key *key, const char *name,
		    const struct part *part)
{
	if (key_from_base64(key, part->text, part->len) == 0)
		return 0;
	if (part->len != KEY_BASE64_LEN)
		return FAIL(loader, part,
			    "%s has %zu characters: expected the %d of a key in base64", name,
			    part->len, KEY_BASE64_LEN);
	return FAIL(loader, part,
		    "%s is not a key: expected 32 bytes in base64, the last character a '='", name);
}

/* The port of a UDP service; -1: there is none of that name. */
static int find_service(const char *name)
{
	struct servent entry, *found = NULL;
	char buffer[SERVICE_MAX];

	if (strlen(name) >= ENDPOINT_PORT_MAX || name[strspn(name, DIGITS)] == '\0')
		return -1;
	if (getservbyname_r(name, "udp", &entry, buffer, sizeof(buffer), &found) != 0 || !found)
		return -1;
	return ntohs((uint16_t)found->s_port);
}

static int read_listen_port(struct loader *loader, const struct part *part)
{
	struct model *device = &loader->file->device;
	uint64_t number;
	int service;

	if (number_parse(&number, part->text, part->len, UINT16_MAX) < 0) {
		/* A port that is no number may be a service; part->text ends in a NUL. */
		service = strspn(part->text, "0123456789") < part->len ? find_service(part->text)
								       : -1;
		if (service < 0)
			return FAIL(loader, part,
				    "%s is no port: expected 0 to 65535 (0: any free port) or the "
				    "name of a UDP service",
				    quote(part).text);
		number = (uint64_t)service;
	}
	device->listen_port = (uint16_t)number;
	device->has_listen_port = true;
	return 0;
}

static int read_fwmark(struct loader *loader, const struct part *part)
{
	struct model *device = &loader->file->device;

	device->fwmark = 0;
	if (!equals_off(part) && number_parse_mark(&device->fwmark, part->text, part->len) < 0)
		return FAIL(loader, part,
			    "%s is no firewall mark: expected 'off', a number up to 4294967295, or "
			    "0x and up to 8 hexadecimal digits",
			    quote(part).text);
	device->has_fwmark = true;
	return 0;
}

static int read_mtu(struct loader *loader, const struct part *part)
{
	struct conf_error what;
	uint64_t number;

	if (number_parse(&number, part->text, part->len, FILE_MTU_MAX) < 0 || number < FILE_MTU_MIN)
		return FAIL(loader, part, "%s is no MTU: expected a number from %d to %d",
			    quote(part).text, FILE_MTU_MIN, FILE_MTU_MAX);
	loader->file->mtu = (uint32_t)number;
	if (number >= MTU_IPV6_MIN)
		return 0;
	conf_error_set(&what, EINVAL, lines_number(loader->lines), lines_column(loader->lines, 0),
		       "MTU %u is too small for IPv6, which needs %d: only IPv4 will pass",
		       (unsigned)number, MTU_IPV6_MIN);
	return warn(loader, &what);
}

static int read_address(struct loader *loader, const struct part *part)
{
	struct file *file = loader->file;
	struct prefix prefix;

	if (prefix_parse(&prefix, part->text, part->len) < 0)
		return FAIL(loader, part,
			    "%s is no address: expected one such as 10.0.0.1/24 or fd00::1/64",
			    quote(part).text);
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

static int read_allowed_ip(struct loader *loader, const struct part *part)
{
	bool sign = part->len && (part->text[0] == '+' || part->text[0] == '-');
	struct model_peer *peer = last_peer(loader);
	char found[PREFIX_TEXT_MAX], used[PREFIX_TEXT_MAX];
	enum model_allowed_op op = MODEL_ALLOWED_ADD;
	struct conf_error what;
	struct prefix prefix;

	if (!part->len)
		return FAIL(loader, part, "an empty element in AllowedIPs: remove the extra comma");
	if (prefix_parse(&prefix, part->text + sign, part->len - sign) < 0)
		return FAIL(loader, part,
			    "%s is no prefix: expected one such as 10.0.0.0/24 or fd00::/64",
			    quote(part).text);
	if (sign)
		peer->replace_allowed = false;
	if (part->text[0] == '-')
		op = MODEL_ALLOWED_REMOVE;
	if (model_peer_add_allowed(peer, &prefix, op) < 0)
		return no_memory(loader);
	if (!prefix_has_host_bits(&prefix))
		return 0;
	prefix_format(found, &prefix);
	prefix_mask(&prefix);
	conf_error_set(&what, EINVAL, lines_number(loader->lines),
		       lines_column(loader->lines, part->offset),
		       "AllowedIPs %s has host bits set: %s is used instead", found,
		       prefix_format(used, &prefix));
	return warn(loader, &what);
}

/* Calls read for each element of a list; the offsets go on from part's. */
static int read_list(struct loader *loader, const struct part *part,
		     int (*read)(struct loader *loader, const struct part *part), bool skip_empty)
{
	const char *end = part->text + part->len;
	struct part element = {.text = part->text, .offset = part->offset};
	int rc = 0;

	while (rc == 0) {
		const char *comma = memchr(element.text, ',', (size_t)(end - element.text));

		element.len = (size_t)((comma ? comma : end) - element.text);
		if (element.len || !skip_empty)
			rc = read(loader, &element);
		if (!comma)
			break;
		element.offset += element.len + 1;
		element.text = comma + 1;
	}
	return rc;
}

/* wg-quick(8) separates addresses by commas, white space, or both. */
static int read_addresses(struct loader *loader, const struct part *part)
{
	size_t before = loader->file->address_count;
	int rc = read_list(loader, part, read_address, true);

	if (rc == 0 && loader->file->address_count == before)
		return FAIL(loader, part, "'Address' has no value: write one or remove the line");
	return rc;
}

static int read_endpoint(struct loader *loader, const struct part *part)
{
	char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX];
	struct model_peer *peer = last_peer(loader);
	struct part piece = *part;
	size_t column;

	if (endpoint_split(host, port, part->text, part->len, &column) < 0) {
		piece.offset += column;
		return FAIL(loader, &piece,
			    "%s is no endpoint: expected HOST:PORT or [IPV6]:PORT, the port 1 to "
			    "65535 or the name of a UDP service",
			    quote(part).text);
	}
	if (port[strspn(port, DIGITS)] && find_service(port) < 0) {
		piece = (struct part){.text = port, .len = strlen(port)};
		piece.offset = part->offset + part->len - piece.len;
		return FAIL(loader, &piece,
			    "%s is no port: expected 1 to 65535 or the name of a UDP service",
			    quote(&piece).text);
	}
	if (model_peer_set_host(peer, host, port) < 0)
		return no_memory(loader);
	if (endpoint_parse_numeric(&peer->endpoint, part->text, part->len) < 0)
		memset(&peer->endpoint, 0, sizeof(peer->endpoint));
	return 0;
}

static int read_keepalive(struct loader *loader, const struct part *part)
{
	struct model_peer *peer = last_peer(loader);
	uint64_t number = 0;

	if (!equals_off(part) && number_parse(&number, part->text, part->len, UINT16_MAX) < 0)
		return FAIL(loader, part,
			    "%s is no keepalive interval: expected 'off' or seconds from 0 to "
			    "65535",
			    quote(part).text);
	peer->keepalive = (uint16_t)number;
	peer->has_keepalive = true;
	return 0;
}

/* Known to wg-quick(8), and not done here yet: only what asks for nothing may pass. */
static int read_unsupported(struct loader *loader, enum keyword key, const struct part *part)
{
	bool is_false = strcmp(part->text, "false") == 0;

	if (key == KEYWORD_TABLE && strcmp(part->text, "auto") == 0)
		return 0;
	if (key == KEYWORD_SAVE_CONFIG && is_false)
		return 0;
	if (key == KEYWORD_SAVE_CONFIG && strcmp(part->text, "true") != 0)
		return FAIL(loader, part, "%s is neither 'true' nor 'false'", quote(part).text);
	return FAIL_AS(loader, ENOTSUP, part,
		       "%s is not supported yet: remove the line, or use wg-quick with "
		       "WG_QUICK_USERSPACE_IMPLEMENTATION=wgengine",
		       keyword_name(key));
}

static int read_value(void *user, struct lines *lines, enum keyword key, const char *value,
		      size_t len)
{
	struct part part = {.text = value, .len = len};
	struct loader *loader = user;
	struct model *device = &loader->file->device;

	loader->lines = lines;
	switch (key) {
	case KEYWORD_PRIVATE_KEY:
		device->has_private_key = true;
		return read_key(loader, &device->private_key, keyword_name(key), &part);
	case KEYWORD_LISTEN_PORT:
		return read_listen_port(loader, &part);
	case KEYWORD_FWMARK:
		return read_fwmark(loader, &part);
	case KEYWORD_ADDRESS:
		return read_addresses(loader, &part);
	case KEYWORD_MTU:
		return read_mtu(loader, &part);
	case KEYWORD_PUBLIC_KEY:
		loader->peer_has_key = true;
		return read_key(loader, &last_peer(loader)->public_key, keyword_name(key), &part);
	case KEYWORD_PRESHARED_KEY:
		last_peer(loader)->has_preshared_key = true;
		return read_key(loader, &last_peer(loader)->preshared_key, keyword_name(key),
				&part);
	case KEYWORD_ALLOWED_IPS:
		return read_list(loader, &part, read_allowed_ip, false);
	case KEYWORD_ENDPOINT:
		return read_endpoint(loader, &part);
	case KEYWORD_KEEPALIVE:
		return read_keepalive(loader, &part);
	case KEYWORD_DNS:
	case KEYWORD_TABLE:
	case KEYWORD_PRE_UP:
	case KEYWORD_POST_UP:
	case KEYWORD_PRE_DOWN:
	case KEYWORD_POST_DOWN:
	case KEYWORD_SAVE_CONFIG:
	case KEYWORD_COUNT:
		break;
	}
	return read_unsupported(loader, key, &part);
}

/* The peer that ends here needs its key: nothing else says who it is. */
static int end_peer(struct loader *loader)
{
	const struct model *device = &loader->file->device;

	if (!device->peer_count || loader->peer_has_key)
		return 0;
	return conf_error_set(loader->error, EINVAL, last_peer(loader)->line, loader->peer_column,
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

int file_parse(struct file *file, const char *text, size_t len, struct conf_error *error)
{
	static const struct lines_events events = {.section = read_section, .value = read_value};
	struct loader loader = {.file = file, .error = error};
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

int file_read(struct file *file, const char *path, struct conf_error *error)
{
	struct text text = TEXT_EMPTY;
	int rc;

	*file = (struct file)FILE_EMPTY;
	rc = source_read(&text, path, FILE_SIZE_MAX, error);
	if (rc == 0)
		rc = file_parse(file, text.data, text.len, error);
	text_wipe(&text);
	return rc;
}

void file_wipe(struct file *file)
{
	model_wipe(&file->device);
	free(file->addresses);
	free(file->warnings);
	*file = (struct file)FILE_EMPTY;
}
