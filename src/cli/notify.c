/* SPDX-License-Identifier: MIT
 * One datagram a message. */
#include "cli/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void notify_begin(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	*notify = (struct notify){.address.sun_family = AF_UNSPEC};
	if (len > 1 && len < sizeof(notify->address.sun_path) && strchr("/@", path[0])) {
		notify->address.sun_family = AF_UNIX;
		memcpy(notify->address.sun_path, path, len);
		if (path[0] == '@') /* a name without a file */
			notify->address.sun_path[0] = '\0';
		notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	}
	unsetenv("NOTIFY_SOCKET");
}

void notify_tell(const struct notify *notify, const char *format, ...)
{
	char message[256];
	va_list args;
	int fd, len;

	if (notify->address.sun_family == AF_UNSPEC)
		return;
	va_start(args, format);
	len = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (len > 0 && (size_t)len < sizeof(message))
		(void)sendto(fd, message, (size_t)len, MSG_NOSIGNAL,
			     (const struct sockaddr *)&notify->address, notify->length);
	close(fd);
}
