/* SPDX-License-Identifier: MIT
 * A list of strings that grows. */
#pragma once

#include <stddef.h>

struct words {
	char **items; /* owned, and each of them */
	size_t count, size;
};

/* Copies len bytes, which hold no NUL, to the end of the list. 0 or -ENOMEM. */
int words_add(struct words *words, const char *text, size_t len);
/* Frees all; *words is empty again. */
void words_free(struct words *words);
