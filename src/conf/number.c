/* SPDX-License-Identifier: MIT
 * Numbers in configuration text. */
#include "conf/number.h"

#include <errno.h>
#include <string.h>

#define MARK_DIGITS_MAX 8 /* of hexadecimal */

static size_t digits_of(uint64_t value)
{
	size_t digits = 1;

	while (value /= 10)
		digits++;
	return digits;
}

int number_parse(uint64_t *value, const char *text, size_t len, uint64_t max)
{
	uint64_t sum = 0;

	/* Where the first digit says something the comparison is enough. */
	if (!len || (text[0] == '0' && len > digits_of(max)))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned char)text[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			return -EINVAL;
	}
	if (sum > max)
		return -EINVAL;
	*value = sum;
	return 0;
}

char *number_put(char *at, uint64_t value)
{
	char digits[NUMBER_TEXT_MAX];
	size_t first = sizeof(digits);

	do
		digits[--first] = (char)('0' + value % 10);
	while (value /= 10);
	memcpy(at, digits + first, sizeof(digits) - first);
	return at + sizeof(digits) - first;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int number_parse_mark(uint32_t *value, const char *text, size_t len)
{
	uint64_t wide = 0;
	int rc;

	if (len < 2 || text[0] != '0' || text[1] != 'x') {
		rc = number_parse(&wide, text, len, UINT32_MAX);
		if (rc < 0)
			return rc;
		*value = (uint32_t)wide;
		return 0;
	}
	if (len == 2 || len > 2 + MARK_DIGITS_MAX)
		return -EINVAL;
	for (size_t i = 2; i < len; i++) {
		int digit = hex_digit(text[i]);

		if (digit < 0)
			return -EINVAL;
		wide = wide << 4 | (unsigned)digit;
	}
	*value = (uint32_t)wide;
	return 0;
}
