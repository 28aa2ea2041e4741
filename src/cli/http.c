/* SPDX-License-Identifier: MIT
 * The request line and what is accepted count; of the rest only its size and its end. */
#include "cli/http.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "conf/text.h"

#define REQUEST_MAX 8192 /* bytes */
#define REQUEST_MS 5000  /* for all of it to come */
#define ANSWER_S 10      /* for all of it to go */

enum status {
	BAD_REQUEST = 400,
	NOT_FOUND = 404,
	METHOD_NOT_ALLOWED = 405,
	TIMEOUT = 408,
	TOO_LARGE = 431,
};

static const char *reason(unsigned status)
{
	switch (status) {
	case HTTP_OK:
		return "OK";
	case BAD_REQUEST:
		return "Bad Request";
	case NOT_FOUND:
		return "Not Found";
	case METHOD_NOT_ALLOWED:
		return "Method Not Allowed";
	case TIMEOUT:
		return "Request Timeout";
	case TOO_LARGE:
		return "Request Header Fields Too Large";
	default:
		return "Internal Server Error";
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Some more bytes; 0: the end; -ETIMEDOUT or another error. */
static ssize_t read_some(char *at, size_t room, int64_t deadline)
{
	struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t left = deadline - now_ms();
	int ready;

	if (left <= 0)
		return -ETIMEDOUT;
	ready = poll(&fd, 1, (int)left);
	if (ready < 0)
		return -errno;
	if (!ready)
		return -ETIMEDOUT;
	ready = (int)read(STDIN_FILENO, at, room);
	return ready < 0 ? -errno : ready;
}

/* "GET /metrics HTTP/1.1", without its end */
static unsigned judge(char *line, const char *path)
{
	char *target = strchr(line, ' '), *version;

	if (!target || target == line)
		return BAD_REQUEST;
	*target++ = '\0';
	version = strchr(target, ' ');
	if (!version || strncmp(version, " HTTP/1.", 8) != 0 || strlen(version) != 9)
		return BAD_REQUEST;
	*version = '\0';
	target[strcspn(target, "?")] = '\0';
	if (strcmp(target, path) != 0 && strcmp(target, "/") != 0)
		return NOT_FOUND;
	return strcmp(line, "GET") != 0 ? METHOD_NOT_ALLOWED : HTTP_OK;
}

/* Whether one of the fields says so; with what preference, it does not matter. */
static bool is_accepted(char *fields, const char *type)
{
	static const char name[] = "accept:";
	char *save, *field = strtok_r(fields, "\r\n", &save);

	while (field &&
	       (strncasecmp(field, name, sizeof(name) - 1) != 0 || !strcasestr(field, type)))
		field = strtok_r(NULL, "\r\n", &save);
	return field;
}

unsigned http_read(const char *path, const char *type, bool *accepted)
{
	const int64_t deadline = now_ms() + REQUEST_MS;
	char request[REQUEST_MAX + 1], *fields;
	size_t len = 0;
	ssize_t got;

	do {
		if (len == REQUEST_MAX)
			return TOO_LARGE;
		got = read_some(request + len, REQUEST_MAX - len, deadline);
		if (got == -ETIMEDOUT)
			return TIMEOUT;
		if (got <= 0 && got != -EINTR)
			return BAD_REQUEST;
		len += got > 0 ? (size_t)got : 0;
		request[len] = '\0';
		if (strlen(request) < len)
			return BAD_REQUEST;
	} while (!strstr(request, "\r\n\r\n"));
	fields = strstr(request, "\r\n");
	*fields = '\0';
	*accepted = is_accepted(fields + 2, type);
	return judge(request, path);
}

void http_put_head(struct text *out, unsigned status, const char *type, size_t len)
{
	text_printf(out, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: %zu\r\n", status,
		    reason(status), len);
	if (status == METHOD_NOT_ALLOWED)
		text_puts(out, "Allow: GET\r\n");
	if (len)
		text_printf(out, "Content-Type: %s\r\n", type);
	text_puts(out, "\r\n");
}

void http_limit_answer(void)
{
	signal(SIGALRM, SIG_DFL);
	(void)alarm(ANSWER_S);
}
