/* SPDX-License-Identifier: MIT
 * UDP endpoints: "192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%eth0]:51820",
 * "host.example:51820". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define ENDPOINT_TEXT_MAX 80  /* a numeric endpoint with its scope, and the NUL */
#define ENDPOINT_HOST_MAX 256 /* a host name (RFC 1035: 253), and the NUL */
#define ENDPOINT_PORT_MAX 32  /* a number or a service name, and the NUL */

union sockaddr_ip {
	struct sockaddr sa; /* sa_family AF_UNSPEC: none */
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

/* Splits "HOST:PORT" as wg(8) does: "[HOST]:PORT", else at the last colon. Checks the shape
 * only: a host with a colon is an IPv6 address, a port of digits is 1 to 65535, all is ASCII.
 * 0 or -EINVAL with *column (from 0, may be NULL) at the offending byte. */
int endpoint_split(char host[ENDPOINT_HOST_MAX], char port[ENDPOINT_PORT_MAX], const char *text,
		   size_t len, size_t *column);
/* Numeric address and port 1 to 65535 only; never asks a resolver. 0 or -EINVAL. */
int endpoint_parse_numeric(union sockaddr_ip *addr, const char *text, size_t len);
/* The same, split already. */
int endpoint_from(union sockaddr_ip *addr, const char *host, const char *port);
/* "192.0.2.1:51820" or "[2001:db8::1%eth0]:51820" (the scope as a name, else as a number). Returns
 * text. */
char *endpoint_format(char text[ENDPOINT_TEXT_MAX], const union sockaddr_ip *addr);
/* Same family, address, port and scope. */
bool endpoint_equal(const union sockaddr_ip *a, const union sockaddr_ip *b);
/* Length of the sockaddr for system calls. */
socklen_t endpoint_len(const union sockaddr_ip *addr);
