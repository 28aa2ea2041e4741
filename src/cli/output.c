/* SPDX-License-Identifier: MIT
 * write(2) to standard output. */
#include "cli/output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/say.h"
#include "conf/text.h"

int output_write(const struct text *text)
{
	const char *data = text->data;
	size_t len = text->len;

	if (text->failed) {
		say_error("out of memory");
		return -ENOMEM;
	}
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

void output_warn_exposed(void)
{
	struct stat st;

	if (!fstat(STDOUT_FILENO, &st) && S_ISREG(st.st_mode) && (st.st_mode & S_IRWXO))
		say_plain("Warning: writing to world accessible file.\n"
			  "Consider setting the umask to 077 and trying again.");
}
