/* SPDX-License-Identifier: MIT
 * The word that was probably meant. Upper and lower case are the same. */
#pragma once

#include <stddef.h>

#define NEAREST_MAX 32 /* bytes; a longer word is near to nothing */

/* How many slips lie between two words of at most NEAREST_MAX bytes: a byte left out, put in, or
 * changed, or two neighbours changed about. */
unsigned nearest_distance(const char *a, size_t a_len, const char *b, size_t b_len);
/* The first of the count words that is nearest to word, or NULL if none is near enough to
 * suggest. */
const char *nearest_word(const char *word, const char *const *words, size_t count);
