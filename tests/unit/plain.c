/* SPDX-License-Identifier: MIT
 * What is left of a file for wg(8). tests/cli/strip.bats compares it with wg-quick(8)'s. */
#include "conf/plain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/file.h"
#include "conf/text.h"

#define KEY "YAnE4TlqNv0ykrvLxqyPOq6HJrZgYJgVEPGQnXAsGnw="

static void leaves(void **state)
{
	static const struct {
		const char *text, *plain;
	} cases[] = {
		{"", "\n"},
		{"# a", "# a\n\n"},
		{"\t# a \n  ", "# a\n\n"},
		{"\xef\xbb\xbf[Interface]\n", "[Interface]\n\n"},
		{"[Interface]\nMTU = 1400\nPostUp = a # b\nListenPort = 1 # c\n#wgctl: KillSwitch "
		 "= no\n",
		 "[Interface]\nListenPort = 1 # c\n\n"},
		{"[Peer]\nPublicKey=" KEY "\nName=a\n# Name = b\n#wgctl: Name = c\n",
		 "[Peer]\nPublicKey=" KEY "\n# Name = b\n\n"},
		{"[Peer]\nPublicKey=" KEY "\nAllowedIPs=::/0\nAllowedIPs=!8000::/1 # x\n#y",
		 "[Peer]\nPublicKey=" KEY "\nAllowedIPs = ::/1\n#y\n\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const size_t len = strlen(cases[i].text);
		struct text text = TEXT_EMPTY;
		struct file file;

		assert_int_equal(file_parse(&file, cases[i].text, len, NULL), 0);
		assert_int_equal(plain_put(&text, &file, cases[i].text, len), 0);
		assert_string_equal(text.data, cases[i].plain);
		text_wipe(&text);
		file_wipe(&file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
