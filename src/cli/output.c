/* SPDX-License-Identifier: MIT
 * write(2) to standard output. */
#include "cli/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/say.h"
#include "conf/text.h"

static int write_all(const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(STDOUT_FILENO, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			say_error("cannot write the result: %s", strerror((int)-n));
			return (int)n;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

bool output_drain(void *err, const char *data, size_t len)
{
	*(int *)err = write_all(data, len);
	return !*(int *)err;
}

static int no_memory(void)
{
	say_error("out of memory");
	return -ENOMEM;
}

int output_write(const struct text *text)
{
	return text->failed ? no_memory() : write_all(text->data, text->len);
}

int output_finish(struct text *text)
{
	const int *err = text->user;

	if (text_drain(text))
		return 0;
	return *err ? *err : no_memory();
}

void output_warn_exposed(void)
{
	struct stat st;

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO))
		say_plain("Warning: writing to world accessible file.\n"
			  "Consider setting the umask to 077 and trying again.");
}
