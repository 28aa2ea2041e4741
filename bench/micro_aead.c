/* SPDX-License-Identifier: MIT
 * Sealing and opening, each backend: in place as the data path seals, and out of place where the
 * sealed packets are to be opened again and again. */
#include "micro.h"

#include "config.h"
#include <stdlib.h>
#include "engine/aead.h"
#ifdef HAVE_IPSEC_MB
#include "engine/aead_mb.h"
#endif

#define COUNT_MAX 45 /* what fits into one train */
#define STRIDE 1536

static const unsigned counts[] = {1, 8, COUNT_MAX};
static const size_t sizes[] = {64, 576, 1420};

struct buffers {
	uint8_t key[AEAD_KEY_LEN];
	uint8_t work[COUNT_MAX][STRIDE], sealed[COUNT_MAX][STRIDE], opened[COUNT_MAX][STRIDE];
};

/* What one backend does in the present set. */
struct job {
	struct aead aead;
	struct buffers *buffers; /* borrowed */
	struct aead_op seal[COUNT_MAX], open[COUNT_MAX];
	unsigned count;
};

static void seal(void *arg, unsigned times)
{
	struct job *job = arg;

	for (; times; times--)
		aead_seal_many(&job->aead, job->buffers->key, job->seal, job->count);
}

static void open_sealed(void *arg, unsigned times)
{
	struct job *job = arg;

	for (; times; times--)
		aead_open_many(&job->aead, job->buffers->key, job->open, job->count);
}

static void prepare(struct job *job, unsigned count, size_t size)
{
	struct buffers *buffers = job->buffers;

	job->count = count;
	for (unsigned i = 0; i < count; i++) {
		job->seal[i] = (struct aead_op){
			.dst = buffers->sealed[i],
			.src = buffers->work[i],
			.len = size,
			.counter = i,
		};
		job->open[i] = (struct aead_op){
			.dst = buffers->opened[i],
			.src = buffers->sealed[i],
			.len = size + AEAD_TAG_LEN,
			.counter = i,
		};
	}
	seal(job, 1);
	open_sealed(job, 1);
	for (unsigned i = 0; i < count; i++) {
		micro_check(job->open[i].ok, "opening what was sealed");
		job->seal[i].dst = buffers->work[i];
	}
}

static void measure(struct micro *micro, struct job *jobs, unsigned backends, unsigned count,
		    size_t size)
{
	for (unsigned i = 0; i < backends; i++) {
		prepare(&jobs[i], count, size);
		micro_add(micro, aead_name(&jobs[i].aead), count, seal, &jobs[i]);
	}
	micro_run(micro, "seal %u x %zu bytes", count, size);
	for (unsigned i = 0; i < backends; i++) {
		/* The set before has sealed the plaintext in place. */
		prepare(&jobs[i], count, size);
		micro_add(micro, aead_name(&jobs[i].aead), count, open_sealed, &jobs[i]);
	}
	micro_run(micro, "open %u x %zu bytes", count, size);
}

void micro_aead(struct micro *micro)
{
	struct job *jobs = micro_alloc(2, sizeof(*jobs));
	struct buffers *buffers = micro_alloc(1, sizeof(*buffers));
	unsigned backends = 0;
	uint64_t seed = 1;

	micro_fill(&seed, buffers, sizeof(*buffers));
	micro_check(aead_init(&jobs[backends++].aead, AEAD_SODIUM) == 0, "libsodium");
#ifdef HAVE_IPSEC_MB
	static const struct aead_backend *const mb[] = {&aead_mb, NULL};

	if (aead_init_first(&jobs[backends].aead, mb) == 0)
		backends++;
#endif
	for (unsigned i = 0; i < backends; i++)
		jobs[i].buffers = buffers;
	for (size_t size = 0; size < sizeof(sizes) / sizeof(*sizes); size++)
		for (size_t count = 0; count < sizeof(counts) / sizeof(*counts); count++)
			measure(micro, jobs, backends, counts[count], sizes[size]);
	for (unsigned i = 0; i < backends; i++)
		aead_free(&jobs[i].aead);
	free(buffers);
	free(jobs);
}
