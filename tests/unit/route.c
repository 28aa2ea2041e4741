/* SPDX-License-Identifier: MIT
 * Questions about routes, when the answers come and when they do not. The questions go through a
 * sendmsg() of ours. */
#include "engine/route.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netlink/socket.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATIENCE 20 /* seconds, after which a test that waits for an answer is ended */

static bool swallow;    /* the questions do not reach the kernel */
static unsigned before; /* how often to ask the same before, by other numbers */

/* In place of the C library's, by the name that libnl calls on 32-bit systems with wide times too.
 */
ssize_t question(int fd, const struct msghdr *header, int flags) __asm__("sendmsg");
ssize_t question64(int fd, const struct msghdr *header, int flags) __asm__("__sendmsg64")
	__attribute__((alias("sendmsg")));

ssize_t question(int fd, const struct msghdr *header, int flags)
{
	struct nlmsghdr *message = header->msg_iov->iov_base;

	if (swallow)
		return (ssize_t)header->msg_iov->iov_len;
	for (; before; --before) {
		message->nlmsg_seq += 1000;
		assert_int_equal(syscall(SYS_sendmsg, fd, header, flags), message->nlmsg_len);
		message->nlmsg_seq -= 1000;
	}
	return syscall(SYS_sendmsg, fd, header, flags);
}

static struct path path_to(const char *address)
{
	struct path path = {.remote.in4.sin_family = AF_INET};

	assert_int_equal(inet_pton(AF_INET, address, &path.remote.in4.sin_addr), 1);
	path.source.in4.s_addr = htonl(INADDR_LOOPBACK);
	return path;
}

static uint32_t loopback(struct nl_sock *socket)
{
	struct path path = path_to("127.0.0.2");

	return route_interface(socket, &path, 0);
}

/* Nothing is sent from the loopback's address to nowhere. */
static uint32_t nowhere(struct nl_sock *socket)
{
	struct path path = path_to("0.0.0.1");

	return route_interface(socket, &path, 0);
}

static int set_up(void **state)
{
	alarm(PATIENCE);
	swallow = false;
	before = 0;
	*state = route_open();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	alarm(0);
	route_close(*state);
	return 0;
}

static void says_the_interface_or_none(void **state)
{
	assert_int_equal(loopback(*state), if_nametoindex("lo"));
	assert_int_equal(nowhere(*state), 0);
	assert_int_equal(loopback(*state), if_nametoindex("lo"));
}

static void without_a_socket_nothing_is_known(void **state)
{
	(void)state;
	assert_int_equal(loopback(NULL), ROUTE_UNKNOWN);
}

static void does_not_wait_for_an_answer_that_never_comes(void **state)
{
	swallow = true;
	assert_int_equal(loopback(*state), ROUTE_UNKNOWN);
	swallow = false;
	assert_int_equal(loopback(*state), if_nametoindex("lo"));
}

static void takes_no_other_answer_for_its_own(void **state)
{
	before = 1;
	assert_int_equal(nowhere(*state), 0);
	before = 3;
	assert_int_equal(loopback(*state), if_nametoindex("lo"));
	before = 1;
	assert_int_equal(loopback(*state), if_nametoindex("lo"));
	assert_int_equal(nowhere(*state), 0);
}

/* No room for the answer in the socket: the kernel drops it and says so. */
static void an_answer_that_the_kernel_drops_is_not_known(void **state)
{
	int least = 1;

	assert_false(
		setsockopt(nl_socket_get_fd(*state), SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)));
	before = 50;
	assert_int_equal(loopback(*state), ROUTE_UNKNOWN);
	/* Some reads later it is itself again. */
	for (unsigned i = 0; i < 50 && loopback(*state) == ROUTE_UNKNOWN; ++i)
		continue;
	assert_int_equal(nowhere(*state), 0);
	assert_int_equal(loopback(*state), if_nametoindex("lo"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_the_interface_or_none, set_up, tear_down),
		cmocka_unit_test(without_a_socket_nothing_is_known),
		cmocka_unit_test_setup_teardown(does_not_wait_for_an_answer_that_never_comes,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_no_other_answer_for_its_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(an_answer_that_the_kernel_drops_is_not_known,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
