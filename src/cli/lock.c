/* SPDX-License-Identifier: MIT
 * flock(2) on a file under /run/wgctl, where only root can open it. The file goes with the lock. */
#include "cli/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "/run/wgctl"

static char *lock_path(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, DIRECTORY "/%s.lock", name);
	return path;
}

/* A file that its last owner removed after we opened it locks nothing. */
static bool is_stale(int fd)
{
	struct stat st;

	return fstat(fd, &st) || !st.st_nlink;
}

int lock_take(int *fd, const char *name)
{
	char path[PATH_MAX];
	int err;

	(void)mkdir(DIRECTORY, 0700);
	do {
		*fd = open(lock_path(path, name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (*fd < 0)
			return 0;
		err = flock(*fd, LOCK_EX | LOCK_NB) ? -errno : 0;
		if (!err && !is_stale(*fd))
			return 0;
		close(*fd);
		*fd = -1;
	} while (!err);
	return err == -EWOULDBLOCK ? err : 0;
}

void lock_release(int fd, const char *name)
{
	char path[PATH_MAX];

	if (fd < 0)
		return;
	unlink(lock_path(path, name));
	close(fd);
}
