/* SPDX-License-Identifier: MIT
 * Runs a target over inputs that are kept, in builds without libFuzzer: those of corpus/TARGET and
 * crashes/TARGET in the source tree, or the files and directories that are named. Prints TAP; an
 * input for which a property does not hold ends the program. */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <stdbool.h>
#include <sys/stat.h>
#include "fuzz.h"

static void fail(const char *path)
{
	printf("not ok 1 - %s: %s\n", path, strerror(errno));
	exit(1);
}

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat state;
	uint8_t *data;

	if (!file || fstat(fileno(file), &state))
		fail(path);
	/* The last one printed is the one that did not come back. */
	printf("# %s\n", path);
	fflush(stdout);
	data = malloc((size_t)state.st_size + !state.st_size);
	if (!data || fread(data, 1, (size_t)state.st_size, file) != (size_t)state.st_size)
		fail(path);
	fclose(file);
	LLVMFuzzerTestOneInput(data, (size_t)state.st_size);
	free(data);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The number of inputs, in the order of their names. */
static unsigned run_directory(const char *path)
{
	struct dirent **entries;
	char name[4096];
	int count = scandir(path, &entries, is_input, alphasort);

	if (count < 0)
		fail(path);
	for (int i = 0; i < count; ++i) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		run_file(name);
		free(entries[i]);
	}
	free(entries);
	return (unsigned)count;
}

static bool is_directory(const char *path)
{
	struct stat state;

	return !stat(path, &state) && S_ISDIR(state.st_mode);
}

int main(int argc, char **argv)
{
	const char *target = basename(argv[0]);
	char corpus[4096], crashes[4096];
	unsigned count = 0, finds = 0;

	for (int i = 1; i < argc; ++i) {
		if (is_directory(argv[i]))
			run_directory(argv[i]);
		else
			run_file(argv[i]);
	}
	if (argc > 1)
		return 0;
	snprintf(corpus, sizeof(corpus), FUZZ_DIR "/corpus/%s", target);
	snprintf(crashes, sizeof(crashes), FUZZ_DIR "/crashes/%s", target);
	count = run_directory(corpus);
	if (is_directory(crashes))
		finds = run_directory(crashes);
	printf("%s 1 - %s: %u inputs\n", count ? "ok" : "not ok", target, count);
	printf("ok 2 - %s: %u inputs that once were finds\n", target, finds);
	printf("1..2\n");
	return !count;
}
