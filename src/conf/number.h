/* SPDX-License-Identifier: MIT
 * Numbers in configuration text: digits and nothing else, so no sign and no white space. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NUMBER_TEXT_MAX 20 /* digits of 64 bits */

/* Decimal, at most max, with no more digits than max has. 0 or -EINVAL. */
int number_parse(uint64_t *value, const char *text, size_t len, uint64_t max);
/* "0x" (lower-case x) and 1 to 8 hexadecimal digits, or decimal as above. 0 or -EINVAL. */
int number_parse_mark(uint32_t *value, const char *text, size_t len);
/* Writes the number in decimal, without a NUL; where it ends. */
char *number_put(char *at, uint64_t value);
