/* SPDX-License-Identifier: MIT
 * Only for script/analyse, which includes it in front of every file: what cmocka's assertions mean,
 * as its own end in a longjmp() that no analyser knows of. Without it each of them would see a test
 * go on after what it has just ruled out. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#undef assert_true
#undef assert_false
#undef assert_null
#undef assert_non_null
#undef assert_int_equal
#define assert_true(condition) ((condition) ? (void)0 : abort())
#define assert_false(condition) ((condition) ? abort() : (void)0)
#define assert_null(pointer) assert_true(!(pointer))
#define assert_non_null(pointer) assert_true(pointer)
#define assert_int_equal(a, b)                                                                     \
	assert_true(cast_to_largest_integral_type(a) == cast_to_largest_integral_type(b))
