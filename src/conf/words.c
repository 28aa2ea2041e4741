/* SPDX-License-Identifier: MIT
 * Strings, each in memory of its own. */
#include "conf/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_FIRST 4

int words_add(struct words *words, const char *text, size_t len)
{
	char *word;

	if (words->count == words->size) {
		size_t size = words->size ? words->size * 2 : WORDS_FIRST;
		char **items = reallocarray(words->items, size, sizeof(*items));

		if (!items)
			return -ENOMEM;
		words->items = items;
		words->size = size;
	}
	word = malloc(len + 1);
	if (!word)
		return -ENOMEM;
	memcpy(word, text, len);
	word[len] = '\0';
	words->items[words->count++] = word;
	return 0;
}

void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct words){0};
}
