/* SPDX-License-Identifier: MIT
 * Preloaded into an engine: its CLOCK_BOOTTIME is ahead by as many nanoseconds as the file that
 * $CLOCK_FILE names says, which a test may change at any time. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

static void __attribute__((constructor)) open_file(void)
{
	const char *name = getenv("CLOCK_FILE");
	int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;

	if (file >= 0)
		ahead = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, file, 0);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int err = (int)syscall(SYS_clock_gettime, clock, now);
	int64_t nanoseconds;

	if (err || clock != CLOCK_BOOTTIME || !ahead || ahead == MAP_FAILED)
		return err;
	nanoseconds = now->tv_nsec + *ahead % 1000000000;
	now->tv_sec += *ahead / 1000000000 + nanoseconds / 1000000000;
	now->tv_nsec = nanoseconds % 1000000000;
	return 0;
}
