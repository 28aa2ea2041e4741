/* SPDX-License-Identifier: MIT
 * Peers are the same if their keys are. */
#include "cli/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/device.h"
#include "cli/peername.h"
#include "conf/error.h"

#define WAIT_MS 1000 /* for an engine that is silent: the terminal waits meanwhile */

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t rate(uint64_t old, uint64_t new, uint64_t ms)
{
	return ms && new >= old ? (uint64_t)((double)(new - old) * 1000 / (double)ms)
				: SAMPLE_UNKNOWN;
}

struct sample_rate *sample_rates(const struct model *old, const struct model *new, uint64_t ms)
{
	struct sample_rate *rates = NULL;
	struct model_index before;

	if (!model_index_build(&before, old))
		rates = calloc(new->peer_count + 1, sizeof(*rates));
	for (size_t i = 0; rates && i < new->peer_count; i++) {
		const struct model_peer *is = &new->peers[i];
		const struct model_peer *was = model_index_find(&before, &is->public_key);

		rates[i].rx = was ? rate(was->rx_bytes, is->rx_bytes, ms) : SAMPLE_UNKNOWN;
		rates[i].tx = was ? rate(was->tx_bytes, is->tx_bytes, ms) : SAMPLE_UNKNOWN;
	}
	free(before.peers);
	return rates;
}

static const char *problem(int err)
{
	if (err == -ENOENT || err == -ECONNREFUSED || err == -ENODEV)
		return "gone";
	return err == -ETIMEDOUT ? "the engine does not answer" : strerror(-err);
}

/* Nobody sees them, and the model lives long. */
static void forget_secrets(struct model *model)
{
	key_wipe(&model->private_key);
	for (size_t i = 0; i < model->peer_count; i++)
		key_wipe(&model->peers[i].preshared_key);
}

int sample_take(struct sample *sample)
{
	struct model model = MODEL_EMPTY;
	struct sample_rate *rates = NULL;
	uint64_t taken = 0;
	int err = device_get_within(sample->name, WAIT_MS, &model, NULL);

	sample->problem = err ? problem(err) : NULL;
	if (!err) {
		forget_secrets(&model);
		peername_fill(sample->name, &model);
		taken = now_ms();
		rates = sample_rates(&sample->model, &model, taken - sample->taken);
		err = rates ? 0 : -ENOMEM;
	}
	sample_wipe(sample);
	sample->model = model;
	sample->rates = rates;
	sample->taken = taken;
	return err == -ENOMEM ? err : 0;
}

void sample_wipe(struct sample *sample)
{
	model_wipe(&sample->model);
	free(sample->rates);
	sample->rates = NULL;
}
