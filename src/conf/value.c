/* SPDX-License-Identifier: MIT
 * Values: keys, ports, marks, prefixes, endpoints, intervals. Compare wg(8), CONFIGURATION FILE
 * FORMAT. No message repeats a value that might be a key in the wrong place. */
#include "conf/value.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include "conf/model.h"
#include "conf/number.h"

#define QUOTE_MAX 40     /* bytes of a value that are repeated: less than a key has */
#define QUOTE_RUN_MAX 20 /* of them without a dot, a colon and the like: half a key has more */
#define SERVICE_MAX 1024 /* bytes for getservbyname_r() */
#define DIGITS "0123456789"

_Static_assert(sizeof(((struct value_quote *)NULL)->text) == QUOTE_MAX + 3, "quote");

static bool is_base64(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '+' || c == '/';
}

struct value_quote value_quote(const struct value_part *part)
{
	struct value_quote quote = {"this"};
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

static int no_memory(const struct value_report *report)
{
	return conf_error_set(report->error, ENOMEM, 0, 0, "out of memory");
}

static bool equals_off(const struct value_part *part)
{
	return part->len == 3 && strncasecmp(part->text, "off", 3) == 0;
}

/* Of a key, nothing but its length may be said. */
static int read_key(struct key *key, enum keyword which, const struct value_part *part,
		    const struct value_report *report)
{
	const char *name = keyword_name(which);

	if (key_from_base64(key, part->text, part->len) == 0)
		return 0;
	if (part->len != KEY_BASE64_LEN)
		return VALUE_FAIL(report, part,
				  "%s has %zu characters: expected the %d of a key in base64", name,
				  part->len, KEY_BASE64_LEN);
	return VALUE_FAIL(report, part,
			  "%s is not a key: expected 32 bytes in base64, the last character a '='",
			  name);
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

static int read_listen_port(struct model *device, const struct value_part *part,
			    const struct value_report *report)
{
	uint64_t number;
	int service;

	if (number_parse(&number, part->text, part->len, UINT16_MAX) < 0) {
		/* A port that is no number may be a service; part->text ends in a NUL. */
		service = strspn(part->text, DIGITS) < part->len ? find_service(part->text) : -1;
		if (service < 0)
			return VALUE_FAIL(report, part,
					  "%s is no port: expected 0 to 65535 (0: any free port) "
					  "or the name of a UDP service",
					  value_quote(part).text);
		number = (uint64_t)service;
	}
	device->listen_port = (uint16_t)number;
	device->has_listen_port = true;
	return 0;
}

static int read_fwmark(struct model *device, const struct value_part *part,
		       const struct value_report *report)
{
	device->fwmark = 0;
	if (!equals_off(part) && number_parse_mark(&device->fwmark, part->text, part->len) < 0)
		return VALUE_FAIL(report, part,
				  "%s is no firewall mark: expected 'off', a number up to "
				  "4294967295, or 0x and up to 8 hexadecimal digits",
				  value_quote(part).text);
	device->has_fwmark = true;
	return 0;
}

/* A list of prefixes being read. */
struct allowed_list {
	struct model_peer *peer;           /* borrowed */
	const struct value_report *report; /* borrowed */
};

static int warn_host_bits(struct prefix prefix, const struct value_part *part,
			  const struct value_report *report)
{
	char found[PREFIX_TEXT_MAX], used[PREFIX_TEXT_MAX];
	struct conf_error what;

	prefix_format(found, &prefix);
	prefix_mask(&prefix);
	conf_error_set(&what, EINVAL, 0, (unsigned)part->offset + 1,
		       "AllowedIPs %s has host bits set: %s is used instead", found,
		       prefix_format(used, &prefix));
	return report->warn(report->user, &what);
}

static int read_allowed_ip(void *user, const struct value_part *part)
{
	const char first = part->text[0];
	const bool sign = first == '+' || first == '-' || first == '!';
	enum model_allowed_op op = MODEL_ALLOWED_ADD;
	struct allowed_list *list = user;
	struct prefix prefix;

	if (!part->len)
		return VALUE_FAIL(list->report, part,
				  "an empty element in AllowedIPs: remove the extra comma");
	if (prefix_parse(&prefix, part->text + sign, part->len - sign) < 0)
		return VALUE_FAIL(list->report, part,
				  "%s is no prefix: expected one such as 10.0.0.0/24 or fd00::/64",
				  value_quote(part).text);
	if (first == '!')
		op = MODEL_ALLOWED_EXCLUDE;
	else if (sign)
		list->peer->replace_allowed = false;
	if (first == '-')
		op = MODEL_ALLOWED_REMOVE;
	if (model_peer_add_allowed(list->peer, &prefix, op) < 0)
		return no_memory(list->report);
	return prefix_has_host_bits(&prefix) ? warn_host_bits(prefix, part, list->report) : 0;
}

int value_read_list(const struct value_part *list,
		    int (*read)(void *user, const struct value_part *element), void *user)
{
	const char *end = list->text + list->len;
	struct value_part element = {.text = list->text, .offset = list->offset};
	int rc = 0;

	while (rc == 0) {
		const char *comma = memchr(element.text, ',', (size_t)(end - element.text));

		element.len = (size_t)((comma ? comma : end) - element.text);
		rc = read(user, &element);
		if (!comma)
			break;
		element.offset += element.len + 1;
		element.text = comma + 1;
	}
	return rc;
}

static int read_endpoint(struct model_peer *peer, const struct value_part *part,
			 const struct value_report *report)
{
	char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX];
	struct value_part piece = *part;
	size_t column;

	if (endpoint_split(host, port, part->text, part->len, &column) < 0) {
		piece.offset += column;
		return VALUE_FAIL(report, &piece,
				  "%s is no endpoint: expected HOST:PORT or [IPV6]:PORT, the port "
				  "1 to 65535 or the name of a UDP service",
				  value_quote(part).text);
	}
	if (port[strspn(port, DIGITS)] && find_service(port) < 0) {
		piece = (struct value_part){.text = port, .len = strlen(port)};
		piece.offset = part->offset + part->len - piece.len;
		return VALUE_FAIL(report, &piece,
				  "%s is no port: expected 1 to 65535 or the name of a UDP service",
				  value_quote(&piece).text);
	}
	if (model_peer_set_host(peer, host, port) < 0)
		return no_memory(report);
	/* What a scope means where there are none, the resolver may say. */
	if (endpoint_from(&peer->endpoint, host, port) < 0 ||
	    (strchr(host, '%') && !IN6_IS_ADDR_LINKLOCAL(&peer->endpoint.in6.sin6_addr)))
		memset(&peer->endpoint, 0, sizeof(peer->endpoint));
	return 0;
}

static int read_keepalive(struct model_peer *peer, const struct value_part *part,
			  const struct value_report *report)
{
	uint64_t number = 0;

	if (!equals_off(part) && number_parse(&number, part->text, part->len, UINT16_MAX) < 0)
		return VALUE_FAIL(report, part,
				  "%s is no keepalive interval: expected 'off' or seconds from 0 "
				  "to 65535",
				  value_quote(part).text);
	peer->keepalive = (uint16_t)number;
	peer->has_keepalive = true;
	return 0;
}

static int read_device_value(struct model *device, enum keyword key, const struct value_part *value,
			     const struct value_report *report)
{
	if (key == KEYWORD_LISTEN_PORT)
		return read_listen_port(device, value, report);
	if (key == KEYWORD_FWMARK)
		return read_fwmark(device, value, report);
	device->has_private_key = true;
	return read_key(&device->private_key, key, value, report);
}

int value_read(struct model *device, enum keyword key, const struct value_part *value,
	       const struct value_report *report)
{
	if (key == KEYWORD_PRIVATE_KEY || key == KEYWORD_LISTEN_PORT || key == KEYWORD_FWMARK)
		return read_device_value(device, key, value, report);

	struct model_peer *peer = model_last_peer(device);
	struct allowed_list list = {.peer = peer, .report = report};
	if (key == KEYWORD_PUBLIC_KEY)
		return read_key(&peer->public_key, key, value, report);
	if (key == KEYWORD_ALLOWED_IPS)
		return value_read_list(value, read_allowed_ip, &list);
	if (key == KEYWORD_ENDPOINT)
		return read_endpoint(peer, value, report);
	if (key == KEYWORD_KEEPALIVE)
		return read_keepalive(peer, value, report);
	peer->has_preshared_key = true;
	return read_key(&peer->preshared_key, key, value, report);
}
