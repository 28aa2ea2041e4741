/* SPDX-License-Identifier: MIT
 * The list of findings: in the order of their places, each error of the reader's with its word.
 * tests/cli/check.bats has their messages. */
#include "conf/findings.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/text.h"

#define KEY "YAnE4TlqNv0ykrvLxqyPOq6HJrZgYJgVEPGQnXAsGnw="

static void expect(const char *text, const char *list)
{
	struct findings findings = FINDINGS_EMPTY;
	struct text out = TEXT_EMPTY;

	text_puts(&out, "");
	assert_int_equal(findings_collect(&findings, "./f", text, strlen(text), false), 0);
	for (size_t i = 0; i < findings.count; i++)
		text_printf(&out, "%u:%u%s%s ", findings.items[i].at.line,
			    findings.items[i].at.column, findings.items[i].is_error ? "!" : "?",
			    findings.items[i].code);
	assert_string_equal(out.data, list);
	text_wipe(&out);
	findings_free(&findings);
	assert_null(findings.items);
}

static void collects(void **state)
{
	static const char interface[] = "[Interface]\nPrivateKey=" KEY "\n";
	static const struct {
		const char *line, *list;
	} cases[] = {
		{"", ""},
		{"PrivateKey=x", "3:12!bad-private-key "},
		{"ListenPort=x", "3:12!bad-listen-port "},
		{"FwMark=x", "3:8!bad-fwmark "},
		{"Address=x", "3:9!bad-address "},
		{"MTU=x", "3:5!bad-mtu "},
		{"MTU=100", "3:5?mtu-too-small "},
		{"DNS=1.1", "3:5!bad-dns "},
		{"Table=?", "3:7!bad-table "},
		{"PostUp=a #\1", "3:11!bad-hook "},
		{"SaveConfig=1", "3:12!bad-save-config "},
		{"KillSwitch=1", "3:12!bad-kill-switch "},
		{"PrivateKeyFile=x", "3:16!bad-private-key-file "},
		{"x", "3:1!unknown-key "},
		{"#wgctl: x=y", "3:9!unknown-key "},
		{"[x]\ny\nz=", "3:1!unknown-section "},
		{"[Peer", "3:1!unknown-section "},
		{"\1", "3:1!bad-text "},
		{"[Peer]\nEndpoint=a", "3:1!bad-public-key 4:11!bad-endpoint "},
		{"[Peer]\nPublicKey=x\nPresharedKey=x",
		 "4:11!bad-public-key 5:14!bad-preshared-key "},
		{"[Peer]\nPublicKey=" KEY "\nAllowedIPs=x,y\nPersistentKeepalive=x",
		 "5:12!bad-allowed-ips 6:21!bad-persistent-keepalive "},
		{"[Peer]\nPublicKey=" KEY "\nAllowedIPs=10.0.0.1/8, 11.0.0.1/8",
		 "5:12?host-bits 5:24?host-bits "},
		{"[Peer]\nPublicKey=" KEY "\nName=" KEY "\nPresharedKeyFile=/dev/null",
		 "5:6!bad-name 6:18!bad-preshared-key-file "},
	};
	struct text text = TEXT_EMPTY;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		text_puts(&text, interface);
		text_puts(&text, cases[i].line);
		expect(text.data, cases[i].list);
		text_wipe(&text);
	}
}

/* More than are kept: the last one says so, as a warning does. */
static void ends_somewhere(void **state)
{
	struct findings findings = FINDINGS_EMPTY;
	struct text text = TEXT_EMPTY;

	(void)state;
	for (size_t i = 0; i < 12000; i++)
		text_puts(&text, "x\n");
	assert_int_equal(findings_collect(&findings, "./f", text.data, text.len, false), 0);
	assert_int_equal(findings.count, 10000);
	assert_string_equal(findings.items[9999].at.what, "and more such findings");
	assert_int_equal(findings.items[9999].at.line, 10000);
	findings_free(&findings);
	text_wipe(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collects),
		cmocka_unit_test(ends_somewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
