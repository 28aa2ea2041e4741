/* SPDX-License-Identifier: MIT
 * The attempts. All by bare system calls, as an attacker's code would make them. */
#include "engine/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FDS_MAX 256
#define PLACE "/tmp/wgengine-attack"

/* What the engine has, found while that may still be asked. */
static int netlink_fd = -1, tun_fd = -1;
static struct sockaddr_un configuration;

/* Each returns -1 with errno, or anything else. */

static long close_again(long fd)
{
	if (fd >= 0)
		syscall(SYS_close, fd);
	return fd;
}

static long read_file(void)
{
	return close_again(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static long read_secret(void)
{
	return close_again(syscall(SYS_openat, AT_FDCWD, "/etc/shadow", O_RDONLY));
}

static long read_memory(void)
{
	return close_again(syscall(SYS_openat, AT_FDCWD, "/proc/1/mem", O_RDONLY));
}

static long write_file(void)
{
	long fd = syscall(SYS_openat, AT_FDCWD, PLACE, O_WRONLY | O_CREAT, 0600);

	if (fd >= 0)
		syscall(SYS_unlinkat, AT_FDCWD, PLACE, 0);
	return close_again(fd);
}

static long make_directory(void)
{
	long made = syscall(SYS_mkdirat, AT_FDCWD, PLACE, 0700);

	if (!made)
		syscall(SYS_unlinkat, AT_FDCWD, PLACE, AT_REMOVEDIR);
	return made;
}

static long remove_file(void)
{
	return syscall(SYS_unlinkat, AT_FDCWD, configuration.sun_path, 0);
}

static long execute(void)
{
	char *argv[] = {(char[]){"true"}, NULL};

	return syscall(SYS_execve, "/bin/true", argv, NULL);
}

static long fork_process(void)
{
	long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!child)
		_exit(EXIT_SUCCESS);
	return child;
}

static long connect_tcp(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
	long fd = syscall(SYS_socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	long connected = syscall(SYS_connect, fd, &to, sizeof(to));
	int err = errno;
	close_again(fd);
	errno = err;
	return connected;
}

static long bind_udp(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53535)};
	long fd = syscall(SYS_socket, AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	long bound = syscall(SYS_bind, fd, &at, sizeof(at));
	int err = errno;
	close_again(fd);
	errno = err;
	return bound;
}

static long connect_unix(void)
{
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0)
		return fd;
	long connected = syscall(SYS_connect, fd, &configuration, sizeof(configuration));
	int err = errno;
	close_again(fd);
	errno = err;
	return connected;
}

static long bind_unix(void)
{
	struct sockaddr_un at = {AF_UNIX, PLACE ".sock"};
	long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0)
		return fd;
	long bound = syscall(SYS_bind, fd, &at, sizeof(at));
	int err = errno;
	close_again(fd);
	if (!bound)
		syscall(SYS_unlinkat, AT_FDCWD, at.sun_path, 0);
	errno = err;
	return bound;
}

static long bind_again(void)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = 1};

	return syscall(SYS_bind, netlink_fd, &at, sizeof(at));
}

static long sniff(void)
{
	return close_again(syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0));
}

static long firewall(void)
{
	return close_again(syscall(SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
}

static long set_mark(void)
{
	int mark = 1;

	return syscall(SYS_setsockopt, netlink_fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
}

/* Over the engine's own socket: 203.0.113.0/24 through the loopback interface. */
static long change_route(void)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
		struct rtattr to;
		uint32_t address;
		struct rtattr by;
		int interface;
	} change = {
		.header = {sizeof(change), RTM_NEWROUTE,
			   NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, 4711, 0},
		.route = {.rtm_family = AF_INET,
			  .rtm_dst_len = 24,
			  .rtm_table = RT_TABLE_MAIN,
			  .rtm_protocol = RTPROT_STATIC,
			  .rtm_scope = RT_SCOPE_LINK,
			  .rtm_type = RTN_UNICAST},
		.to = {RTA_LENGTH(4), RTA_DST},
		.address = htonl(0xcb007100),
		.by = {RTA_LENGTH(4), RTA_OIF},
		.interface = 1,
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t rest[512];
	} answer = {0};

	if (syscall(SYS_sendto, netlink_fd, &change, sizeof(change), 0, NULL, 0) < 0)
		return -1;
	/* News may come first. */
	while (syscall(SYS_recvfrom, netlink_fd, &answer, sizeof(answer), 0, NULL, NULL) >= 0) {
		if (answer.header.nlmsg_type != NLMSG_ERROR || answer.header.nlmsg_seq != 4711)
			continue;
		errno = -answer.error.error;
		return answer.error.error ? -1 : 0;
	}
	return -1;
}

static long keep_interface(void)
{
	return syscall(SYS_ioctl, tun_fd, TUNSETPERSIST, 1);
}

static long trace(void)
{
	return syscall(SYS_ptrace, PTRACE_SEIZE, 1, 0, 0);
}

static long read_process(void)
{
	char byte;
	struct iovec ours = {&byte, 1}, theirs = {&byte, 1};

	return syscall(SYS_process_vm_readv, 1, &ours, 1, &theirs, 1, 0);
}

static long signal_other(void)
{
	return syscall(SYS_kill, 1, 0);
}

static long become_root(void)
{
	return syscall(SYS_setresuid, 0, 0, 0);
}

static long mount_over(void)
{
	long mounted = syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL);

	if (!mounted)
		syscall(SYS_umount2, "/mnt", 0);
	return mounted;
}

