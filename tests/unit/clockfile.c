/* SPDX-License-Identifier: MIT
 * The file that keeps the time of our initiations, over clocks that the test moves. */
#include "engine/clockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define TODAY (UINT64_C(1700000000) * SECOND)
#define HOUR (3600 * SECOND)

static uint64_t wall, since_boot;
static char directory[] = "/tmp/clockfile.XXXXXX", path[64];

/* In place of the C library's. */
int clock_gettime(clockid_t id, struct timespec *time)
{
	uint64_t now = id == CLOCK_REALTIME ? wall : since_boot;

	time->tv_sec = (time_t)(now / SECOND);
	time->tv_nsec = (long)(now % SECOND);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	wall = TODAY;
	since_boot = 100 * SECOND;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path) && errno != ENOENT;
}

static void pass(uint64_t time)
{
	wall += time;
	since_boot += time;
}

struct stamp {
	uint8_t bytes[WIRE_TIMESTAMP_LEN];
};

static struct stamp stamp(struct clockfile *clock)
{
	struct stamp stamp;

	clockfile_stamp(clock, stamp.bytes);
	return stamp;
}

static void assert_later(struct stamp late, struct stamp early)
{
	assert_true(memcmp(late.bytes, early.bytes, sizeof(late.bytes)) > 0);
}

static void start(struct clockfile *clock)
{
	clockfile_init(clock);
	clockfile_open(clock, path);
}

/* The process ends without a word. */
static void die(struct clockfile *clock)
{
	close(clock->fd);
	clock->fd = -1;
}

static void set_back(void **state)
{
	struct clockfile clock;
	struct stamp last;

	(void)state;
	start(&clock);
	last = stamp(&clock);
	for (unsigned i = 0; i < 5; ++i) {
		struct stamp next;
		pass(SECOND);
		wall -= HOUR;
		next = stamp(&clock);
		assert_later(next, last);
		last = next;
	}
	clockfile_close(&clock);
}

static void set_back_and_killed(void **state)
{
	struct clockfile clock;
	struct stamp last;

	(void)state;
	start(&clock);
	last = stamp(&clock);
	for (unsigned i = 0; i < 5; ++i) {
		struct stamp next;
		pass(SECOND);
		wall -= HOUR;
		die(&clock);
		start(&clock);
		next = stamp(&clock);
		assert_later(next, last);
		last = next;
	}
	/* Put right again, it is just what the wall clock says. */
	wall += 5 * HOUR;
	clockfile_close(&clock);
	start(&clock);
	last = stamp(&clock);
	clockfile_close(&clock);
	unlink(path);
	start(&clock);
	struct stamp plain = stamp(&clock);
	assert_memory_equal(last.bytes, plain.bytes, sizeof(last.bytes));
	clockfile_close(&clock);
}

static void only_its_owner_may_read_it(void **state)
{
	struct clockfile clock;
	struct stat stat;

	(void)state;
	start(&clock);
	assert_int_equal(fstat(clock.fd, &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0600);
	assert_int_equal(fcntl(clock.fd, F_GETFD), FD_CLOEXEC);
	clockfile_close(&clock);
}

/* The machine stops while a record is being written: the other one counts. */
static void one_record_is_torn(void **state)
{
	(void)state;
	for (off_t torn = 0; torn < 1024; torn += 512) {
		struct clockfile clock;
		struct stamp last;

		unlink(path);
		set_up(NULL);
		start(&clock);
		for (off_t i = 0; i < 4 + torn / 512; ++i) {
			pass(HOUR + SECOND);
			last = stamp(&clock);
		}
		/* What would be written next. */
		assert_int_equal(clock.slot, torn / 512);
		assert_int_equal(pwrite(clock.fd, "torn", 4, torn + 30), 4);
		wall = 0;
		pass(SECOND);
		die(&clock);
		start(&clock);
		assert_false(clock.warned);
		/* And it is that one which is written over. */
		assert_int_equal(clock.slot, torn / 512);
		assert_later(stamp(&clock), last);
		clockfile_close(&clock);
	}
}

static void warns_once(struct clockfile *clock)
{
	struct stamp last = stamp(clock);

	assert_true(clock->warned);
	pass(SECOND);
	wall -= HOUR;
	assert_later(stamp(clock), last);
	clockfile_close(clock);
}

static void what_is_no_state_file_is_left_alone(void **state)
{
	struct clockfile clock;
	char text[8] = "";
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)state;
	assert_int_equal(write(fd, "precious", 8), 8);
	close(fd);
	start(&clock);
	assert_int_equal(clock.fd, -1);
	warns_once(&clock);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, 8), 8);
	assert_memory_equal(text, "precious", 8);
	close(fd);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	start(&clock);
	assert_int_equal(clock.fd, -1);
	warns_once(&clock);
}

static void no_such_directory(void **state)
{
	struct clockfile clock;

	(void)state;
	clockfile_init(&clock);
	clockfile_open(&clock, "/nonexistent/clock");
	assert_int_equal(clock.fd, -1);
	warns_once(&clock);
}

/* No room for the file, and then an error while writing: both are lived with, the second is
 * tried again. */
static void full_disk(void **state)
{
	struct clockfile clock;
	int fd;

	(void)state;
	clockfile_init(&clock);
	clockfile_open(&clock, "/dev/full");
	assert_int_equal(clock.fd, -1);
	warns_once(&clock);

	start(&clock);
	fd = clock.fd;
	clock.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	assert_true(clock.fd >= 0);
	stamp(&clock);
	assert_true(clock.warned);
	assert_int_equal(clock.time.reserved, 0);
	close(clock.fd);
	clock.fd = fd;
	stamp(&clock);
	assert_int_equal(clock.time.reserved, wall + TAI64N_RESERVE);
	clockfile_close(&clock);
}

/* 32 bits of seconds end in 2038. */
static void the_clock_goes_on(void **state)
{
	(void)state;
	assert_true(sizeof(time_t) >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(set_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(set_back_and_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_its_owner_may_read_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_record_is_torn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_state_file_is_left_alone, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(no_such_directory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_disk, set_up, tear_down),
		cmocka_unit_test(the_clock_goes_on),
	};

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/clock", directory);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
