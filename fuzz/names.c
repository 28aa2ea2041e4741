/* SPDX-License-Identifier: MIT
 * The names that texts may hold and this machine would be asked about: two interfaces and two
 * services, the same everywhere. The linker puts these functions (--wrap) in the place of libc's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include "fuzz.h"

unsigned __wrap_if_nametoindex(const char *name);
char *__wrap_if_indextoname(unsigned index, char *name);
int __wrap_getservbyname_r(const char *name, const char *protocol, struct servent *entry,
			   char *buffer, size_t size, struct servent **result);

static const char *const INTERFACES[] = {"", "lo", "eth0"};

unsigned __wrap_if_nametoindex(const char *name)
{
	for (unsigned i = 1; i < sizeof(INTERFACES) / sizeof(*INTERFACES); ++i)
		if (!strcmp(name, INTERFACES[i]))
			return i;
	errno = ENODEV;
	return 0;
}

char *__wrap_if_indextoname(unsigned index, char *name)
{
	if (index && index < sizeof(INTERFACES) / sizeof(*INTERFACES))
		return strcpy(name, INTERFACES[index]);
	errno = ENXIO;
	return NULL;
}

int __wrap_getservbyname_r(const char *name, const char *protocol, struct servent *entry,
			   char *buffer, size_t size, struct servent **result)
{
	(void)protocol, (void)buffer, (void)size;
	memset(entry, 0, sizeof(*entry));
	*result = NULL;
	if (strcmp(name, "domain") != 0 && strcmp(name, "ntp") != 0)
		return 0;
	entry->s_port = htons(name[0] == 'd' ? 53 : 123);
	*result = entry;
	return 0;
}
