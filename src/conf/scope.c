/* SPDX-License-Identifier: MIT
 * if_nametoindex() and if_indextoname(), but for the socket, which may be one that is kept. */
#include "conf/scope.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int kept = -1; /* set once, before threads */

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static bool ask(unsigned long question, struct ifreq *request)
{
	int fd = kept >= 0 ? kept : open_socket();
	bool known = fd >= 0 && !ioctl(fd, question, request);

	if (fd >= 0 && fd != kept)
		close(fd);
	return known;
}

void scope_keep(void)
{
	kept = open_socket();
}

unsigned scope_index(const char *name)
{
	struct ifreq request = {0};

	if (strlen(name) >= sizeof(request.ifr_name))
		return 0;
	memcpy(request.ifr_name, name, strlen(name));
	return ask(SIOCGIFINDEX, &request) ? (unsigned)request.ifr_ifindex : 0;
}

bool scope_name(char name[IFNAMSIZ], unsigned index)
{
	struct ifreq request = {.ifr_ifindex = (int)index};

	if (!ask(SIOCGIFNAME, &request))
		return false;
	snprintf(name, IFNAMSIZ, "%s", request.ifr_name);
	return true;
}
