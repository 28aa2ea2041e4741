/* SPDX-License-Identifier: MIT
 * What a service tells systemd of itself: sd_notify(3), of which the socket is all that is needed
 * here. */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	struct sockaddr_un address; /* AF_UNSPEC: nobody wants to know */
	socklen_t length;
};

/* Where NOTIFY_SOCKET says; the variable is taken away, so that no child speaks for us. */
void notify_begin(struct notify *notify);
/* Assignments, each on a line: "READY=1\nSTATUS=..." That nobody hears hinders nothing. */
void notify_tell(const struct notify *notify, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
