/* SPDX-License-Identifier: MIT
 * Clocks, and a file of two records. */
#include "engine/clockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "engine/blake2s.h"
#include "engine/log.h"
#include "engine/noise.h"

/* Apart, so that no sector of a disk holds both. */
#define SLOT_SIZE 512
#define SLOTS 2
#define FILE_SIZE (SLOTS * SLOT_SIZE)

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* Zeros where the system does not tell. */
static void read_boot(uint8_t boot[TAI64N_BOOT_LEN])
{
	char text[64];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	memset(boot, 0, TAI64N_BOOT_LEN);
	if (len > 0)
		blake2s_hash(boot, TAI64N_BOOT_LEN, text, (size_t)len, NULL, 0);
}

void clockfile_init(struct clockfile *clock)
{
	uint8_t boot[TAI64N_BOOT_LEN];

	*clock = (struct clockfile){.fd = -1};
	read_boot(boot);
	tai64n_init(&clock->time, boot);
}

/* 0; -EEXIST: it is something else, which is left alone; or -errno. */
static int take_room(int fd)
{
	struct stat stat;

	if (fstat(fd, &stat))
		return -errno;
	if (!S_ISREG(stat.st_mode) || (stat.st_size && stat.st_size != FILE_SIZE))
		return -EEXIST;
	return stat.st_size ? 0 : -posix_fallocate(fd, 0, FILE_SIZE);
}

static void restore(struct clockfile *clock)
{
	uint64_t now = read_clock(CLOCK_BOOTTIME), best = 0;
	uint8_t record[TAI64N_RECORD_LEN];

	for (unsigned i = 0; i < SLOTS; ++i) {
		if (pread(clock->fd, record, sizeof(record), (off_t)i * SLOT_SIZE) !=
			    sizeof(record) ||
		    tai64n_restore(&clock->time, record, now) || clock->time.offset <= best)
			continue;
		/* The record that says less is the first to be written over. */
		best = clock->time.offset;
		clock->slot = (i + 1) % SLOTS;
	}
}

static void warn(struct clockfile *clock, const char *what, int err)
{
	if (!clock->warned)
		log_error("%s: %s; without it peers may refuse us after a restart with the clock "
			  "set back",
			  what, err == -EEXIST ? "not a state file" : strerror(-err));
	clock->warned = true;
}

void clockfile_open(struct clockfile *clock, const char *path)
{
	int err = 0;

	/* O_NONBLOCK: of a pipe it shall not wait for the other end. */
	clock->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
	err = clock->fd < 0 ? -errno : take_room(clock->fd);
	if (!err) {
		restore(clock);
		return;
	}
	warn(clock, path, err);
	if (clock->fd >= 0)
		close(clock->fd);
	clock->fd = -1;
}

static void save(struct clockfile *clock)
{
	uint8_t record[TAI64N_RECORD_LEN];
	ssize_t len;

	if (clock->fd < 0)
		return;
	tai64n_record(&clock->time, record);
	len = pwrite(clock->fd, record, sizeof(record), (off_t)clock->slot * SLOT_SIZE);
	clock->slot = (clock->slot + 1) % SLOTS;
	if (len == sizeof(record) && !fdatasync(clock->fd))
		return;
	warn(clock, "state file", len < 0 ? -errno : -ENOSPC);
	/* Nothing is reserved: the next initiation tries again. */
	clock->time.reserved = 0;
}

void clockfile_stamp(struct clockfile *clock, uint8_t timestamp[WIRE_TIMESTAMP_LEN])
{
	/* In this order what is taken for their difference is never more than it is. */
	uint64_t wall = read_clock(CLOCK_REALTIME), now = read_clock(CLOCK_BOOTTIME);
	bool due;

	uint64_t at = tai64n_at(&clock->time, now, wall, &due);
	if (due)
		save(clock);
	noise_timestamp(timestamp, (int64_t)(at / SECOND), (uint32_t)(at % SECOND));
}

void clockfile_close(struct clockfile *clock)
{
	if (clock->fd < 0)
		return;
	/* Nothing more will be claimed: else many short runs would take us ahead of the time. The
	 * other record reserved more, so it has to go too. */
	for (unsigned i = 0; i < SLOTS && clock->time.reserved; ++i) {
		clock->time.reserved = read_clock(CLOCK_BOOTTIME) + clock->time.offset;
		save(clock);
	}
	close(clock->fd);
	clock->fd = -1;
}
