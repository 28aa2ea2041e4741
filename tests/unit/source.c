/* SPDX-License-Identifier: MIT
 * Whole files: regular ones, pipes, and what is refused. */
#include "conf/source.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "conf/error.h"
#include "conf/text.h"

struct folder {
	char path[64];
	char file[80];
};

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	strcpy(folder->path, "/tmp/source-XXXXXX");
	if (!mkdtemp(folder->path)) {
		free(folder);
		return -1;
	}
	snprintf(folder->file, sizeof(folder->file), "%s/file", folder->path);
	*state = folder;
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;

	unlink(folder->file);
	rmdir(folder->path);
	free(folder);
	return 0;
}

static void write_file(const char *path, char byte, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(fputc(byte, file), byte);
	assert_int_equal(fclose(file), 0);
}

static void sizes(void **state)
{
	static const size_t lens[] = {0, 1, 100, 16383, 16384, 16385, 100000};
	const struct folder *folder = *state;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct conf_error error = {0};
		struct text text = TEXT_EMPTY;

		write_file(folder->file, 'x', lens[i]);
		assert_int_equal(source_read(&text, folder->file, lens[i], &error), 0);
		assert_int_equal(text.len, lens[i]);
		assert_int_equal(strspn(text.data, "x"), lens[i]);
		text_wipe(&text);
		if (!lens[i])
			continue;
		assert_int_equal(source_read(&text, folder->file, lens[i] - 1, &error), -EFBIG);
		assert_int_equal(error.err, EFBIG);
		assert_null(text.data);
	}
}

static void *write_pipe(void *path)
{
	write_file(path, 'y', 200000);
	return NULL;
}

static void pipes(void **state)
{
	struct folder *folder = *state;
	struct conf_error error = {0};
	struct text text = TEXT_EMPTY;
	pthread_t writer;

	assert_int_equal(mkfifo(folder->file, 0600), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_pipe, folder->file), 0);
	assert_int_equal(source_read(&text, folder->file, 200000, &error), 0);
	assert_int_equal(text.len, 200000);
	pthread_join(writer, NULL);
	text_wipe(&text);
}

/* As a shell's <(command) and < file come. */
static void descriptors(void **state)
{
	struct text text = TEXT_EMPTY;
	char path[32];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	assert_int_equal(source_read(&text, path, 10, NULL), 0);
	assert_string_equal(text.data, "abc");
	close(fds[0]);
	text_wipe(&text);
}

static void refuses(void **state)
{
	const struct folder *folder = *state;
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	struct conf_error error = {0};
	struct text text = TEXT_EMPTY;
	int fd;

	assert_int_equal(source_read(&text, folder->file, 10, &error), -ENOENT);
	assert_string_equal(error.what, "cannot open the file: No such file or directory");
	assert_int_equal(source_read(&text, "", 10, NULL), -ENOENT);
	assert_int_equal(source_read(&text, folder->path, 10, &error), -EISDIR);
	assert_string_equal(error.what, "this is a directory, not a file");
	assert_int_equal(source_read(&text, "/dev/zero", 10, &error), -EFBIG);
	assert_string_equal(error.what, "the file is larger than 10 bytes");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_true(fd >= 0);
	memcpy(name.sun_path, folder->file, strlen(folder->file));
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(source_read(&text, folder->file, 10, &error), -ENXIO);
	close(fd);
	assert_null(text.data);
}

/* A terminal and /dev/null are such too: `wgctl setconf wg0 /dev/null' asks for nothing at all. */
static void reads_a_device(void **state)
{
	struct text text = TEXT_EMPTY;

	(void)state;
	assert_int_equal(source_read(&text, "/dev/null", 10, NULL), 0);
	assert_int_equal(text.len, 0);
	text_wipe(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sizes, set_up, tear_down),
		cmocka_unit_test(reads_a_device),
		cmocka_unit_test_setup_teardown(pipes, set_up, tear_down),
		cmocka_unit_test(descriptors),
		cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
