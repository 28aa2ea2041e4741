/* SPDX-License-Identifier: MIT
 * UDP endpoints: split, parse and format. Never asks a resolver; only a scope ("%eth0") is looked
 * up among the interfaces of this machine. */
#include "conf/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include "conf/address.h"
#include "conf/number.h"
#include "conf/scope.h"

/* A stretch of the text, from the byte at start. */
struct piece {
	const char *data;
	size_t start, len;
};

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static const char *last_colon(const char *text, size_t len)
{
	while (len)
		if (text[--len] == ':')
			return text + len;
	return NULL;
}

/* "2001:db8::1" or "fe80::1%eth0", the scope not looked at. */
static bool is_inet6(const char *text, size_t len)
{
	const char *scope = memchr(text, '%', len);
	char address[INET6_ADDRSTRLEN];
	struct in6_addr in6;

	if (scope) {
		if (scope + 1 == text + len)
			return false;
		len = (size_t)(scope - text);
	}
	if (len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &in6) == 1;
}

static bool is_separator(unsigned char c)
{
	return c == '[' || c == ']' || c == '/' || c == ',' || c == '#' || c == '"' || c == '\'';
}

/* A name or an address of any sort; what holds a colon must be an IPv6 address. */
static int host_check(const struct piece *host, size_t *column)
{
	const char *colon = memchr(host->data, ':', host->len);

	*column = host->start;
	if (!host->len || host->len >= ENDPOINT_HOST_MAX)
		return -EINVAL;
	for (size_t i = 0; i < host->len; i++) {
		unsigned char c = (unsigned char)host->data[i];

		*column = host->start + i;
		if (c <= ' ' || c >= 0x7f || is_separator(c))
			return -EINVAL;
	}
	*column = host->start + (colon ? (size_t)(colon - host->data) : 0);
	return colon && !is_inet6(host->data, host->len) ? -EINVAL : 0;
}

/* A number from 1 to 65535, or what may be the name of a service. */
static int port_check(const struct piece *port, size_t *column)
{
	bool digits = true;
	uint64_t number;

	*column = port->start;
	if (!port->len || port->len >= ENDPOINT_PORT_MAX || !is_alnum(port->data[0]))
		return -EINVAL;
	for (size_t i = 0; i < port->len; i++) {
		char c = port->data[i];

		*column = port->start + i;
		if (!is_alnum(c) && (!c || !strchr("-_.+", c)))
			return -EINVAL;
		if (c < '0' || c > '9')
			digits = false;
	}
	*column = port->start;
	if (digits && (number_parse(&number, port->data, port->len, UINT16_MAX) < 0 || !number))
		return -EINVAL;
	return 0;
}

int endpoint_split(char host[ENDPOINT_HOST_MAX], char port[ENDPOINT_PORT_MAX], const char *text,
		   size_t len, size_t *column)
{
	struct piece head = {text, 0, 0}, tail = {text, 0, 0};
	const char *colon, *close;
	size_t where;

	if (!column)
		column = &where;
	*column = 0;
	if (!len)
		return -EINVAL;
	if (text[0] == '[') {
		close = memchr(text, ']', len);
		colon = close && close + 1 < text + len && close[1] == ':' ? close + 1 : NULL;
		*column = close ? (size_t)(close - text) + 1 : 0;
		head.start = 1;
	} else {
		close = colon = last_colon(text, len);
		*column = len;
	}
	if (!colon)
		return -EINVAL;
	head.data = text + head.start;
	head.len = (size_t)(close - head.data);
	tail.data = colon + 1;
	tail.start = (size_t)(tail.data - text);
	tail.len = len - tail.start;
	if (host_check(&head, column) < 0 || port_check(&tail, column) < 0)
		return -EINVAL;
	*column = 0;
	memcpy(host, head.data, head.len);
	host[head.len] = '\0';
	memcpy(port, tail.data, tail.len);
	port[tail.len] = '\0';
	return 0;
}

/* The index of the interface that the scope names, or the number that it is; 0: neither. */
static uint32_t scope_parse(const char *scope)
{
	unsigned index = scope_index(scope);
	uint64_t number;

	if (index)
		return index;
	return number_parse(&number, scope, strlen(scope), UINT32_MAX) < 0 ? 0 : (uint32_t)number;
}

int endpoint_from(union sockaddr_ip *addr, const char *host, const char *port)
{
	union sockaddr_ip parsed = {0};
	char address[ENDPOINT_HOST_MAX];
	uint64_t number;
	char *scope;

	if (strlen(host) >= sizeof(address) ||
	    number_parse(&number, port, strlen(port), UINT16_MAX) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET, host, &parsed.in4.sin_addr) == 1) {
		parsed.in4.sin_family = AF_INET;
		parsed.in4.sin_port = htons((uint16_t)number);
		*addr = parsed;
		return 0;
	}
	memset(&parsed, 0, sizeof(parsed));
	strcpy(address, host);
	scope = strchr(address, '%');
	if (scope) {
		*scope++ = '\0';
		parsed.in6.sin6_scope_id = scope_parse(scope);
		if (!parsed.in6.sin6_scope_id)
			return -EINVAL;
	}
	if (inet_pton(AF_INET6, address, &parsed.in6.sin6_addr) != 1)
		return -EINVAL;
	parsed.in6.sin6_family = AF_INET6;
	parsed.in6.sin6_port = htons((uint16_t)number);
	*addr = parsed;
	return 0;
}

int endpoint_parse_numeric(union sockaddr_ip *addr, const char *text, size_t len)
{
	char host[ENDPOINT_HOST_MAX], port[ENDPOINT_PORT_MAX];

	if (endpoint_split(host, port, text, len, NULL) < 0)
		return -EINVAL;
	return endpoint_from(addr, host, port);
}

static void format_inet6(char text[ENDPOINT_TEXT_MAX], const struct sockaddr_in6 *in6)
{
	char name[IF_NAMESIZE] = "";

	*text++ = '[';
	text = address_put(text, AF_INET6, &in6->sin6_addr);
	if (in6->sin6_scope_id) {
		*text++ = '%';
		text = scope_name(name, in6->sin6_scope_id) ? stpcpy(text, name)
							    : number_put(text, in6->sin6_scope_id);
	}
	*text++ = ']';
	*text++ = ':';
	*number_put(text, ntohs(in6->sin6_port)) = '\0';
}

char *endpoint_format(char text[ENDPOINT_TEXT_MAX], const union sockaddr_ip *addr)
{
	char *end;

	text[0] = '\0';
	if (addr->sa.sa_family == AF_INET6) {
		format_inet6(text, &addr->in6);
	} else if (addr->sa.sa_family == AF_INET) {
		end = address_put(text, AF_INET, &addr->in4.sin_addr);
		*end++ = ':';
		*number_put(end, ntohs(addr->in4.sin_port)) = '\0';
	}
	return text;
}

bool endpoint_equal(const union sockaddr_ip *a, const union sockaddr_ip *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_port == b->in4.sin_port &&
		       a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
	return true;
}

socklen_t endpoint_len(const union sockaddr_ip *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return sizeof(addr->in4);
	if (addr->sa.sa_family == AF_INET6)
		return sizeof(addr->in6);
	return 0;
}
