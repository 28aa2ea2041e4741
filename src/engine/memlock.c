/* SPDX-License-Identifier: MIT
 * mlockall(2), where no later allocation can fail for it: with MCL_FUTURE, the kernel refuses any
 * mapping that exceeds the limit on locked memory. */
#include "engine/memlock.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* Is a mapping possible that exceeds the limit? (Of locked memory, pages count once used: this one
 * takes none.) A capability alone says little: it may be one of a user namespace. */
static bool exceeds(const struct rlimit *limit)
{
	void *probe = mmap(NULL, limit->rlim_cur + 1, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return probe != MAP_FAILED && !munmap(probe, limit->rlim_cur + 1);
}

int memlock_all(bool *by_right)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	*by_right = false;
	bool lifted = !setrlimit(RLIMIT_MEMLOCK, &limit);
	if (!lifted && getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return -errno;
	if (lifted)
		return 0;
	*by_right = exceeds(&limit);
	if (*by_right)
		return 0;
	munlockall();
	return -EPERM;
}
