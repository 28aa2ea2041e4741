/* SPDX-License-Identifier: MIT
 * Texts led to another state: what changed, and nothing else. The state is written as a file, too.
 */
#include "conf/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "conf/exclude.h"
#include "conf/file.h"
#include "conf/text.h"

#define K1 "YAnE4TlqNv0ykrvLxqyPOq6HJrZgYJgVEPGQnXAsGnw="
#define K2 "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define K3 "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="
#define PEER(key) "[Peer]\nPublicKey = " key "\n"

static void expect(const char *text, const char *state, const char *result)
{
	struct edit_state now = {0};
	struct text out = TEXT_EMPTY;
	struct file file, other;

	assert_int_equal(file_parse(&file, text, strlen(text), NULL), 0);
	assert_int_equal(file_parse(&other, state, strlen(state), NULL), 0);
	assert_int_equal(exclude_apply_all(&other.device), 0);
	now.device = &other.device;
	now.addresses = other.addresses;
	now.address_count = other.address_count;
	now.knows_addresses = true;
	now.mtu = other.mtu;
	text_puts(&out, "");
	assert_int_equal(edit_apply(&out, &file, text, strlen(text), &now), 0);
	assert_string_equal(out.data, result);
	text_wipe(&out);
	file_wipe(&file);
	file_wipe(&other);
}

