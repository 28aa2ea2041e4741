/* SPDX-License-Identifier: MIT
 * The small texts: keys, numbers, prefixes, endpoints, names, lines of the UAPI. The first byte
 * says which. Each is compared with a model that reads it in the plainest way, or read again after
 * it was written. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <strings.h>
#include "conf/endpoint.h"
#include "conf/key.h"
#include "conf/keyword.h"
#include "conf/nearest.h"
#include "conf/number.h"
#include "conf/prefix.h"
#include "conf/uapi.h"
#include "fuzz.h"

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Decimal digits and nothing else, of a number that has 64 bits. */
static bool model_number(uint64_t *value, const char *text, size_t len)
{
	*value = 0;
	for (size_t i = 0; i < len; ++i) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, text[i] - '0', value))
			return false;
	}
	return len > 0;
}

static void check_number(const char *text, size_t len)
{
	static const struct {
		uint64_t max;
		size_t digits;
	} RANGES[] = {{0, 1},          {32, 2},          {128, 3},
		      {UINT16_MAX, 5}, {UINT32_MAX, 10}, {UINT64_MAX, 20}};
	uint64_t value, number;
	bool is_number = model_number(&value, text, len);
	uint32_t mark;

	for (size_t i = 0; i < sizeof(RANGES) / sizeof(*RANGES); ++i) {
		bool good = is_number && value <= RANGES[i].max && len <= RANGES[i].digits;
		CHECK(number_parse(&number, text, len, RANGES[i].max) == (good ? 0 : -EINVAL));
		CHECK(!good || number == value);
	}
	if (is_number && value <= UINT32_MAX && len <= 10)
		CHECK(!number_parse_mark(&mark, text, len) && mark == value);
}

static void check_mark(const char *text, size_t len)
{
	char written[16];
	uint32_t mark, again;

	if (number_parse_mark(&mark, text, len))
		return;
	for (int hex = 0; hex < 2; ++hex) {
		int size = snprintf(written, sizeof(written), hex ? "0x%x" : "%u", mark);
		CHECK(!number_parse_mark(&again, written, (size_t)size) && again == mark);
	}
}

/* A key in base64 is 43 digits, the last with two bits of zero, and a '='. */
static bool model_base64(struct key *key, const char *text, size_t len)
{
	unsigned bits = 0, value = 0, at = 0;

	if (len != KEY_BASE64_LEN || text[KEY_BASE64_LEN - 1] != '=')
		return false;
	for (size_t i = 0; i < KEY_BASE64_LEN - 1; ++i) {
		const char *digit = text[i] ? strchr(BASE64, text[i]) : NULL;
		if (!digit)
			return false;
		value = value << 6 | (unsigned)(digit - BASE64);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			key->bytes[at++] = (uint8_t)(value >> bits);
			value &= (1u << bits) - 1;
		}
	}
	return !value;
}

static void check_base64(const char *text, size_t len)
{
	char written[KEY_BASE64_LEN + 1];
	struct key key, model;
	bool good = model_base64(&model, text, len);

	CHECK(key_from_base64(&key, text, len) == (good ? 0 : -EINVAL));
	CHECK(good ? key_equal(&key, &model) : key_is_zero(&key));
	if (!good)
		return;
	key_to_base64(written, &key);
	CHECK(!memcmp(written, text, len) && !written[len]);
}

static void check_hex(const char *text, size_t len)
{
	char written[KEY_HEX_LEN + 1];
	bool good = len == KEY_HEX_LEN;
	struct key key;

	for (size_t i = 0; i < len && good; ++i)
		good = text[i] && strchr("0123456789abcdefABCDEF", text[i]);
	CHECK(key_from_hex(&key, text, len) == (good ? 0 : -EINVAL));
	if (!good) {
		CHECK(key_is_zero(&key));
		return;
	}
	key_to_hex(written, &key);
	CHECK(!strncasecmp(written, text, len) && !written[len]);
}

/* Bits from cidr on: any set? Clears them. */
static bool model_mask(struct prefix *prefix)
{
	bool any = false;

	for (unsigned i = prefix->cidr; i < 128; ++i) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);
		any = any || prefix->addr[i / 8] & bit;
		prefix->addr[i / 8] &= (uint8_t)~bit;
	}
	return any;
}

static void check_prefix(const char *text, size_t len)
{
	char written[PREFIX_TEXT_MAX];
	struct prefix prefix, again;

	if (prefix_parse(&prefix, text, len))
		return;
	CHECK(prefix.family == (memchr(text, ':', len) ? AF_INET6 : AF_INET));
	CHECK(prefix.cidr <= prefix_max(prefix.family));
	CHECK(memchr(text, '/', len) || prefix.cidr == prefix_max(prefix.family));
	prefix_format(written, &prefix);
	CHECK(!prefix_parse(&again, written, strlen(written)) && prefix_equal(&prefix, &again));
	CHECK(prefix_has_host_bits(&prefix) == model_mask(&again));
	prefix_mask(&prefix);
	CHECK(prefix_equal(&prefix, &again) && !prefix_has_host_bits(&prefix));
}