static long change_root(void)
{
	return syscall(SYS_chroot, "/");
}

static long new_namespace(void)
{
	return syscall(SYS_unshare, CLONE_NEWNET);
}

static long io_uring(void)
{
	struct io_uring_params params = {0};

	return close_again(syscall(SYS_io_uring_setup, 1, &params));
}

static long load_bpf(void)
{
	uint32_t attributes[32] = {2, 4, 4, 1}; /* a map: an array of one number */

	return close_again(syscall(SYS_bpf, 0, attributes, sizeof(attributes)));
}

static long use_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 1);
}

static long memory_file(void)
{
	return close_again(syscall(SYS_memfd_create, "attack", 0));
}

static long map_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? -1 : munmap(page, 4096);
}

static long make_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 0; /* which the engine may: the test has to fail */
	long made = syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
	int err = errno;
	munmap(page, 4096);
	errno = err;
	return made;
}

static long raise_limit(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	return syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, NULL);
}

static const struct {
	const char *name;
	long (*attempt)(void);
} attempts[] = {
	{"read_file", read_file},
	{"read_secret", read_secret},
	{"read_memory", read_memory},
	{"write_file", write_file},
	{"make_directory", make_directory},
	{"remove_file", remove_file},
	{"fork", fork_process},
	{"connect_tcp", connect_tcp},
	{"bind_udp", bind_udp},
	{"connect_unix", connect_unix},
	{"bind_unix", bind_unix},
	{"bind_again", bind_again},
	{"sniff", sniff},
	{"firewall", firewall},
	{"set_mark", set_mark},
	{"change_route", change_route},
	{"keep_interface", keep_interface},
	{"trace", trace},
	{"read_process", read_process},
	{"signal", signal_other},
	{"become_root", become_root},
	{"mount", mount_over},
	{"change_root", change_root},
	{"new_namespace", new_namespace},
	{"io_uring", io_uring},
	{"bpf", load_bpf},
	{"keyring", use_keyring},
	{"memory_file", memory_file},
	{"map_code", map_code},
	{"make_code", make_code},
	{"raise_limit", raise_limit},
	{"execute", execute}, /* the last: there is nothing after it */
};

static void attack(int number)
{
	int saved = errno;
	char line[128];

	(void)number;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); ++i) {
		errno = 0;
		const char *result = attempts[i].attempt() < 0 ? strerrorname_np(errno) : "done";
		int len = snprintf(line, sizeof(line), "attack %ld %s %s\n",
				   (long)syscall(SYS_gettid), attempts[i].name, result);
		(void)!write(STDERR_FILENO, line, (size_t)len);
	}
	errno = saved;
}

/* What any thread may do: the heap grows and shrinks. */
static void work(int number)
{
	static void *blocks[256];
	char line[64];

	(void)number;
	for (unsigned i = 0; i < 256; ++i)
		blocks[i] = malloc(60000);
	for (unsigned i = 0; i < 256; ++i)
		free(blocks[i]);
	int len = snprintf(line, sizeof(line), "work %ld done\n", (long)syscall(SYS_gettid));
	(void)!write(STDERR_FILENO, line, (size_t)len);
}

void attack_arm(void)
{
	const struct sigaction action = {.sa_handler = attack, .sa_flags = SA_RESTART};
	const struct sigaction harmless = {.sa_handler = work, .sa_flags = SA_RESTART};

	for (int fd = 3; fd < FDS_MAX; ++fd) {
		struct sockaddr_storage name = {0};
		socklen_t len = sizeof(name);
		uint8_t request[64]; /* an ifreq */
		int accepts = 0;
		socklen_t size = sizeof(accepts);

		if (!ioctl(fd, TUNGETIFF, request))
			tun_fd = fd;
		if (getsockname(fd, (struct sockaddr *)&name, &len))
			continue;
		/* The first is a lane's: the control thread does not read it unasked. */
		if (name.ss_family == AF_NETLINK && netlink_fd < 0)
			netlink_fd = fd;
		if (name.ss_family == AF_UNIX &&
		    !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) && accepts)
			memcpy(&configuration, &name, sizeof(configuration));
	}
	/* It got its name after bind(). */
	char *end = strstr(configuration.sun_path, ".sock.");
	if (end)
		end[strlen(".sock")] = '\0';
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &harmless, NULL);
}