/* The same means not a byte. */
static void leaves(void **state)
{
	static const char *const texts[] = {
		"",
		"# a",
		"\xef\xbb\xbf# a\r\n\r\n[ Interface ]\r\nM TU=1400 # b\r\nListenPort=1",
		"[Interface]\nPrivateKey = " K1
		"\nAddress = 10.0.0.1/24 10.0.0.2/32\nPostUp = a && b # c\n"
		"Address = fd00::1/64\nDNS = 9.9.9.9\nSaveConfig = true\n\n\n# d\n[Peer]\n# Name = "
		"e\n"
		"PublicKey = " K2
		" # f\nAllowedIPs = 10.0.0.0/8, !10.0.0.0/9\nAllowedIPs = fd00::1/64\n"
		"PersistentKeepalive = off\nEndpoint = a.example:1\n",
		PEER(K1) PEER(K2) PEER(K3),
		PEER(K1) PEER(K1),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		expect(texts[i], texts[i], texts[i]);
}

static void interface(void **state)
{
	(void)state;
	expect("[Interface] # a\nListenPort = 1 # b\nListenPort=2\nFwMark = 3\n# c\n",
	       "[Interface]\nListenPort = 4\n", "[Interface] # a\nListenPort = 4 # b\n# c\n");
	expect("[Interface]\nPrivateKey=" K1 "\n\n# a\n" PEER(K2),
	       "[Interface]\nPrivateKey=" K3 "\nListenPort=5\nFwMark=0x10\n" PEER(K2),
	       "[Interface]\nPrivateKey=" K3 "\nListenPort = 5\nFwMark = 0x10\n\n# a\n" PEER(K2));
	expect("[Interface]\r\nMTU = 1400\r\nAddress=10.0.0.1/8, 10.0.0.2/8 # "
	       "a\r\nAddress=10.0.0.3/8",
	       "[Interface]\nMTU = 1300\nAddress=10.0.0.4/8,10.0.0.1/8\nListenPort=7",
	       "[Interface]\r\nMTU = 1300\r\nAddress=10.0.0.4/8, 10.0.0.1/8 # a\r\nListenPort = "
	       "7\r\n");
	expect("[Interface]\n#wgctl: PrivateKeyFile = a # b\n", "[Interface]\nPrivateKey = " K1,
	       "[Interface]\nPrivateKey = " K1 "\n");
	expect("[Interface]\nPrivateKey = " K1, "[Interface]\n", "[Interface]\nPrivateKey = " K1);
	expect(PEER(K2), "[Interface]\nListenPort=7\n" PEER(K2),
	       "[Interface]\nListenPort = 7\n\n" PEER(K2));
	expect("[Interface]", "[Interface]\nListenPort=7", "[Interface]\nListenPort = 7\n");
}

/* The mark of a default route is not the file's, unless it has one. */
static void marks(void **state)
{
	(void)state;
	expect("[Interface]\n" PEER(K2) "AllowedIPs = ::/0\n",
	       "[Interface]\nFwMark=51820\n" PEER(K2) "AllowedIPs = ::/0\n",
	       "[Interface]\n" PEER(K2) "AllowedIPs = ::/0\n");
	expect("[Interface]\nTable = off\n" PEER(K2) "AllowedIPs = ::/0\n",
	       "[Interface]\nFwMark=51820\n" PEER(K2) "AllowedIPs = ::/0\n",
	       "[Interface]\nTable = off\nFwMark = 0xca6c\n" PEER(K2) "AllowedIPs = ::/0\n");
}

static void peers(void **state)
{
	(void)state;
	expect("# a\n\n# b\n" PEER(K1) "# Name = c\n\n# d\n# e\n" PEER(K2) "# f\n\n# g\n" PEER(K3),
	       PEER(K1) PEER(K3), "# a\n\n# b\n" PEER(K1) "# Name = c\n\n# g\n" PEER(K3));
	expect(PEER(K1) "\n" PEER(K2), PEER(K2), PEER(K2));
	expect("[Interface]\nMTU=1400",
	       "[Interface]\nMTU=1400\n" PEER(
		       K1) "PresharedKey=" K2 "\n"
			   "AllowedIPs=10.0.0.1/32,::/0\nEndpoint=[::1]:7\nPersistentKeepalive=25",
	       "[Interface]\nMTU=1400\n\n" PEER(K1) "PresharedKey = " K2 "\n"
						    "AllowedIPs = 10.0.0.1/32, ::/0\nEndpoint = "
						    "[::1]:7\nPersistentKeepalive = 25\n");
	expect("", PEER(K1), PEER(K1));
}

static void peer_keys(void **state)
{
	(void)state;
	expect(PEER(K1) "AllowedIPs = 10.0.0.0/8 # a\n# b\nAllowedIPs = 11.0.0.0/8\nName = c\n",
	       PEER(K1) "AllowedIPs = 11.0.0.0/8, 12.0.0.0/8\nPresharedKey = " K2,
	       "[Peer]\nPublicKey = " K1 "\nPresharedKey = " K2 "\n"
	       "AllowedIPs = 11.0.0.0/8, 12.0.0.0/8 # a\n# b\nName = c\n");
	expect(PEER(K1) "AllowedIPs = 10.0.0.0/8\nPresharedKey=" K2 "\nPersistentKeepalive=1",
	       PEER(K1), PEER(K1));
	expect(PEER(K1) "PersistentKeepalive=1", PEER(K1) "PersistentKeepalive=2",
	       PEER(K1) "PersistentKeepalive=2\n");
	expect(PEER(K1) "PresharedKeyFile=a # b\n", PEER(K1) "PresharedKey=" K3,
	       PEER(K1) "PresharedKey = " K3 "\n");
	/* Numeric endpoints follow; names stay, and what is not known now does, too. */
	expect(PEER(K1) "Endpoint = 192.0.2.1:1 # a\n", PEER(K1) "Endpoint = [::1]:2",
	       PEER(K1) "Endpoint = [::1]:2 # a\n");
	expect(PEER(K1) "Endpoint = a.example:1\n", PEER(K1) "Endpoint = [::1]:2",
	       PEER(K1) "Endpoint = a.example:1\n");
	expect(PEER(K1) "Endpoint = 192.0.2.1:1\n", PEER(K1), PEER(K1) "Endpoint = 192.0.2.1:1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves), cmocka_unit_test(interface), cmocka_unit_test(marks),
		cmocka_unit_test(peers),  cmocka_unit_test(peer_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
