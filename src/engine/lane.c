/* SPDX-License-Identifier: MIT
 * One thread's means to send and to deliver. */
#include "engine/lane.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include "engine/device.h"
#include "engine/route.h"

static void write_joined(void *arg, const struct iovec *vectors, unsigned count)
{
	struct lane *lane = arg;

	if (tun_write(lane->tun, vectors, count))
		device_drop(lane->device, NULL, DROP_TUN_WRITE, count - 1);
}

int lane_init(struct lane *lane, struct device *device, struct udp *udp, const struct tun *tun,
	      enum aead_choice cipher)
{
	*lane = (struct lane){
		.device = device,
		.udp = udp,
		.tun = tun,
		.bytes = malloc(LANE_BYTES),
		.train = malloc(LANE_SLOT_MAX),
		.route = route_open(),
	};
	if (tun)
		join_init(&lane->joiner, tun->headers && tun->join_tcp,
			  tun->headers && tun->join_udp, write_joined, lane);
	return lane->bytes && lane->train ? aead_init(&lane->aead, cipher) : -ENOMEM;
}

void lane_free(struct lane *lane)
{
	if (lane->bytes)
		sodium_memzero(lane->bytes, LANE_BYTES);
	if (lane->train)
		sodium_memzero(lane->train, LANE_SLOT_MAX);
	free(lane->bytes);
	free(lane->train);
	lane->bytes = lane->train = NULL;
	route_close(lane->route);
	lane->route = NULL;
	aead_free(&lane->aead);
}

int lane_write(struct lane *lane, uint8_t *packet, size_t len)
{
	struct virtio_net_hdr header = {0};
	const struct iovec vectors[] = {{&header, sizeof(header)}, {packet, len}};

	return tun_write(lane->tun, vectors, 2);
}
