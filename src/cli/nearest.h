/* SPDX-License-Identifier: MIT
 * The word that was probably meant. */
#pragma once

#include <stddef.h>

/* The first of the count words that is nearest to word, or NULL if none is near enough to
 * suggest. */
const char *nearest_word(const char *word, const char *const *words, size_t count);
