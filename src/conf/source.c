/* SPDX-License-Identifier: MIT
 * Reads a file that may hold keys whole, and leaves no copy behind. */
#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/error.h"
#include "conf/text.h"

#define CHUNK 16384 /* bytes of one read() */

static int too_large(size_t max, struct conf_error *error)
{
	return conf_error_set(error, EFBIG, 0, 0, "the file is larger than %zu bytes", max);
}

static int check_file(struct text *text, int fd, size_t max, struct conf_error *error)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return conf_error_set(error, errno, 0, 0, "cannot look at the file: %m");
	if (S_ISDIR(status.st_mode))
		return conf_error_set(error, EISDIR, 0, 0, "this is a directory, not a file");
	if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode))
		return conf_error_set(error, EINVAL, 0, 0,
				      "this is neither a regular file, a pipe nor a terminal");
	if (S_ISREG(status.st_mode) && status.st_size > (off_t)max)
		return too_large(max, error);
	/* So that it need not grow on the way. */
	if (S_ISREG(status.st_mode))
		text_reserve(text, (size_t)status.st_size);
	return 0;
}

static int read_all(struct text *text, int fd, size_t max, struct conf_error *error)
{
	char chunk[CHUNK];
	ssize_t got = 1;
	int rc = 0;

	while (got != 0 && text->len <= max && rc == 0) {
		got = read(fd, chunk, sizeof(chunk));
		if (got > 0)
			text_append(text, chunk, (size_t)got);
		else if (got < 0 && errno != EINTR)
			rc = conf_error_set(error, errno, 0, 0, "cannot read the file: %m");
		if (text->failed)
			rc = conf_error_set(error, ENOMEM, 0, 0, "out of memory");
	}
	if (rc == 0 && text->len > max)
		rc = too_large(max, error);
	sodium_memzero(chunk, sizeof(chunk));
	return rc;
}

int source_read(struct text *text, const char *path, size_t max, struct conf_error *error)
{
	int fd, rc;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return conf_error_set(error, errno, 0, 0, "cannot open the file: %m");
	rc = check_file(text, fd, max, error);
	if (rc == 0)
		rc = read_all(text, fd, max, error);
	if (rc == 0)
		text_append(text, "", 0);
	if (rc == 0 && text->failed)
		rc = conf_error_set(error, ENOMEM, 0, 0, "out of memory");
	if (rc < 0)
		text_wipe(text);
	close(fd);
	return rc;
}

bool source_is_exposed(const char *path)
{
	char real[PATH_MAX], *parent;
	struct stat st, directory;

	if (!realpath(path, real) || stat(real, &st))
		return false;
	parent = dirname(real);
	return !stat(parent, &directory) && (st.st_mode & directory.st_mode & S_IRWXO);
}
