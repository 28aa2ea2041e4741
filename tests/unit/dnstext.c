/* SPDX-License-Identifier: MIT
 * /etc/resolv.conf with the lines of tunnels in it: whatever comes and goes, and in whatever order,
 * in the end the file is what it was. */
#include "cli/dnstext.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define A "nameserver 10.0.0.1\nsearch a.example\n"
#define B "nameserver 10.0.0.2\n"
#define MARK_A "# wgctl: for the tunnel wga, boot one\n"
#define MARK_B "# wgctl: for the tunnel wgb, boot one\n"
#define MARK_OLD "# wgctl: for the tunnel wga, boot zero\n"
#define BEFORE "# wgctl: before:\n"

static void read_text(struct dnstext *dns, const char *text)
{
	assert_int_equal(dnstext_read(dns, text, strlen(text)), 0);
}

/* Frees dns. */
static void expect(struct dnstext *dns, const char *wanted)
{
	struct text text = TEXT_EMPTY;

	dnstext_write(dns, &text);
	assert_false(text.failed);
	assert_string_equal(text.len ? text.data : "", wanted);
	text_wipe(&text);
	dnstext_free(dns);
}

static void test_layers(void **state)
{
	struct dnstext dns;

	(void)state;
	read_text(&dns, "nameserver 1.1.1.1\n# no end");
	assert_int_equal(dnstext_put(&dns, "wga", "one", A), 0);
	expect(&dns, MARK_A A BEFORE "#|nameserver 1.1.1.1\n#|# no end");

	read_text(&dns, MARK_A A BEFORE "#|nameserver 1.1.1.1\n#|# no end");
	assert_int_equal(dnstext_put(&dns, "wgb", "one", B), 0);
	expect(&dns, MARK_B B MARK_A "#|nameserver 10.0.0.1\n#|search a.example\n" BEFORE
				     "#|nameserver 1.1.1.1\n#|# no end");

	read_text(&dns, MARK_B B MARK_A "#|nameserver 10.0.0.1\n#|search a.example\n" BEFORE "#|x");
	assert_true(dnstext_drop(&dns, "wgb", B));
	assert_false(dnstext_drop(&dns, "wgb", B));
	expect(&dns, MARK_A A BEFORE "#|x");

	read_text(&dns, MARK_B B MARK_A "#|nameserver 10.0.0.1\n#|search a.example\n" BEFORE "#|x");
	assert_true(dnstext_drop(&dns, "wga", A));
	assert_int_equal(dnstext_put(&dns, "wgb", "one", A), 0);
	assert_true(dnstext_drop(&dns, "wgb", A));
	expect(&dns, "x");
}

static void test_same_place(void **state)
{
	struct dnstext dns;

	(void)state;
	read_text(&dns, MARK_B B MARK_A "#|nameserver 10.0.0.1\n" BEFORE);
	assert_int_equal(dnstext_put(&dns, "wga", "one", "nameserver 9.9.9.9\n"), 0);
	expect(&dns, MARK_B B MARK_A "#|nameserver 9.9.9.9\n" BEFORE);
}

static void test_no_file_and_link(void **state)
{
	struct dnstext dns;

	(void)state;
	read_text(&dns, "");
	dns.is_absent = true;
	assert_int_equal(dnstext_put(&dns, "wga", "one", B), 0);
	expect(&dns, MARK_A B "# wgctl: before, there was no such file\n");
	read_text(&dns, MARK_A B "# wgctl: before, there was no such file\n");
	assert_true(dns.is_absent);
	dnstext_free(&dns);

	read_text(&dns, "");
	strcpy(dns.target, "../run/my file");
	assert_int_equal(dnstext_put(&dns, "wga", "one", B), 0);
	expect(&dns, MARK_A B "# wgctl: before, a link to ../run/my file\n");
	read_text(&dns, MARK_A B "# wgctl: before, a link to ../run/my file\n");
	assert_string_equal(dns.target, "../run/my file");
	assert_false(dns.is_absent);
	dnstext_free(&dns);
}

