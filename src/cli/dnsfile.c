/* SPDX-License-Identifier: MIT
 * A new file takes the place of the old one, whole. Where that cannot be (a container has its file
 * mounted there, the folder is not writable) the same file is written anew, in one go, once there
 * is room for it. A link is replaced, for whoever looks after the file behind it goes on doing so.
 */
#include "cli/dnsfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/dnstext.h"
#include "cli/record.h"
#include "conf/error.h"
#include "conf/source.h"
#include "conf/text.h"

#define PATH "/etc/resolv.conf"
#define NEW_PATH PATH ".wgctl"
#define LOCK_DIRECTORY "/run/wgctl" /* nobody else's, where locks can be held up by nobody else */
#define FILE_MAX (1u << 20)         /* bytes */

struct place {
	struct text old; /* what is read there */
	struct stat st;
	bool exists;           /* the file, or behind a link the one there */
	char target[PATH_MAX]; /* it is a link to this; "": it is none */
};

static int look(struct place *place, struct conf_error *why)
{
	ssize_t len = readlink(PATH, place->target, sizeof(place->target) - 1);

	place->target[len > 0 ? len : 0] = '\0';
	place->exists = !stat(PATH, &place->st);
	return place->exists ? source_read(&place->old, PATH, FILE_MAX, why) : 0;
}

static int sync_and_close(int fd, int err)
{
	if (!err && fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

static int write_whole(int fd, const struct text *text)
{
	ssize_t len;

	if (!text->len)
		return 0;
	len = pwrite(fd, text->data, text->len, 0);
	if (len == (ssize_t)text->len)
		return 0;
	return len < 0 ? -errno : -ENOSPC;
}

/* What is at NEW_PATH takes PATH's place. */
static int move(int err)
{
	if (!err && rename(NEW_PATH, PATH))
		err = -errno;
	if (err)
		(void)unlink(NEW_PATH);
	return err;
}

static int replace(const struct place *place, const struct text *text)
{
	const mode_t mode = place->exists ? place->st.st_mode & 07777 : 0644;
	int fd, err;

	(void)unlink(NEW_PATH);
	fd = open(NEW_PATH, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	err = write_whole(fd, text);
	if (!err && place->exists && fchown(fd, place->st.st_uid, place->st.st_gid))
		err = -errno;
	if (!err && fchmod(fd, mode))
		err = -errno;
	return move(sync_and_close(fd, err));
}

/* Readers see the old text, or the new one with empty lines after it. */
static int overwrite_with(int fd, size_t old_len, const struct text *text)
{
	struct text padded = TEXT_EMPTY;
	int err;

	text_append(&padded, text->len ? text->data : "", text->len);
	while (padded.len < old_len && !padded.failed)
		text_puts(&padded, "\n");
	err = padded.failed ? -ENOMEM : write_whole(fd, &padded);
	text_wipe(&padded);
	if (!err && ftruncate(fd, (off_t)text->len))
		err = -errno;
	return err;
}

static int overwrite(const struct place *place, const struct text *text)
{
	const size_t len = text->len > place->old.len ? text->len : place->old.len;
	int fd = open(PATH, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)len + 1) && errno == ENOSPC)
		err = -ENOSPC;
	if (!err) {
		err = overwrite_with(fd, place->old.len, text);
		if (err)
			(void)overwrite_with(fd, len, &place->old);
	}
	return sync_and_close(fd, err);
}

/* Behind a link nothing else can be done but to write there. */
static int write_file(const struct place *place, const struct text *text)
{
	const bool is_link = place->target[0];
	int err = is_link ? 0 : replace(place, text);

	if (is_link || (err && place->exists))
		return overwrite(place, text);
	return err;
}

static int restore_link(const char *target)
{
	(void)unlink(NEW_PATH);
	return move(symlink(target, NEW_PATH) ? -errno : 0);
}

/* The link goes; the file that it leads to needs no keeping. */
static int replace_link(const struct place *place, struct dnstext *dns)
{
	const struct text before = dns->before;
	struct text text = TEXT_EMPTY;
	int err;

	dns->before = (struct text)TEXT_EMPTY;
	snprintf(dns->target, sizeof(dns->target), "%s", place->target);
	dnstext_write(dns, &text);
	err = text.failed ? -ENOMEM : replace(place, &text);
	text_wipe(&text);
	dns->before = before;
	dns->target[0] = '\0';
	return err;
}

static int store(const struct place *place, struct dnstext *dns)
{
	struct text text = TEXT_EMPTY;
	int err;

	dnstext_write(dns, &text);
	if (text.failed)
		err = -ENOMEM;
	else if (!dns->count && dns->target[0])
		err = restore_link(dns->target);
	else if (!dns->count && dns->is_absent && !text.len && !unlink(PATH))
		err = 0;
	else
		err = write_file(place, &text);
	text_wipe(&text);
	return err;
}

/* -1: there is none to be had. */
static int lock(void)
{
	int fd = open(LOCK_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)flock(fd, LOCK_EX);
	return fd;
}

static int put(struct place *place, struct dnstext *dns, const char *name, const char *lines)
{
	const bool is_first = !dns->count;
	char boot[RECORD_BOOT_MAX];
	int err;

	if (is_first)
		dns->is_absent = !place->exists;
	dnstext_drop_old(dns, record_read_boot(boot));
	err = dnstext_put(dns, name, boot, lines);
	if (err)
		return err;
	if (is_first && place->target[0] && !replace_link(place, dns))
		return 0;
	return store(place, dns);
}

static int drop(struct place *place, struct dnstext *dns, const char *name, const char *lines,
		bool *found)
{
	char boot[RECORD_BOOT_MAX];

	*found = dnstext_drop(dns, name, lines);
	if (!dnstext_drop_old(dns, record_read_boot(boot)) && !*found)
		return 0;
	return store(place, dns);
}

/* The two above, on what is there. found is NULL to put. */
static int change(const char *name, const char *lines, bool *found, struct conf_error *why)
{
	struct place place = {0};
	struct dnstext dns = {0};
	int fd = lock();
	int err = look(&place, why);

	if (!err) {
		err = dnstext_read(&dns, place.old.data, place.old.len);
		if (!err)
			err = found ? drop(&place, &dns, name, lines, found)
				    : put(&place, &dns, name, lines);
		if (err)
			conf_error_set(why, -err, 0, 0, "cannot write %s: %s", PATH,
				       strerror(-err));
	}
	dnstext_free(&dns);
	text_wipe(&place.old);
	if (fd >= 0)
		close(fd);
	return err;
}

int dnsfile_put(const char *name, const char *lines, struct conf_error *why)
{
	return change(name, lines, NULL, why);
}

int dnsfile_drop(const char *name, const char *lines, bool *found, struct conf_error *why)
{
	*found = false;
	return change(name, lines, found, why);
}
