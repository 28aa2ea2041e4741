/* SPDX-License-Identifier: MIT
 * The lists of what is allowed. By name: each architecture and each release of libseccomp knows its
 * own. A name that is unknown to the release is passed over here, one that only other architectures
 * have (its number is negative) by libseccomp. */
#include "config.h"
#include "engine/syscalls.h"

#include <errno.h>

#ifdef HAVE_SECCOMP

#include <linux/if_tun.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct rule {
	const char *name;
	unsigned count; /* of the conditions, all of which must hold */
	struct scmp_arg_cmp conditions[2];
};

/* No new memory is executable, nor does any become so. */
#define NOT_EXECUTABLE                                                                             \
	1,                                                                                         \
	{                                                                                          \
		{                                                                                  \
			2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0                                        \
		}                                                                                  \
	}
#define DATAGRAMS(family)                                                                          \
	2,                                                                                         \
	{                                                                                          \
		{0, SCMP_CMP_EQ, family, 0},                                                       \
		{                                                                                  \
			1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM                                     \
		}                                                                                  \
	}

static const struct rule engine_rules[] = {
	/* packets, the configuration's clients, netlink, the opener */
	{.name = "read"},
	{.name = "write"},
	{.name = "readv"},
	{.name = "writev"},
	{.name = "recvfrom"},
	{.name = "recvmsg"},
	{.name = "recvmmsg"},
	{.name = "recvmmsg_time64"},
	{.name = "sendto"},
	{.name = "sendmsg"},
	{.name = "sendmmsg"},
	{.name = "accept4"},
	{.name = "close"},
	/* the state file */
	{.name = "pwrite64"},
	{.name = "fdatasync"},
	/* the daemon's standard output */
	{.name = "dup2"},
	{.name = "dup3"},
	/* which name our interface has now */
	{.name = "ioctl", 1, {{1, SCMP_CMP_EQ, TUNGETIFF, 0}}},
	/* the scopes of endpoints */
	{.name = "ioctl", 1, {{1, SCMP_CMP_EQ, SIOCGIFINDEX, 0}}},
	{.name = "ioctl", 1, {{1, SCMP_CMP_EQ, SIOCGIFNAME, 0}}},
	/* waiting, time */
	{.name = "epoll_ctl"},
	{.name = "epoll_wait"},
	{.name = "epoll_pwait"},
	{.name = "poll"},
	{.name = "ppoll"},
	{.name = "ppoll_time64"},
	{.name = "timerfd_settime"},
	{.name = "timerfd_settime64"},
	{.name = "clock_gettime"},
	{.name = "clock_gettime64"},
	{.name = "gettimeofday"},
	{.name = "time"},
	{.name = "getrandom"},
	/* memory */
	{.name = "brk"},
#ifdef __s390__ /* its arguments are in memory, where no filter sees them */
	{.name = "mmap"},
#else
	{.name = "mmap", NOT_EXECUTABLE},
#endif
	{.name = "mmap2", NOT_EXECUTABLE},
	{.name = "mprotect", NOT_EXECUTABLE},
	{.name = "mremap"},
	{.name = "munmap"},
	{.name = "madvise"},
	{.name = "mlock"},
	{.name = "mlock2"},
	{.name = "munlock"},
	/* threads that begin, wait and end */
	{.name = "rseq"},
	{.name = "set_robust_list"},
	{.name = "futex"},
	{.name = "futex_time64"},
	{.name = "sched_yield"},
	{.name = "sched_getaffinity"},
	{.name = "restart_syscall"},
	{.name = "rt_sigprocmask"},
	{.name = "rt_sigreturn"},
	{.name = "getpid"},
	{.name = "gettid"},
	{.name = "exit"},
	{.name = "exit_group"},
};

static const struct rule opener_rules[] = {
	{.name = "recvmsg"},
	{.name = "sendmsg"},
	{.name = "socket", DATAGRAMS(AF_INET)},
	{.name = "socket", DATAGRAMS(AF_INET6)},
	{.name = "setsockopt"},
	{.name = "bind"},
	{.name = "getsockname"},
	{.name = "close"},
	{.name = "unlink"},
	{.name = "unlinkat"},
	{.name = "restart_syscall"},
	{.name = "rt_sigreturn"},
	{.name = "exit_group"},
};

static int add(scmp_filter_ctx filter, const struct rule *rules, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; ++i) {
		int number = seccomp_syscall_resolve_name(rules[i].name);
		if (number != __NR_SCMP_ERROR)
			err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, rules[i].count,
						     rules[i].conditions);
	}
	return err;
}

static uint32_t refusal(void)
{
#ifdef WITH_TEST_HOOKS
	/* Makes any test a test of the lists. */
	if (getenv("WG_TEST_KILL"))
		return SCMP_ACT_KILL_PROCESS;
#endif
	return SCMP_ACT_ERRNO(EPERM);
}

/* The kernel's log tells what was refused. Neither do we run code of others, whom speculation could
 * tell our secrets, so that the filter need not make the whole process slower for it. */
static int limit(const struct rule *rules, size_t count, const struct rule *more)
{
	scmp_filter_ctx filter = seccomp_init(refusal());
	int err;

	/* No memory, or a kernel that does not know the refusal. */
	if (!filter)
		return -EOPNOTSUPP;
	(void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!err)
		err = add(filter, rules, count);
	if (!err && more)
		err = add(filter, more, 1);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

int syscalls_limit_engine(void)
{
	/* What abort() does; to no other process. */
	const struct rule itself = {"tgkill", 1, {{0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0}}};

	return limit(engine_rules, sizeof(engine_rules) / sizeof(*engine_rules), &itself);
}

int syscalls_limit_opener(void)
{
	return limit(opener_rules, sizeof(opener_rules) / sizeof(*opener_rules), NULL);
}

#else

int syscalls_limit_engine(void)
{
	return -ENOSYS;
}

int syscalls_limit_opener(void)
{
	return -ENOSYS;
}

#endif