static void test_others(void **state)
{
	struct dnstext dns;

	(void)state;
	/* Above, among, below; what was known to be ours goes. */
	read_text(&dns, "top\n" MARK_A "nameserver 10.0.0.1\nmiddle\nsearch a.example\n" BEFORE
			"#|x\nbottom\n");
	assert_true(dnstext_drop(&dns, "wga", A));
	expect(&dns, "middle\ntop\nx\nbottom\n");
	/* Not known: then all among ours goes. */
	read_text(&dns, MARK_A "nameserver 10.0.0.1\nmiddle\n" BEFORE "#|x\n");
	assert_true(dnstext_drop(&dns, "wga", NULL));
	expect(&dns, "x\n");
	/* The file's end was cut off. */
	read_text(&dns, MARK_A "nameserver 10.0.0.1\nsearch a.exa");
	assert_true(dnstext_drop(&dns, "wga", A));
	expect(&dns, "search a.exa\n");
}

static void test_other_boot(void **state)
{
	struct dnstext dns;

	(void)state;
	read_text(&dns, MARK_B B MARK_OLD "#|nameserver 10.0.0.1\n" BEFORE "#|x\n");
	assert_true(dnstext_drop_old(&dns, "one"));
	assert_false(dnstext_drop_old(&dns, "one"));
	expect(&dns, MARK_B B BEFORE "#|x\n");
	read_text(&dns, MARK_OLD A BEFORE "#|x\n");
	assert_true(dnstext_drop_old(&dns, "one"));
	expect(&dns, "x\n");
}

static void test_bounds(void **state)
{
	struct dnstext dns;
	char name[16];
	struct text text = TEXT_EMPTY;

	(void)state;
	read_text(&dns, "x\n");
	for (int i = 0; i < DNSTEXT_LAYERS; i++) {
		snprintf(name, sizeof(name), "wg%d", i);
		assert_int_equal(dnstext_put(&dns, name, "one", B), 0);
	}
	assert_int_equal(dnstext_put(&dns, "more", "one", B), -EMLINK);
	dnstext_write(&dns, &text);
	dnstext_free(&dns);
	read_text(&dns, text.data);
	assert_int_equal(dns.count, DNSTEXT_LAYERS);
	assert_string_equal(dns.layers[0].name, "wg15");
	dnstext_free(&dns);
	text_puts(&text, MARK_A);
	assert_int_equal(dnstext_read(&dns, text.data, text.len), -EMLINK);
	dnstext_free(&dns);
	text_wipe(&text);
	/* Names and boots that are too long are cut. */
	read_text(&dns, "# wgctl: for the tunnel 0123456789012345678901234567890123456789"
			"0123456789012345678901234567890123456789, boot one\n");
	assert_string_equal(dns.layers[0].name, "012345678901234");
	dnstext_free(&dns);
}

/* Random bytes of what matters, random tunnels: what was there comes back. */
static void test_random(void **state)
{
	static const char *const pieces[] = {"\n", "#|", "# wgctl", "nameserver 1.1.1.1",
					     " ",  "x\n"};
	static const char *const names[] = {"wga", "wgb", "wgc"};

	(void)state;
	srandom(1);
	for (int round = 0; round < 2000; round++) {
		struct text before = TEXT_EMPTY, now = TEXT_EMPTY;
		bool there[3] = {false};
		struct dnstext dns;

		for (long n = random() % 8; n > 0; n--)
			text_puts(&before, pieces[random() % 6]);
		text_puts(&before, "");
		text_puts(&now, before.data);
		for (int step = 0; step < 20; step++) {
			const long which = random() % 3;

			read_text(&dns, now.data);
			text_wipe(&now);
			if (there[which] || step >= 17)
				assert_int_equal(dnstext_drop(&dns,
							      names[step >= 17 ? step - 17 : which],
							      B),
						 there[step >= 17 ? step - 17 : which]);
			else
				assert_int_equal(dnstext_put(&dns, names[which], "one", B), 0);
			if (step < 17)
				there[which] = !there[which];
			dnstext_write(&dns, &now);
			text_puts(&now, "");
			dnstext_free(&dns);
		}
		assert_string_equal(now.data, before.data);
		text_wipe(&before);
		text_wipe(&now);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layers),           cmocka_unit_test(test_same_place),
		cmocka_unit_test(test_no_file_and_link), cmocka_unit_test(test_others),
		cmocka_unit_test(test_other_boot),       cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
