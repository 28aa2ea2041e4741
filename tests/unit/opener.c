/* SPDX-License-Identifier: MIT
 * The opener: what it does for an engine, and that nothing else can be had from it. */
#include "engine/opener.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "engine/udp.h"

#define PAIRS 3

struct fixture {
	struct opener opener;
	struct udp udp[PAIRS];
	char path[64];
};

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	strcpy(f->path, "/tmp/opener.XXXXXX");
	close(mkstemp(f->path));
	for (unsigned i = 0; i < PAIRS; ++i)
		f->udp[i] = (struct udp){.fd4 = -1, .fd6 = -1};
	int err = opener_start(&f->opener, PAIRS, f->path, null);
	close(null);
	*state = f;
	return err;
}

/* It ends when the engine does. */
static int tear_down(void **state)
{
	struct fixture *f = *state;
	int status = 0;

	opener_close(&f->opener);
	for (unsigned i = 0; i < PAIRS; ++i)
		udp_close(&f->udp[i]);
	bool ended = wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
	unlink(f->path);
	free(f);
	return ended ? 0 : -1;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 name = {0};
	socklen_t len = sizeof(name);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	return ntohs(name.sin6_port);
}

static int fd_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; ++fd)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_sockets_come_over(void **state)
{
	struct fixture *f = *state;
	int before = fd_count();

	assert_int_equal(opener_open(&f->opener, f->udp, 0, 0), 0);
	const uint16_t port = f->udp[0].port;
	assert_true(port > 0);
	for (unsigned i = 0; i < PAIRS; ++i) {
		assert_int_equal(f->udp[i].port, port);
		assert_true(f->udp[i].fd4 >= 0);
		assert_int_equal(port_of(f->udp[i].fd4), port);
		assert_true(fcntl(f->udp[i].fd4, F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(f->udp[i].fd4, F_GETFL) & O_NONBLOCK);
		if (f->udp[i].fd6 >= 0)
			assert_int_equal(port_of(f->udp[i].fd6), port);
		udp_close(&f->udp[i]);
	}
	assert_int_equal(fd_count(), before);
}

/* Not so under qemu-user, which has no such option. */
static int can_mark(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), mark = 0;
	int err = setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) ? -errno : 0;

	close(fd);
	return err == -ENOPROTOOPT ? err : 0;
}

/* It keeps none itself: the port is free as soon as we have closed ours. */
static void test_a_port_is_free_again(void **state)
{
	struct fixture *f = *state;
	uint16_t port;

	assert_int_equal(opener_open(&f->opener, f->udp, 0, 0), 0);
	port = f->udp[0].port;
	for (unsigned i = 0; i < 50; ++i) {
		for (unsigned k = 0; k < PAIRS; ++k)
			udp_close(&f->udp[k]);
		assert_int_equal(opener_open(&f->opener, f->udp, port, 0), 0);
		assert_int_equal(f->udp[0].port, port);
		assert_int_equal(opener_set_fwmark(&f->opener, f->udp, 0), can_mark());
	}
}

static void test_a_port_in_use(void **state)
{
	struct fixture *f = *state;
	struct udp second[PAIRS];
	int before;

	assert_int_equal(opener_open(&f->opener, f->udp, 0, 0), 0);
	before = fd_count();
	assert_int_equal(opener_open(&f->opener, second, f->udp[0].port, 0), -EADDRINUSE);
	assert_int_equal(fd_count(), before);
}

static void test_the_file_is_removed(void **state)
{
	struct fixture *f = *state;

	assert_true(exists(f->path));
	assert_int_equal(opener_remove(&f->opener), 0);
	assert_false(exists(f->path));
	assert_int_equal(opener_remove(&f->opener), -ENOENT);
}

/* What an engine would not say: it answers nothing, and is gone. The wire's form is opener.c's. */
struct wire {
	int32_t what;
	uint32_t fwmark, present;
	uint16_t port;
};

static void say(const struct fixture *f, const void *bytes, size_t len, unsigned sockets)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(64 * sizeof(int))] = {0};
	struct iovec vector = {(void *)(uintptr_t)bytes, len};
	struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};

	if (sockets) {
		header.msg_control = control;
		header.msg_controllen = CMSG_SPACE(sockets * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sockets * sizeof(int));
		for (unsigned i = 0; i < sockets; ++i)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &f->opener.fd, sizeof(int));
	}
	assert_true(sendmsg(f->opener.fd, &header, MSG_NOSIGNAL) >= 0);
}

static void is_gone(const struct fixture *f)
{
	uint8_t byte;

	assert_true(recv(f->opener.fd, &byte, 1, 0) <= 0);
	assert_true(exists(f->path));
	assert_int_equal(opener_remove(&f->opener), -EPIPE);
}

static void test_an_unknown_wish(void **state)
{
	say(*state, &(struct wire){.what = 3}, sizeof(struct wire), 0);
	is_gone(*state);
}

static void test_a_negative_wish(void **state)
{
	say(*state, &(struct wire){.what = -1}, sizeof(struct wire), 0);
	is_gone(*state);
}

static void test_a_short_message(void **state)
{
	say(*state, &(struct wire){.what = 2}, sizeof(struct wire) - 1, 0);
	is_gone(*state);
}

static void test_a_long_message(void **state)
{
	const struct wire wires[2] = {{.what = 2}, {0}};

	say(*state, wires, sizeof(wires), 0);
	is_gone(*state);
}

static void test_an_empty_message(void **state)
{
	say(*state, "", 0, 0);
	is_gone(*state);
}

static void test_sockets_that_are_not_named(void **state)
{
	say(*state, &(struct wire){.what = 1, .present = 1}, sizeof(struct wire), 2);
	is_gone(*state);
}

static void test_more_sockets_than_there_may_be(void **state)
{
	say(*state, &(struct wire){.what = 1, .present = UINT32_MAX}, sizeof(struct wire), 64);
	is_gone(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sockets_come_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_port_is_free_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_port_in_use, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_file_is_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_unknown_wish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_negative_wish, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_short_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_long_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_empty_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sockets_that_are_not_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more_sockets_than_there_may_be, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
