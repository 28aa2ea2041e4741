/* SPDX-License-Identifier: MIT
 * One thread's means to send. */
#include "engine/lane.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

int lane_init(struct lane *lane, struct device *device, const struct udp *udp)
{
	*lane = (struct lane){.device = device, .udp = udp, .bytes = malloc(LANE_BYTES)};
	return lane->bytes ? 0 : -ENOMEM;
}

void lane_free(struct lane *lane)
{
	if (lane->bytes)
		sodium_memzero(lane->bytes, LANE_BYTES);
	free(lane->bytes);
	lane->bytes = NULL;
}
