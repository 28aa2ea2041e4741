/* SPDX-License-Identifier: MIT
 * The names that texts may hold and this machine would be asked about: two interfaces and two
 * services, the same everywhere. The linker puts these functions (--wrap) in the place of the true
 * ones. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdbool.h>
#include "fuzz.h"

unsigned __wrap_scope_index(const char *name);
bool __wrap_scope_name(char *name, unsigned index);
int __wrap_getservbyname_r(const char *name, const char *protocol, struct servent *entry,
			   char *buffer, size_t size, struct servent **result);

static const char *const INTERFACES[] = {"", "lo", "eth0"};

unsigned __wrap_scope_index(const char *name)
{
	for (unsigned i = 1; i < sizeof(INTERFACES) / sizeof(*INTERFACES); ++i)
		if (!strcmp(name, INTERFACES[i]))
			return i;
	return 0;
}

bool __wrap_scope_name(char *name, unsigned index)
{
	if (!index || index >= sizeof(INTERFACES) / sizeof(*INTERFACES))
		return false;
	strcpy(name, INTERFACES[index]);
	return true;
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
