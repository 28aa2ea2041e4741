/* SPDX-License-Identifier: MIT
 * Key files: compare wg(8), `set'. Says nothing of what a file holds but where it is wrong. */
#include "conf/keyfile.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include "conf/error.h"
#include "conf/key.h"
#include "conf/source.h"
#include "conf/text.h"

#define FILE_MAX 65536 /* bytes: a key, and what may trail it */

static bool is_null_device(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int read_nothing(struct key *key, const char *path, struct conf_error *error)
{
	struct stat st;

	key_wipe(key);
	if (!stat(path, &st) && (S_ISREG(st.st_mode) || is_null_device(&st)))
		return 0;
	return conf_error_set(error, EINVAL, 0, 0,
			      "nothing came: expected a key in base64; an empty file or /dev/null "
			      "removes the key");
}

static int read_text(struct key *key, const struct text *text, struct conf_error *error)
{
	static const char blanks[] = {' ', '\t', '\n', '\v', '\f', '\r'};
	size_t len = strnlen(text->data, text->len);
	unsigned line = 1, column = KEY_BASE64_LEN + 1;

	if (len < KEY_BASE64_LEN || key_from_base64(key, text->data, KEY_BASE64_LEN))
		return conf_error_set(error, EINVAL, 1, 1,
				      "this is not a key: expected %d characters of base64, the "
				      "last a '='",
				      KEY_BASE64_LEN);
	for (size_t i = KEY_BASE64_LEN; i < text->len; i++, column++) {
		if (!memchr(blanks, text->data[i], sizeof(blanks)))
			return conf_error_set(error, EINVAL, line, column,
					      "more than white space behind the key");
		if (text->data[i] == '\n') {
			line++;
			column = 0;
		}
	}
	return 0;
}

int keyfile_read(struct key *key, const char *path, struct conf_error *error)
{
	struct text text = TEXT_EMPTY;
	int err = source_read(&text, path, FILE_MAX, error);

	if (!err)
		err = text.len ? read_text(key, &text, error) : read_nothing(key, path, error);
	text_wipe(&text);
	return err;
}
