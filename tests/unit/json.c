/* SPDX-License-Identifier: MIT
 * JSON: commas, nesting and every sort of string. */
#include "cli/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/text.h"

static void nesting(void **state)
{
	struct text out = TEXT_EMPTY;
	struct json json = {.out = &out};

	(void)state;
	json_open(&json, NULL, '{');
	json_open(&json, "empty", '[');
	json_close(&json, ']');
	json_open(&json, "list", '[');
	json_number(&json, NULL, 0);
	json_number(&json, NULL, UINT64_MAX);
	json_open(&json, NULL, '{');
	json_close(&json, '}');
	json_number_if(&json, NULL, false, 7);
	json_number_if(&json, NULL, true, 0);
	json_close(&json, ']');
	json_bool(&json, "yes", true);
	json_bool(&json, "no", false);
	json_string(&json, "none", NULL);
	json_close(&json, '}');
	assert_string_equal(out.data, "{\"empty\":[],\"list\":[0,18446744073709551615,{},null,0],"
				      "\"yes\":true,\"no\":false,\"none\":null}");
	text_wipe(&out);
}

static void strings(void **state)
{
	static const struct {
		const char *string, *json;
	} cases[] = {
		{"", ""},
		{"wg0", "wg0"},
		{"a\"b\\c/", "a\\\"b\\\\c/"},
		{"\x01\n\t\x7f", "\\u0001\\u000a\\u0009\\u007f"},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xe2\x82\xac\xf0\x9f\x94\x91", "\xe2\x82\xac\xf0\x9f\x94\x91"},
		{"\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
		{"\x80", "\\ufffd"},
		{"a\xc3", "a\\ufffd"},
		{"\xc3(", "\\ufffd("},
		{"\xe2\x82", "\\ufffd\\ufffd"},
		{"\xc0\xaf", "\\ufffd\\ufffd"},                       /* overlong */
		{"\xe0\x80\xaf", "\\ufffd\\ufffd\\ufffd"},            /* overlong */
		{"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},            /* a surrogate */
		{"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* beyond U+10FFFF */
		{"\xf8\x88\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* no such first byte */
		{"\xff\xfe", "\\ufffd\\ufffd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text out = TEXT_EMPTY;
		struct json json = {.out = &out};
		size_t len = strlen(cases[i].json);

		json_string(&json, NULL, cases[i].string);
		assert_int_equal(out.len, len + 2);
		assert_memory_equal(out.data + 1, cases[i].json, len);
		assert_true(out.data[0] == '"' && out.data[len + 1] == '"');
		text_wipe(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting),
		cmocka_unit_test(strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
