/* SPDX-License-Identifier: MIT
 * The growing buffer: what it holds after any appends and consumes, and that it wipes. */
#include "conf/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void empty(void **state)
{
	struct text text = TEXT_EMPTY;

	(void)state;
	text_wipe(&text);
	text_consume(&text, 0);
	assert_null(text.data);
	text_append(&text, "", 0);
	assert_string_equal(text.data, "");
	assert_int_equal(text.len, 0);
	text_wipe(&text);
	assert_null(text.data);
	assert_int_equal(text.size, 0);
}

static void appends(void **state)
{
	struct text text = TEXT_EMPTY;

	(void)state;
	text_puts(&text, "one");
	text_append(&text, " two and more", 4);
	text_printf(&text, " %d%s", 3, " four");
	assert_string_equal(text.data, "one two 3 four");
	assert_int_equal(text.len, strlen("one two 3 four"));
	text_append(&text, "\0x", 2);
	assert_int_equal(text.len, strlen("one two 3 four") + 2);
	assert_int_equal(text.data[text.len], '\0');
	assert_false(text.failed);
	text_wipe(&text);
}

/* At each length around the sizes that the buffer grows through. */
static void grows(void **state)
{
	(void)state;
	for (size_t len = 0; len < 1100; len++) {
		struct text byte = TEXT_EMPTY, whole = TEXT_EMPTY, printed = TEXT_EMPTY;
		char *expected = malloc(len + 1);

		assert_non_null(expected);
		memset(expected, 'x', len);
		expected[len] = '\0';
		for (size_t i = 0; i < len; i++)
			text_append(&byte, "x", 1);
		text_puts(&whole, expected);
		text_printf(&printed, "%s", expected);
		if (len)
			assert_string_equal(byte.data, expected);
		assert_string_equal(whole.data, expected);
		assert_string_equal(printed.data, expected);
		assert_int_equal(printed.len, len);
		assert_true(printed.size > len);
		text_wipe(&byte);
		text_wipe(&whole);
		text_wipe(&printed);
		free(expected);
	}
}

static void consumes(void **state)
{
	struct text text = TEXT_EMPTY;

	(void)state;
	text_puts(&text, "get=1\n\nset=1\n");
	text_consume(&text, 0);
	assert_string_equal(text.data, "get=1\n\nset=1\n");
	text_consume(&text, 7);
	assert_string_equal(text.data, "set=1\n");
	/* The bytes behind are gone, not only out of the way. */
	for (size_t i = text.len; i < text.len + 7; i++)
		assert_int_equal(text.data[i], 0);
	text_consume(&text, text.len);
	assert_int_equal(text.len, 0);
	for (size_t i = 0; i < 13; i++)
		assert_int_equal(text.data[i], 0);
	text_puts(&text, "again");
	assert_string_equal(text.data, "again");
	text_wipe(&text);
}

static void random_steps(void **state)
{
	struct text text = TEXT_EMPTY;
	char model[4096];
	size_t len = 0;
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t count;

		seed = seed * 1664525 + 1013904223;
		count = seed >> 16 & 63;
		if ((seed >> 30 & 1) && len + count < sizeof(model)) {
			memset(model + len, 'a' + (int)(seed >> 24 & 15), count);
			text_append(&text, model + len, count);
			len += count;
		} else {
			count = count < len ? count : len;
			text_consume(&text, count);
			memmove(model, model + count, len - count);
			len -= count;
		}
		assert_int_equal(text.len, len);
		if (len)
			assert_memory_equal(text.data, model, len);
	}
	assert_false(text.failed);
	text_wipe(&text);
}

static void fails_once_and_for_all(void **state)
{
	struct text text = TEXT_EMPTY;

	(void)state;
	text_puts(&text, "kept");
	text_append(&text, "x", SIZE_MAX / 2);
	assert_true(text.failed);
	text_puts(&text, "lost");
	text_printf(&text, "%d", 1);
	assert_string_equal(text.data, "kept");
	text_wipe(&text);
	assert_false(text.failed);
}

/* What was drained, and how often. */
struct sink {
	char data[200000];
	size_t len, pieces;
	bool broken;
};

static bool drain(void *user, const char *data, size_t len)
{
	struct sink *sink = user;

	assert_true(len && sink->len + len <= sizeof(sink->data));
	memcpy(sink->data + sink->len, data, len);
	sink->len += len;
	sink->pieces++;
	return !sink->broken;
}

static void drains(void **state)
{
	static struct sink sink;
	struct text text = {.drain = drain, .user = &sink}, whole = TEXT_EMPTY;

	(void)state;
	for (unsigned i = 0; whole.len < 150000; i++) {
		text_number(&text, i);
		text_number(&whole, i);
		text_printf(&text, " %*u\n", (int)(i % 200), i);
		text_printf(&whole, " %*u\n", (int)(i % 200), i);
		/* So that memory runs out before the first piece is gone, or never. */
		assert_true(text.size <= 65536);
	}
	assert_true(sink.pieces >= 3);
	assert_true(text_drain(&text));
	assert_int_equal(sink.len, whole.len);
	assert_memory_equal(sink.data, whole.data, whole.len);
	assert_true(text_drain(&text));
	text_puts(&text, "x");
	sink.broken = true;
	assert_false(text_drain(&text));
	assert_true(text.failed);
	assert_false(text_drain(&text));
	text_wipe(&text);
	text_wipe(&whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),        cmocka_unit_test(appends),
		cmocka_unit_test(grows),        cmocka_unit_test(consumes),
		cmocka_unit_test(random_steps), cmocka_unit_test(fails_once_and_for_all),
		cmocka_unit_test(drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
