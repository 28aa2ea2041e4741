/* SPDX-License-Identifier: MIT
 * What wg-quick(8) reads otherwise. tests/cli/check.bats asks wg-quick(8), and has the messages. */
#include "conf/portable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/findings.h"
#include "conf/outline.h"
#include "conf/text.h"

static void finds(void **state)
{
	static const struct {
		const char *text, *list;
	} cases[] = {
		{"", ""},
		{"\t[interface] # a b\n mtu = 1\n[ Pe er ]\nEnd point = a", ""},
		{"[ Interface ]\n", "1:1 portable-space "},
		{"[Interface]\nM TU=1\nListen Port=1\n", "2:1 portable-space "},
		{"[Interface]\nKillSwitch=no\n#wgctl:KillSwitch=no",
		 "2:12 portable-key 3:19 portable-ignored "},
		{"[Peer]\nName=a\n#wgctl: Name = b\n# Name = c", "2:6 portable-key "},
		{"[Peer]\nAllowedIPs=::/0, !a, -b, +c",
		 "2:18 portable-exclusion 2:22 portable-sign 2:26 portable-sign "},
		{"[Interface]\nPostUp=a # b", "2:10 portable-hash "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct findings findings = FINDINGS_EMPTY;
		struct text out = TEXT_EMPTY;
		struct outline outline;

		text_puts(&out, "");
		assert_int_equal(outline_read(&outline, cases[i].text, strlen(cases[i].text)), 0);
		portable_check(&findings, &outline, false);
		for (size_t j = 0; j < findings.count; j++)
			text_printf(&out, "%u:%u %s ", findings.items[j].at.line,
				    findings.items[j].at.column, findings.items[j].code);
		assert_string_equal(out.data, cases[i].list);
		portable_check(&findings, &outline, true);
		assert_string_equal(findings.items[findings.count / 2].code, "portable-mark");
		text_wipe(&out);
		findings_free(&findings);
		outline_free(&outline);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
