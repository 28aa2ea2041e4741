/* SPDX-License-Identifier: MIT
 * Faults for a program that knows nothing of them: a library to be named in LD_PRELOAD. The program
 * whose name is in FAULTS_PROGRAM reads the file in FAULTS, which the test may change at any time:
 * decimal numbers, each in a field of 20 characters (see faults.bash). Nothing here makes a system
 * call once the program runs, so a sandbox is no hindrance. A sanitizer's own code does not outlive
 * want of memory: in its presence only the program's own allocations fail, not its libraries'; and
 * never those of the library whose name holds FAULTS_SPARED. Before an interface is given an owner,
 * the command in FAULTS_UNOWNED is run. */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/if_tun.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FIELD_LEN 20

enum field {
	FIELD_CLOCK,       /* seconds that CLOCK_REALTIME is ahead */
	FIELD_SEND,        /* n: of n calls of sendmsg to an Internet address one gets ENOBUFS */
	FIELD_ALLOC_FIRST, /* allocations with these numbers fail, from 1 on */
	FIELD_ALLOC_LAST,
	FIELD_ALLOCS,       /* written here: how many allocations there were */
	FIELD_SENDS_FAILED, /* and how many calls of sendmsg failed */
	FIELD_COUNT
};

static char *fields;
static struct code {
	uintptr_t first, last;
} program, spared;
static bool sanitized;
static _Atomic unsigned long allocs, sends, sends_failed;
static void *(*real_malloc)(size_t size);
static void *(*real_calloc)(size_t count, size_t size);
static void *(*real_realloc)(void *old, size_t size);
static int (*real_posix_memalign)(void **result, size_t alignment, size_t size);
static ssize_t (*real_sendmsg)(int fd, const struct msghdr *header, int flags);
static int (*real_clock_gettime)(clockid_t id, struct timespec *time);
static int (*real_ioctl)(int fd, unsigned long request, ...);
/* For what the loader wants before it can tell where the real functions are. */
static char early[8192];
static size_t early_used;

static void find_real(void)
{
	static bool busy;

	if (busy)
		return;
	busy = true;
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&real_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **)&real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
	*(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&real_ioctl = dlsym(RTLD_NEXT, "ioctl");
	busy = false;
}

/* The first object is the program. */
static int find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *name = getenv("FAULTS_SPARED");
	struct code code = {0, 0};

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; ++i) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
			code.first = info->dlpi_addr + part->p_vaddr;
			code.last = code.first + part->p_memsz;
		}
	}
	if (!*(unsigned *)arg)
		program = code;
	else if (name && strstr(info->dlpi_name, name))
		spared = code;
	++*(unsigned *)arg;
	return 0;
}

static bool within(const void *asker, const struct code *code)
{
	return (uintptr_t)asker >= code->first && (uintptr_t)asker < code->last;
}

__attribute__((constructor)) static void start(void)
{
	const char *wanted = getenv("FAULTS_PROGRAM"), *file = getenv("FAULTS");
	unsigned objects = 0;
	int fd;

	find_real();
	if (!wanted || !file || strcmp(wanted, program_invocation_short_name) != 0)
		return;
	sanitized = dlsym(RTLD_DEFAULT, "__asan_init") || dlsym(RTLD_DEFAULT, "__tsan_init");
	dl_iterate_phdr(find_code, &objects);
	fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	void *mapped = mmap(NULL, (size_t)FIELD_COUNT * FIELD_LEN, PROT_READ | PROT_WRITE,
			    MAP_SHARED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		abort();
	fields = mapped;
}

static long field(enum field which)
{
	return strtol(fields + which * FIELD_LEN, NULL, 10);
}

static void report(enum field which, unsigned long value)
{
	char *at = fields + (which + 1) * FIELD_LEN - 1;

	for (int i = 0; i < FIELD_LEN - 1; ++i, value /= 10)
		*--at = (char)('0' + value % 10);
}

static bool allocation_fails(const void *asker)
{
	if (!fields || within(asker, &spared) || (sanitized && !within(asker, &program)))
		return false;
	long number = (long)atomic_fetch_add(&allocs, 1) + 1;
	report(FIELD_ALLOCS, (unsigned long)number);
	if (number < field(FIELD_ALLOC_FIRST) || number > field(FIELD_ALLOC_LAST))
		return false;
	errno = ENOMEM;
	return true;
}

static void *early_alloc(size_t size)
{
	void *result = early + early_used;

	early_used += (size + 15) & ~(size_t)15;
	return early_used <= sizeof(early) ? result : NULL;
}

void *malloc(size_t size)
{
	if (!real_malloc)
		find_real();
	if (!real_malloc)
		return early_alloc(size);
	return allocation_fails(__builtin_return_address(0)) ? NULL : real_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (!real_calloc)
		find_real();
	if (!real_calloc)
		return early_alloc(count * size);
	return allocation_fails(__builtin_return_address(0)) ? NULL : real_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	if (!real_realloc)
		find_real();
	return allocation_fails(__builtin_return_address(0)) ? NULL : real_realloc(old, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
	return allocation_fails(__builtin_return_address(0))
		       ? ENOMEM
		       : real_posix_memalign(result, alignment, size);
}

int clock_gettime(clockid_t id, struct timespec *time)
{
	if (!real_clock_gettime)
		find_real();
	int result = real_clock_gettime(id, time);
	if (!result && fields && id == CLOCK_REALTIME)
		time->tv_sec += field(FIELD_CLOCK);
	return result;
}

ssize_t sendmsg(int fd, const struct msghdr *header, int flags)
{
	const struct sockaddr *to = header->msg_name;
	long every = fields && to && (to->sa_family == AF_INET || to->sa_family == AF_INET6)
			     ? field(FIELD_SEND)
			     : 0;

	if (every > 0 && atomic_fetch_add(&sends, 1) % (unsigned long)every == 0) {
		report(FIELD_SENDS_FAILED, atomic_fetch_add(&sends_failed, 1) + 1);
		errno = ENOBUFS;
		return -1;
	}
	return real_sendmsg(fd, header, flags);
}

int ioctl(int fd, unsigned long request, ...)
{
	const char *command = request == TUNSETOWNER ? getenv("FAULTS_UNOWNED") : NULL;
	va_list args;

	va_start(args, request);
	void *arg = va_arg(args, void *);
	va_end(args);
	/* The test says what to run. */
	if (fields && command && system(command)) /* NOLINT(cert-env33-c) */
		abort();
	return real_ioctl(fd, request, arg);
}
