/* SPDX-License-Identifier: MIT
 * The news of the system, in a network namespace of the test's own: above all that nothing stays
 * unknown when there was more of it than the socket holds. */
#include "engine/netwatch.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define STORM 2000 /* changes of a link, more than any socket holds the news of */
#define QUIET 200  /* ms; the kernel is done with the news before the call ends that makes it */

static struct netwatch watch;
static int control;

static int set_up_namespace(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return 0;
	control = socket(AF_INET, SOCK_DGRAM, 0);
	return control < 0 ? -1 : 0;
}

static int set_up(void **state)
{
	(void)state;
	if (!control)
		return 0;
	return netwatch_open(&watch, if_nametoindex("lo"));
}

static int tear_down(void **state)
{
	(void)state;
	if (watch.socket)
		netwatch_close(&watch);
	return 0;
}

static void need_namespace(void)
{
	if (!control) {
		print_message("no network namespace of our own without root\n");
		skip();
	}
}

static void change(unsigned long what, struct ifreq request)
{
	strcpy(request.ifr_name, "lo");
	assert_false(ioctl(control, what, &request));
}

static void set_mtu(int mtu)
{
	change(SIOCSIFMTU, (struct ifreq){.ifr_mtu = mtu});
}

static void set_link(bool up)
{
	change(SIOCSIFFLAGS, (struct ifreq){.ifr_flags = up ? IFF_UP : 0});
}

static void set_address(const char *text)
{
	struct ifreq request = {0};
	struct sockaddr_in address = {.sin_family = AF_INET};

	assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
	memcpy(&request.ifr_addr, &address, sizeof(address));
	change(SIOCSIFADDR, request);
}

static bool more(void)
{
	struct pollfd news = {.fd = netwatch_fd(&watch), .events = POLLIN};

	return poll(&news, 1, QUIET) > 0;
}

static void says_how_the_link_is_at_first(void **state)
{
	(void)state;
	need_namespace();
	set_mtu(3000);
	while (more())
		assert_false(netwatch_read(&watch));
	assert_true(watch.link_seen);
	assert_int_equal(watch.mtu, 3000);
	assert_false(watch.up);
}

static void tells_of_each_change(void **state)
{
	(void)state;
	need_namespace();
	set_link(true);
	assert_true(more());
	assert_false(netwatch_read(&watch));
	assert_true(watch.link_seen && watch.up);
	set_link(false);
	set_link(true);
	assert_false(netwatch_read(&watch));
	assert_true(watch.up && watch.went_down);
	set_address("10.1.2.3");
	assert_false(netwatch_read(&watch));
	assert_true(watch.routes_seen);
	assert_false(netwatch_read(&watch));
	assert_false(watch.routes_seen || watch.link_seen || watch.went_down);
	set_link(false);
	assert_false(netwatch_read(&watch));
	assert_true(watch.link_seen && !watch.up && watch.went_down);
}

static void knows_how_it_is_after_more_news_than_it_can_hold(void **state)
{
	(void)state;
	need_namespace();
	set_link(false);
	for (int i = 0; i < STORM; ++i)
		set_mtu(1500 + i % 2);
	/* This one finds no room any more. */
	set_mtu(4242);
	set_link(true);
	while (more())
		assert_false(netwatch_read(&watch));
	assert_int_equal(watch.mtu, 4242);
	assert_true(watch.up);
}

/* Between the first word of the loss and the last of the old news, what happens is lost too. */
static void misses_no_route_of_the_time_of_the_loss(void **state)
{
	bool seen = false;

	(void)state;
	need_namespace();
	set_link(true);
	while (more())
		assert_false(netwatch_read(&watch));
	for (int i = 0; i < STORM; ++i)
		set_mtu(1500 + i % 2);
	assert_false(netwatch_read(&watch));
	set_address("10.4.5.6");
	while (more()) {
		assert_false(netwatch_read(&watch));
		seen |= watch.routes_seen;
	}
	assert_true(seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_how_the_link_is_at_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tells_of_each_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(knows_how_it_is_after_more_news_than_it_can_hold,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(misses_no_route_of_the_time_of_the_loss, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, set_up_namespace, NULL);
}
