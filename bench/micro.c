/* SPDX-License-Identifier: MIT
 * The program of the micro-benchmarks: micro [-r ROUNDS] [SET...]. The variants of a set take turns
 * within each round, so that a noisy machine hurts all of them alike. Times are CPU time of the one
 * thread; a Markdown table goes to stdout. */
#include "micro.h"

#include "config.h"
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

#define VARIANTS_MAX 8
#define ROUNDS_MAX 1001
#define ROUNDS_DEFAULT 31
#define SAMPLE_NANOSECONDS 1e6
#define TITLE_MAX 64

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

struct variant {
	const char *name; /* borrowed, like arg */
	unsigned operations, times;
	micro_work *work;
	void *arg;
	double samples[ROUNDS_MAX]; /* nanoseconds an operation */
};

struct micro {
	unsigned rounds, count;
	struct variant variants[VARIANTS_MAX];
};

void micro_check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "micro: failed: %s\n", what);
	exit(1);
}

void *micro_alloc(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	micro_check(memory, "memory");
	return memory;
}

/* SplitMix64 */
uint64_t micro_draw(uint64_t *seed)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void micro_fill(uint64_t *seed, void *bytes, size_t len)
{
	uint8_t *at = bytes;

	for (; len; len--)
		*at++ = (uint8_t)micro_draw(seed);
}

void micro_add(struct micro *micro, const char *name, unsigned operations, micro_work *work,
	       void *arg)
{
	struct variant *variant = &micro->variants[micro->count];

	micro_check(micro->count < VARIANTS_MAX, "too many variants in a set");
	variant->name = name;
	variant->operations = operations;
	variant->work = work;
	variant->arg = arg;
	micro->count++;
}

static double sample(const struct variant *variant, unsigned times)
{
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	variant->work(variant->arg, times);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	return (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
}

/* How often to do it for one sample; warms up too. */
static unsigned calibrate(const struct variant *variant)
{
	unsigned times = 1;

	for (; times < 1u << 24; times *= 2)
		if (sample(variant, times) >= SAMPLE_NANOSECONDS)
			break;
	return times;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print_row(const char *title, const struct variant *variant, double median, double base)
{
	static const char units[] = " kMG";
	double rate = 1e9 / variant->samples[0];
	unsigned unit = 0;

	for (; rate >= 1000 && unit < sizeof(units) - 2; unit++)
		rate /= 1000;
	printf("| %-36s | %-44s | %9.1f | %9.1f | %6.1f %c/s | %6.2f |\n", title, variant->name,
	       variant->samples[0], median, rate, units[unit], variant->samples[0] / base);
}

void micro_run(struct micro *micro, const char *title, ...)
{
	char text[TITLE_MAX];
	va_list args;

	va_start(args, title);
	vsnprintf(text, sizeof(text), title, args);
	va_end(args);
	for (unsigned i = 0; i < micro->count; i++)
		micro->variants[i].times = calibrate(&micro->variants[i]);
	for (unsigned round = 0; round < micro->rounds; round++) {
		for (unsigned i = 0; i < micro->count; i++) {
			struct variant *variant = &micro->variants[i];
			double operations = (double)variant->times * variant->operations;

			variant->samples[round] = sample(variant, variant->times) / operations;
		}
	}
	for (unsigned i = 0; i < micro->count; i++) {
		struct variant *variant = &micro->variants[i];

		qsort(variant->samples, micro->rounds, sizeof(*variant->samples), compare);
		print_row(i ? "" : text, variant, variant->samples[micro->rounds / 2],
			  micro->variants[0].samples[0]);
	}
	fflush(stdout);
	micro->count = 0;
}

/* The processor's name as Linux tells it; "unknown" where it has none. */
static void read_cpu(char *name, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(name, size, "unknown CPU");
	while (file && fgets(line, sizeof(line), file)) {
		const char *value = strchr(line, ':');

		if (!value || strncmp(line, "model name", 10) != 0)
			continue;
		snprintf(name, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
		break;
	}
	if (file)
		fclose(file);
}

static void print_header(unsigned rounds)
{
	char cpu[128];
	struct utsname system;

	read_cpu(cpu, sizeof(cpu));
	micro_check(uname(&system) == 0, "uname");
	printf("%s, %ld cores, Linux %s; %s; libsodium %s; ", cpu, sysconf(_SC_NPROCESSORS_ONLN),
	       system.release, COMPILER, sodium_version_string());
#ifdef HAVE_IPSEC_MB
	printf("libipsec-mb %s; ", imb_get_version_str());
#else
	printf("no libipsec-mb; ");
#endif
	printf("%u rounds. Nanoseconds of CPU time an operation; the rate and the ratio (to the "
	       "first of the set; less is faster) are those of the minima.\n\n",
	       rounds);
	printf("| %-36s | %-44s | %9s | %9s | %10s | %6s |\n", "what", "how", "min ns", "median ns",
	       "rate", "ratio");
	printf("|---|---|---:|---:|---:|---:|\n");
}

struct set {
	const char *name;
	void (*measure)(struct micro *micro);
};

static const struct set sets[] = {
	{"aead", micro_aead},
	{"packets", micro_packets},
	{"tables", micro_tables},
	{"session", micro_session},
};
#define SETS (sizeof(sets) / sizeof(*sets))

/* Is it among the names, or are there none? */
static bool wanted(const char *name, char **names)
{
	bool any = !*names;

	for (; *names; names++)
		any |= strcmp(name, *names) == 0;
	return any;
}

static bool known(const char *name)
{
	for (size_t i = 0; i < SETS; i++)
		if (strcmp(name, sets[i].name) == 0)
			return true;
	return false;
}

static int usage(void)
{
	fprintf(stderr, "usage: micro [-r ROUNDS] [SET...]\nsets:");
	for (size_t i = 0; i < SETS; i++)
		fprintf(stderr, " %s", sets[i].name);
	fprintf(stderr, "\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct micro micro = {.rounds = ROUNDS_DEFAULT};
	int option;

	while ((option = getopt(argc, argv, "r:")) != -1) {
		if (option != 'r')
			return usage();
		micro.rounds = (unsigned)strtoul(optarg, NULL, 10);
		if (micro.rounds < 1 || micro.rounds > ROUNDS_MAX)
			return usage();
	}
	for (int i = optind; i < argc; i++)
		if (!known(argv[i]))
			return usage();
	micro_check(sodium_init() >= 0, "sodium_init");
	print_header(micro.rounds);
	for (size_t i = 0; i < SETS; i++)
		if (wanted(sets[i].name, argv + optind))
			sets[i].measure(&micro);
	return 0;
}
