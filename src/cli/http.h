/* SPDX-License-Identifier: MIT
 * One HTTP/1.1 request on standard input, for who is started for each connection (systemd.socket
 * with Accept=yes). Every wait is bounded. Compare RFC 9112. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text;

#define HTTP_OK 200
#define HTTP_FAILED 500 /* for whoever answers: http_read() never gives it */

/* Reads the request up to its empty line. HTTP_OK: it gets path or / (or either with ?...), and
 * *accepted says whether an answer of that type is; else the status that answers it. */
unsigned http_read(const char *path, const char *type, bool *accepted);
/* Appends the head of an answer with a body of that type and so many bytes. */
void http_put_head(struct text *out, unsigned status, const char *type, size_t len);
/* From here on a client that reads slowly or not at all is waited for only so long: SIGALRM. */
void http_limit_answer(void);
