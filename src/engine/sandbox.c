/* SPDX-License-Identifier: MIT
 * What the processes give up. */
#include "config.h"
#include "engine/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "engine/landlock.h"
#include "engine/syscalls.h"

#define NOBODY 65534 /* the kernel's own number for a user that is none */

struct account {
	const char *name;
	uid_t uid;
	gid_t gid;
};

static void __attribute__((format(printf, 3, 4)))
note(char *list, size_t size, const char *format, ...)
{
	size_t len = strlen(list);
	va_list args;

	if (len)
		len += (size_t)snprintf(list + len, size - len, ", ");
	if (len >= size)
		return;
	va_start(args, format);
	vsnprintf(list + len, size - len, format, args);
	va_end(args);
}

#define NOTE_ON(sandbox, ...) note((sandbox)->on, sizeof((sandbox)->on), __VA_ARGS__)
#define NOTE_OFF(sandbox, ...) note((sandbox)->off, sizeof((sandbox)->off), __VA_ARGS__)

static int hide_memory(void)
{
#ifdef WITH_SANITIZER
	/* The leak check of a sanitizer has to look into the process. */
	return 0;
#else
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
#endif
}

int sandbox_harden(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return hide_memory();
}

/* Keeps only these of the capabilities that there are. */
static int keep_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, sets))
		return -errno;
	kept &= sets[0].permitted;
	/* Perhaps the change of user has taken them already. */
	if (!sets[0].permitted && !sets[1].permitted)
		return 0;
	memset(sets, 0, sizeof(sets));
	sets[0].permitted = sets[0].effective = kept;
	if (syscall(SYS_capset, &header, sets))
		return -errno;
	/* What is not permitted is not ambient either, but for kernels without it (4.3). */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return 0;
}

#ifndef WITH_SANITIZER

/* Straight from the file: name services may load libraries and ask the network. */
static bool find_account(const char *name, struct account *account)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry = NULL;
	bool found = false;

	if (!file)
		return false;
	while (!found && (entry = fgetpwent(file)))
		found = !strcmp(entry->pw_name, name) && entry->pw_uid && entry->pw_gid;
	if (found)
		*account = (struct account){name, entry->pw_uid, entry->pw_gid};
	fclose(file);
	return found;
}

static void change_user(struct sandbox *sandbox)
{
	struct account account = {"nobody", NOBODY, NOBODY};

	if (geteuid()) {
		NOTE_ON(sandbox, "user %u", (unsigned)geteuid());
		return;
	}
	if (!find_account(SANDBOX_USER, &account))
		(void)find_account("nobody", &account);
	if (!setresgid(account.gid, account.gid, account.gid) && !setgroups(0, NULL) &&
	    !setresuid(account.uid, account.uid, account.uid))
		NOTE_ON(sandbox, "user %s", account.name);
	else if (errno == EINVAL)
		NOTE_OFF(sandbox, "user %s (not mapped in this user namespace)", account.name);
	else if (errno == EPERM)
		NOTE_OFF(sandbox, "user %s (no CAP_SETUID and CAP_SETGID)", account.name);
	else
		NOTE_OFF(sandbox, "user %s (%s)", account.name, strerror(errno));
}

static void leave_files(struct sandbox *sandbox)
{
	int version = landlock_restrict(NULL);

	if (version >= 0)
		NOTE_ON(sandbox, "Landlock %d", version);
	else if (version == -ENOSYS)
		NOTE_OFF(sandbox, "Landlock (not in this kernel)");
	else if (version == -EOPNOTSUPP)
		NOTE_OFF(sandbox, "Landlock (switched off in this kernel)");
	else
		NOTE_OFF(sandbox, "Landlock (%s)", strerror(-version));
}

#endif

void sandbox_drop(struct sandbox *sandbox, bool locked_by_right)
{
	uint32_t kept = locked_by_right ? 1 << CAP_IPC_LOCK : 0;
	int err;

	*sandbox = (struct sandbox){0};
	/* One heap: the further ones of the C library read a file of the system before they
	 * shrink. */
	(void)mallopt(M_ARENA_MAX, 1);
#ifdef WITH_SANITIZER
	NOTE_OFF(sandbox, "another user, Landlock and seccomp (built with a sanitizer)");
#else
	(void)prctl(PR_SET_KEEPCAPS, locked_by_right, 0, 0, 0);
	change_user(sandbox);
#endif
	err = keep_capabilities(kept);
	if (err)
		NOTE_OFF(sandbox, "giving up capabilities (%s)", strerror(-err));
	else if (kept)
		NOTE_ON(sandbox, "no capabilities but CAP_IPC_LOCK");
	else
		NOTE_ON(sandbox, "no capabilities");
	NOTE_ON(sandbox, "no new privileges");
#ifndef WITH_SANITIZER
	leave_files(sandbox);
#endif
	/* Another user made it dumpable again where fs.suid_dumpable says so. */
	(void)hide_memory();
}

void sandbox_seal(struct sandbox *sandbox)
{
#ifdef WITH_SANITIZER
	(void)sandbox;
#else
	int err = syscalls_limit_engine();

	if (!err)
		NOTE_ON(sandbox, "seccomp");
	else if (err == -ENOSYS)
		NOTE_OFF(sandbox, "seccomp (built without libseccomp)");
	else
		NOTE_OFF(sandbox, "seccomp (%s)", strerror(-err));
#endif
}

void sandbox_limit_opener(const char *directory)
{
	(void)keep_capabilities(1 << CAP_NET_ADMIN | 1 << CAP_NET_BIND_SERVICE);
#ifdef WITH_SANITIZER
	(void)directory;
#else
	(void)landlock_restrict(directory);
	(void)syscalls_limit_opener();
#endif
}
