/* SPDX-License-Identifier: MIT
 * Strings, each in memory of its own. */
#include "conf/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf/array.h"

int words_add(struct words *words, const char *text, size_t len)
{
	char **items = array_room(words->items, words->count, &words->size, sizeof(*items));
	char *word;

	if (!items)
		return -ENOMEM;
	words->items = items;
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
