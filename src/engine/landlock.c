/* SPDX-License-Identifier: MIT
 * Landlock by its three system calls, as the C library has no functions for them. The kernel's
 * header is not used: that of a distribution is older than its kernels. */
#include "engine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1
#define ACCESS_REMOVE_FILE (1 << 5)
#define NET_TCP 0x3 /* bind, connect */
#define SCOPED 0x3  /* abstract UNIX sockets, signals */

/* A kernel takes the beginning that it knows. */
struct ruleset {
	uint64_t fs;
	uint64_t net;    /* version 4 */
	uint64_t scoped; /* version 6 */
};

struct __attribute__((packed)) path_beneath {
	uint64_t allowed;
	int32_t directory;
};

/* All that this version can forbid. */
static int create(int version)
{
	/* How many kinds of access to files each version knows. */
	static const uint8_t known[] = {0, 13, 14, 15, 15, 16};
	const int last = sizeof(known) - 1;
	struct ruleset ruleset = {
		.fs = (UINT64_C(1) << known[version < last ? version : last]) - 1,
		.net = NET_TCP,
		.scoped = SCOPED,
	};
	size_t size = sizeof(ruleset);

	if (version < 6)
		size = offsetof(struct ruleset, scoped);
	if (version < 4)
		size = offsetof(struct ruleset, net);
	return (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
}

static int allow_removal(int ruleset, const char *directory)
{
	struct path_beneath rule = {ACCESS_REMOVE_FILE, open(directory, O_PATH | O_CLOEXEC)};

	if (rule.directory < 0)
		return -errno;
	int err = syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) ? -errno : 0;
	close(rule.directory);
	return err;
}

int landlock_restrict(const char *directory)
{
	int err = 0;
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	if (version < 0)
		return -errno;
	int ruleset = create(version);
	if (ruleset < 0)
		return -errno;
	if (directory)
		err = allow_removal(ruleset, directory);
	if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0))
		err = -errno;
	close(ruleset);
	return err ? err : version;
}
