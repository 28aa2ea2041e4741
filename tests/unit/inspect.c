/* SPDX-License-Identifier: MIT
 * What is found in files each line of which can be read. tests/cli/check.bats has the messages. */
#include "conf/inspect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/file.h"
#include "conf/findings.h"
#include "conf/outline.h"
#include "conf/text.h"

#define KEY "YAnE4TlqNv0ykrvLxqyPOq6HJrZgYJgVEPGQnXAsGnw="
#define PEER_A "[Peer]\nPublicKey=xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
#define PEER_B "[Peer]\nPublicKey=TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=\n"

static void expect(const char *text, const char *list)
{
	struct findings findings = FINDINGS_EMPTY;
	struct text out = TEXT_EMPTY;
	struct outline outline;
	struct file file;

	text_puts(&out, "");
	assert_int_equal(file_check(&file, "./f", text, strlen(text)), 0);
	assert_int_equal(outline_read(&outline, text, strlen(text)), 0);
	inspect_all(&findings, &file, &outline);
	assert_false(findings.failed);
	for (size_t i = 0; i < findings.count; i++)
		text_printf(&out, "%u:%u %s ", findings.items[i].at.line,
			    findings.items[i].at.column, findings.items[i].code);
	assert_string_equal(out.data, list);
	text_wipe(&out);
	findings_free(&findings);
	outline_free(&outline);
	file_wipe(&file);
}

static void finds(void **state)
{
	(void)state;
	expect(PEER_A "AllowedIPs=10.0.0.1/8\n" PEER_B "AllowedIPs=10.9.9.9/8,10.0.0.0/9",
	       "6:12 duplicate-allowed-ips ");
	expect(PEER_A "AllowedIPs=10.0.0.0/8,10.0.0.0/8\n" PEER_B "AllowedIPs=11.0.0.0/8", "");
	expect(PEER_A "AllowedIPs=+10.0.0.0/8\n" PEER_B "AllowedIPs=-10.0.0.0/8,!10.0.0.0/8", "");
	expect(PEER_A "AllowedIPs=10. 0.0.0 / 8\n" PEER_B "AllowedIPs=::/0 , 10.0.0.0/8",
	       "6:19 duplicate-allowed-ips 6:12 default-without-endpoint ");
}

/* What is there, and only then what is missing. */
static void misses(void **state)
{
	(void)state;
	expect("[Interface]", "1:1 no-private-key ");
	expect("[Interface]\nx", "");
	expect(PEER_A "PersistentKeepalive=1", "3:21 keepalive-without-endpoint ");
	expect(PEER_A "PersistentKeepalive=1\nEndpoint=x", "");
	expect(PEER_A "AllowedIPs=::/0", "3:12 default-without-endpoint ");
	expect(PEER_A "AllowedIPs=::/0\nEndpoint=x", "");
}

static void routes(void **state)
{
	(void)state;
	expect(PEER_A "Endpoint=10.0.0.1:1\nAllowedIPs=10.0.0.0/24\n",
	       "3:10 endpoint-in-allowed-ips ");
	expect(PEER_A "Endpoint=10.0.0.1:1\nAllowedIPs=10.0.1.0/24\n", "");
	expect(PEER_A "Endpoint=10.0.0.1:1\nAllowedIPs=10.0.0.0/24,!10.0.0.0/31\n", "");
	expect(PEER_A "Endpoint=[::1]:1\nAllowedIPs=0.0.0.0/1,128.0.0.0/1,::/0\n", "");
	expect(PEER_A "Endpoint=10.0.0.1:1\nAllowedIPs=0.0.0.0/0\n", "4:12 ipv6-leak ");
	expect(PEER_A "Endpoint=10.0.0.1:1\nAllowedIPs=0.0.0.0/1,::/1,8000::/1\n",
	       "3:10 endpoint-in-allowed-ips ");
}

static void keys(void **state)
{
	(void)state;
	expect("[Interface]\nPrivateKey=" KEY "\n" PEER_A PEER_B, "");
	expect(PEER_A PEER_B PEER_A, "6:11 duplicate-peer ");
	expect("[Peer]\nPublicKey=x\n[Peer]\nPublicKey=y\n", "");
	expect("[Peer]\n[Peer]\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(misses),
		cmocka_unit_test(routes),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
