/* SPDX-License-Identifier: MIT
 * What the process gives up. */
#include "config.h"
#include "engine/sandbox.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int sandbox_harden(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
#ifndef WITH_SANITIZER
	/* The leak check of a sanitizer has to look into the process. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
#endif
	return 0;
}
