/* SPDX-License-Identifier: MIT
 * The start-up test against kernels of our own making: one that takes all, one that takes none, and
 * such as refuse one kind. The unit is compiled into this test, over a tun_write of the test's. */
#include "engine/tun.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>
#include <cmocka.h>

static int refused = -1; /* a gso_type that is no good to this kernel */
static unsigned written;

static int fake_write(const struct tun *tun, const struct iovec *vectors, unsigned count)
{
	const struct virtio_net_hdr *header = vectors[0].iov_base;

	(void)tun;
	assert_int_equal(count, 3);
	assert_int_equal(header->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(header->gso_size, 8);
	++written;
	return header->gso_type == refused ? -EINVAL : -EIO;
}

#define tun_write fake_write
#include "engine/offload.c"

static void expect(int type, bool tcp, bool udp)
{
	struct tun tun = {.headers = true, .join_tcp = true, .join_udp = true};

	refused = type;
	offload_prove(&tun);
	assert_int_equal(tun.join_tcp, tcp);
	assert_int_equal(tun.join_udp, udp);
}

static void test_kinds(void **state)
{
	(void)state;
	expect(-1, true, true);
	expect(VIRTIO_NET_HDR_GSO_TCPV4, false, true);
	expect(VIRTIO_NET_HDR_GSO_TCPV6, false, true);
	expect(VIRTIO_NET_HDR_GSO_UDP_L4, true, false);
}

/* What the kernel does not have is not asked about. */
static void test_absent(void **state)
{
	struct tun tun = {.headers = true};

	(void)state;
	written = 0;
	offload_prove(&tun);
	assert_int_equal(written, 0);
	assert_false(tun.join_tcp);
	assert_false(tun.join_udp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