static void check_endpoint(const char *text, size_t len)
{
	char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX], written[ENDPOINT_TEXT_MAX];
	char joined[ENDPOINT_HOST_MAX + ENDPOINT_PORT_MAX + 3];
	union sockaddr_ip addr, again;
	size_t column;

	int split = endpoint_split(host, port, text, len, &column);
	int numeric = endpoint_parse_numeric(&addr, text, len);
	CHECK(column <= len);
	if (split) {
		CHECK(numeric);
		return;
	}
	CHECK(host[0] && port[0]);
	int size =
		snprintf(joined, sizeof(joined), text[0] == '[' ? "[%s]:%s" : "%s:%s", host, port);
	CHECK((size_t)size == len && !memcmp(joined, text, len));
	if (numeric)
		return;
	CHECK(endpoint_len(&addr) == (strchr(host, ':') ? sizeof(addr.in6) : sizeof(addr.in4)));
	CHECK(endpoint_format(written, &addr) == written && strlen(written) < sizeof(written));
	CHECK(!endpoint_parse_numeric(&again, written, strlen(written)));
	CHECK(endpoint_equal(&addr, &again));
}

static void check_keyword(const char *text, size_t len)
{
	enum keyword_section section = len ? (unsigned char)text[0] % 3 : KEYWORD_NO_SECTION;
	struct keyword_stray stray = {.name = text, .len = len, .section = section, .line = 1};
	struct conf_error error = {0};
	enum keyword key;

	for (enum keyword_section s = KEYWORD_INTERFACE; s <= KEYWORD_PEER; ++s) {
		if (!keyword_find(&key, s, text, len))
			continue;
		CHECK(strlen(keyword_name(key)) == len);
		CHECK(!strncasecmp(keyword_name(key), text, len));
		return;
	}
	/* As the reader has it: bytes that it lets pass, and no more of them. */
	if (len > KEYWORD_NAME_MAX || memchr(text, '\0', len))
		return;
	for (unsigned i = 0; i < 4; ++i) {
		stray.has_equals = i & 1;
		stray.has_value = i == 3;
		CHECK(keyword_unknown(&error, &stray) == -EINVAL && error.what[0]);
		CHECK(keyword_unknown_section(&error, &stray) == -EINVAL && error.what[0]);
	}
}

/* Two words, apart at the first blank. */
static void check_nearest(const char *text, size_t len)
{
	const char *blank = len ? memchr(text, ' ', len) : NULL;
	size_t a = blank ? (size_t)(blank - text) : len, b = blank ? len - a - 1 : 0;
	const char *other = blank ? blank + 1 : text + len;

	if (a > NEAREST_MAX || b > NEAREST_MAX || memchr(text, '\0', len))
		return;
	unsigned distance = nearest_distance(text, a, other, b);
	CHECK(distance == nearest_distance(other, b, text, a));
	CHECK(distance <= (a > b ? a : b) && distance >= (a > b ? a - b : b - a));
	CHECK(!distance == (a == b && !strncasecmp(text, other, a)));
}

static void put_line(struct text *out, const struct uapi_line *line)
{
	switch (line->key) {
	case UAPI_PRIVATE_KEY:
	case UAPI_PUBLIC_KEY:
	case UAPI_PRESHARED_KEY:
		uapi_put_key(out, line->key, &line->secret);
		break;
	case UAPI_REPLACE_PEERS:
	case UAPI_REMOVE:
	case UAPI_UPDATE_ONLY:
	case UAPI_REPLACE_ALLOWED_IPS:
		uapi_put_true(out, line->key);
		break;
	case UAPI_ENDPOINT:
		uapi_put_endpoint(out, &line->endpoint);
		break;
	case UAPI_ALLOWED_IP:
		uapi_put_allowed_ip(out, &line->allowed);
		break;
	case UAPI_LISTEN_PORT:
	case UAPI_FWMARK:
	case UAPI_KEEPALIVE:
	case UAPI_PROTOCOL_VERSION:
	case UAPI_HANDSHAKE_SEC:
	case UAPI_HANDSHAKE_NSEC:
	case UAPI_TX_BYTES:
	case UAPI_RX_BYTES:
		uapi_put_number(out, line->key, line->number);
		break;
	case UAPI_ERRNO:
	case UAPI_UNKNOWN:
		break;
	}
}

static void check_line(const char *text, size_t len)
{
	struct uapi_line line, again;
	struct text out = TEXT_EMPTY;

	int rc = uapi_parse_line(&line, text, len);
	CHECK(rc == 0 || rc == -EINVAL || rc == -EPROTO);
	CHECK((rc == -EPROTO) == (len > UAPI_LINE_MAX || !len || !memchr(text, '=', len)));
	if (!rc)
		put_line(&out, &line);
	if (out.len) {
		CHECK(out.data[out.len - 1] == '\n' && !memchr(out.data, '\n', out.len - 1));
		CHECK(!uapi_parse_line(&again, out.data, out.len - 1));
		if (line.key == UAPI_ALLOWED_IP)
			prefix_mask(&line.allowed.prefix);
		if (line.key == UAPI_ENDPOINT)
			CHECK(endpoint_equal(&line.endpoint, &again.endpoint));
		else
			CHECK(!memcmp(&line, &again, sizeof(line)));
	}
	text_wipe(&out);
	uapi_line_wipe(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const CHECKS[])(const char *text, size_t len) = {
		check_number, check_mark,     check_base64,  check_hex,     check_prefix,
		check_line,   check_endpoint, check_keyword, check_nearest,
	};

	if (!size)
		return 0;
	/* Readable in the corpus: a digit, and the text behind it. */
	char *text = exact(data + 1, size - 1);
	CHECKS[(data[0] - '0') % (sizeof(CHECKS) / sizeof(*CHECKS))](text, size - 1);
	free(text);
	return 0;
}
