/* SPDX-License-Identifier: MIT
 * The configuration file: what each key means, every way to get one wrong with its line and column,
 * and that a bad file leaves nothing behind. */
#include "conf/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sodium.h>
#include <cmocka.h>
#include "conf/text.h"
#include "draw.h"

#define PRIVATE "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
#define PUBLIC "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="
#define OTHER "3p7bfXt9wbTTW2HC7OQ1Nz+DQ8hbeGdNrfx+FG+IK08="
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

#define IN "[Interface]\n"
#define PEER "[Peer]\nPublicKey=" PUBLIC "\n"

#define MANY_PEERS 10000
#define LONG_LIST 50000
#define MUTATIONS 20000

static int parse(struct file *file, const char *text, struct conf_error *error)
{
	return file_parse(file, text, strlen(text), error);
}

static void good(struct file *file, const char *text)
{
	struct conf_error error = {0};

	if (parse(file, text, &error) != 0)
		fail_msg("%u:%u: %s", error.line, error.column, error.what);
}

static void assert_key(const struct key *key, const char *base64)
{
	char text[KEY_BASE64_LEN + 1];

	key_to_base64(text, key);
	assert_string_equal(text, base64);
}

static void assert_prefix(const struct prefix *prefix, const char *expected)
{
	char text[PREFIX_TEXT_MAX];

	assert_string_equal(prefix_format(text, prefix), expected);
}

static void everything(void **state)
{
	static const char text[] = "# a comment\n"
				   "[Interface] # server\n"
				   "PrivateKey = " PRIVATE "\n"
				   "ListenPort = 51820\n"
				   "FwMark = 0xca6c\n"
				   "Address = 10.0.0.1/24, fd00::1/64\n"
				   "Address = 192.0.2.1\n"
				   "MTU = 1420\n"
				   "\n"
				   "[Peer]\n"
				   "# Name = alice\n"
				   "PublicKey = " PUBLIC "\n"
				   "PresharedKey = " OTHER "\n"
				   "AllowedIPs = 10.0.0.2/32, fd00::2\n"
				   "AllowedIPs = 10.1.0.0/16\n"
				   "Endpoint = [2001:db8::2]:51820\n"
				   "PersistentKeepalive = 25\n"
				   "\n"
				   "  [Peer]\n"
				   "PublicKey = " OTHER "\n"
				   "Endpoint = host.example:domain\n";
	const struct model_peer *peer;
	struct file file;
	char endpoint[ENDPOINT_TEXT_MAX];

	(void)state;
	good(&file, text);
	assert_int_equal(file.interface_line, 2);
	assert_true(file.device.has_private_key);
	assert_key(&file.device.private_key, PRIVATE);
	assert_true(file.device.has_listen_port);
	assert_int_equal(file.device.listen_port, 51820);
	assert_true(file.device.has_fwmark);
	assert_int_equal(file.device.fwmark, 0xca6c);
	assert_false(file.device.replace_peers);
	assert_int_equal(file.mtu, 1420);
	assert_int_equal(file.address_count, 3);
	assert_prefix(&file.addresses[0], "10.0.0.1/24");
	assert_prefix(&file.addresses[1], "fd00::1/64");
	assert_prefix(&file.addresses[2], "192.0.2.1/32");
	assert_int_equal(file.warning_count, 0);
	assert_int_equal(file.device.peer_count, 2);
	peer = &file.device.peers[0];
	assert_int_equal(peer->line, 10);
	assert_key(&peer->public_key, PUBLIC);
	assert_true(peer->has_preshared_key);
	assert_key(&peer->preshared_key, OTHER);
	assert_true(peer->replace_allowed);
	assert_int_equal(peer->allowed_count, 3);
	assert_prefix(&peer->allowed[0].prefix, "10.0.0.2/32");
	assert_prefix(&peer->allowed[1].prefix, "fd00::2/128");
	assert_prefix(&peer->allowed[2].prefix, "10.1.0.0/16");
	assert_string_equal(peer->host, "2001:db8::2");
	assert_string_equal(peer->port, "51820");
	assert_string_equal(endpoint_format(endpoint, &peer->endpoint), "[2001:db8::2]:51820");
	assert_true(peer->has_keepalive);
	assert_int_equal(peer->keepalive, 25);
	assert_false(peer->remove);
	assert_false(peer->update_only);
	peer = &file.device.peers[1];
	assert_int_equal(peer->line, 19);
	assert_key(&peer->public_key, OTHER);
	assert_false(peer->has_preshared_key);
	assert_false(peer->has_keepalive);
	assert_true(peer->replace_allowed);
	assert_string_equal(peer->host, "host.example");
	assert_string_equal(peer->port, "domain");
	assert_int_equal(peer->endpoint.sa.sa_family, AF_UNSPEC);
	file_wipe(&file);
	assert_null(file.addresses);
}

static void nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "#", "\xef\xbb\xbf", " \t\r\n \v\f"};
	struct file file;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		good(&file, texts[i]);
		assert_int_equal(file.interface_line, 0);
		assert_false(file.device.has_private_key);
		assert_int_equal(file.device.peer_count, 0);
		file_wipe(&file);
	}
	assert_int_equal(file_parse(&file, NULL, 0, NULL), 0);
	good(&file, "[Interface]");
	assert_int_equal(file.interface_line, 1);
	assert_false(file.device.has_listen_port);
	assert_false(file.device.has_fwmark);
	file_wipe(&file);
}

static void grammar(void **state)
{
	struct file file;

	(void)state;
	/* White space anywhere, any case, CRLF, several [Interface], the last of two wins. */
	good(&file, "\xef\xbb\xbf[ inter FACE ]\r\nprivate key =" OTHER "\r\n"
		    "\tLISTENPORT\t=5 1 8 2 0#0\r\n"
		    "[Peer]\r\npublickey = " OTHER "\r\nPUBLICKEY=" PUBLIC "# " OTHER "\r\n"
		    "Endpoint=192.0.2.1:1\r\nEndpoint=host.example:2\r\n"
		    "[INTERFACE]\r\nPrivateKey=" PRIVATE "\r\nfwmark = 7\r\n");
	assert_key(&file.device.private_key, PRIVATE);
	assert_int_equal(file.device.listen_port, 51820);
	assert_int_equal(file.device.fwmark, 7);
	assert_int_equal(file.interface_line, 1);
	assert_int_equal(file.device.peer_count, 1);
	assert_key(&file.device.peers[0].public_key, PUBLIC);
	assert_string_equal(file.device.peers[0].host, "host.example");
	assert_string_equal(file.device.peers[0].port, "2");
	assert_int_equal(file.device.peers[0].endpoint.sa.sa_family, AF_UNSPEC);
	file_wipe(&file);
}

static void keys_of_zeros(void **state)
{
	struct file file;

	(void)state;
	good(&file, IN "PrivateKey=" ZERO "\n[Peer]\nPublicKey=" ZERO "\nPresharedKey=" ZERO);
	assert_true(file.device.has_private_key);
	assert_true(key_is_zero(&file.device.private_key));
	assert_true(file.device.peers[0].has_preshared_key);
	file_wipe(&file);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint16_t port, keepalive;
		uint32_t fwmark, mtu;
	} cases[] = {
		{IN "ListenPort=0\nFwMark=0\nMTU=68\n" PEER "PersistentKeepalive=0", 0, 0, 0, 68},
		{IN "ListenPort=65535\nFwMark=4294967295\nMTU=65535\n" PEER
		    "PersistentKeepalive=65535",
		 65535, 65535, UINT32_MAX, 65535},
		{IN "ListenPort=domain\nFwMark=off\nMTU=1280\n" PEER "PersistentKeepalive=off", 53,
		 0, 0, 1280},
		{IN "ListenPort=1\nFwMark=OFF\nMTU=1500\n" PEER "PersistentKeepalive=Off", 1, 0, 0,
		 1500},
		{IN "ListenPort=01\nFwMark=0xFFffFFff\nMTU=9000\n" PEER "PersistentKeepalive=00001",
		 1, 1, UINT32_MAX, 9000},
		{IN "ListenPort=1\nFwMark=0x10\nMTU=9000\n" PEER "PersistentKeepalive=1", 1, 1, 16,
		 9000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct file file;

		good(&file, cases[i].text);
		assert_true(file.device.has_listen_port);
		assert_int_equal(file.device.listen_port, cases[i].port);
		assert_true(file.device.has_fwmark);
		assert_int_equal(file.device.fwmark, cases[i].fwmark);
		assert_int_equal(file.mtu, cases[i].mtu);
		assert_true(file.device.peers[0].has_keepalive);
		assert_int_equal(file.device.peers[0].keepalive, cases[i].keepalive);
		file_wipe(&file);
	}
}

static void addresses(void **state)
{
	struct file file;

	(void)state;
	/* As wg-quick splits them: at commas, at white space, at both. */
	good(&file, IN "Address = 10.0.0.1/24,10.0.0.2 10.0.0.3/8 , ,fd00::1/64,\t\n");
	assert_int_equal(file.address_count, 4);
	assert_prefix(&file.addresses[0], "10.0.0.1/24");
	assert_prefix(&file.addresses[1], "10.0.0.2/32");
	assert_prefix(&file.addresses[2], "10.0.0.3/8");
	assert_prefix(&file.addresses[3], "fd00::1/64");
	file_wipe(&file);
}

static void allowed_ips(void **state)
{
	const struct model_peer *peer;
	struct file file;

	(void)state;
	good(&file, PEER "AllowedIPs=10.0.0.0/8,+10.1.0.0/16\nAllowedIPs = - fd00::/64\n" PEER
			 "AllowedIPs=0.0.0.0/0,::/0");
	peer = &file.device.peers[0];
	assert_false(peer->replace_allowed);
	assert_int_equal(peer->allowed_count, 3);
	assert_int_equal(peer->allowed[0].op, MODEL_ALLOWED_ADD);
	assert_int_equal(peer->allowed[1].op, MODEL_ALLOWED_ADD);
	assert_prefix(&peer->allowed[1].prefix, "10.1.0.0/16");
	assert_int_equal(peer->allowed[2].op, MODEL_ALLOWED_REMOVE);
	assert_prefix(&peer->allowed[2].prefix, "fd00::/64");
	peer = &file.device.peers[1];
	assert_true(peer->replace_allowed);
	assert_prefix(&peer->allowed[0].prefix, "0.0.0.0/0");
	assert_prefix(&peer->allowed[1].prefix, "::/0");
	assert_int_equal(file.warning_count, 0);
	file_wipe(&file);
}

static void endpoints(void **state)
{
	static const struct {
		const char *value, *host, *port, *numeric;
	} cases[] = {
		{"192.0.2.1:51820", "192.0.2.1", "51820", "192.0.2.1:51820"},
		{"[2001:db8::1]:51820", "2001:db8::1", "51820", "[2001:db8::1]:51820"},
		{"2001:db8::1:51820", "2001:db8::1", "51820", "[2001:db8::1]:51820"},
		{"[fe80::1%lo]:1", "fe80::1%lo", "1", "[fe80::1%lo]:1"},
		{"[fe80::1%no-such-if]:1", "fe80::1%no-such-if", "1", ""},
		{"host.example:51820", "host.example", "51820", ""},
		{"192.0.2.1:domain", "192.0.2.1", "domain", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200], numeric[ENDPOINT_TEXT_MAX];
		const struct model_peer *peer;
		struct file file;

		snprintf(text, sizeof(text), PEER "Endpoint = %s\n", cases[i].value);
		good(&file, text);
		peer = &file.device.peers[0];
		assert_string_equal(peer->host, cases[i].host);
		assert_string_equal(peer->port, cases[i].port);
		assert_string_equal(endpoint_format(numeric, &peer->endpoint), cases[i].numeric);
		file_wipe(&file);
	}
}

static void nothing_to_do(void **state)
{
	struct file file;

	(void)state;
	good(&file, IN "Table = auto\nSaveConfig = false\ntable=auto # x\n");
	assert_string_equal(file.table, "auto");
	assert_false(file.save_config);
	assert_int_equal(file.warning_count, 0);
	file_wipe(&file);
}

static void warnings(void **state)
{
	struct file file;

	(void)state;
	good(&file, IN " MTU = 1279\n" PEER "AllowedIPs = 10.0.0.0/8, 10.0.0.1/24,::1/0\n");
	assert_int_equal(file.mtu, 1279);
	assert_int_equal(file.warning_count, 3);
	assert_int_equal(file.warnings[0].line, 2);
	assert_int_equal(file.warnings[0].column, 8);
	assert_string_equal(
		file.warnings[0].what,
		"MTU 1279 is too small for IPv6, which needs 1280: only IPv4 will pass");
	assert_int_equal(file.warnings[1].line, 5);
	assert_int_equal(file.warnings[1].column, 26);
	assert_string_equal(
		file.warnings[1].what,
		"AllowedIPs 10.0.0.1/24 has host bits set: 10.0.0.0/24 is used instead");
	assert_int_equal(file.warnings[2].column, 38);
	/* The host bits are kept: the engine masks them. */
	assert_prefix(&file.device.peers[0].allowed[1].prefix, "10.0.0.1/24");
	file_wipe(&file);
}

/* As wg-quick(8) takes them. */
static void empty_values(void **state)
{
	static const char *const values[] = {"Address =", "Address = , ,", "DNS=\t", "DNS = ,",
					     "PostUp = "};
	struct file file;
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		snprintf(text, sizeof(text), IN "%s\n", values[i]);
		good(&file, text);
		assert_int_equal(file.warning_count, 1);
		assert_int_equal(file.warnings[0].line, 2);
		assert_non_null(strstr(file.warnings[0].what, "has no value, and says nothing"));
		assert_int_equal(file.address_count + file.dns.count, 0);
		assert_int_equal(file.hooks[FILE_POST_UP].count, 0);
		file_wipe(&file);
	}
}

static void too_many_warnings(void **state)
{
	struct text text = TEXT_EMPTY;
	struct file file;

	(void)state;
	text_puts(&text, PEER "AllowedIPs=");
	for (unsigned i = 0; i < LONG_LIST; i++)
		text_printf(&text, "%s10.0.0.1/8", i ? ", " : "");
	good(&file, text.data);
	assert_int_equal(file.device.peers[0].allowed_count, LONG_LIST);
	assert_int_equal(file.warning_count, FILE_WARNINGS_MAX);
	assert_int_equal(file.warnings[FILE_WARNINGS_MAX - 2].column, 12 + 98 * 12);
	assert_string_equal(file.warnings[FILE_WARNINGS_MAX - 1].what, "and more such warnings");
	file_wipe(&file);
	text_wipe(&text);
}

struct bad {
	const char *text;
	unsigned line, column;
	const char *what; /* a part of it */
};

static void assert_bad(const struct bad *cases, size_t count, int err)
{
	static const struct file empty;

	for (size_t i = 0; i < count; i++) {
		struct conf_error error = {0};
		struct file file;

		memset(&file, 0x5a, sizeof(file));
		if (parse(&file, cases[i].text, &error) != -err)
			fail_msg("'%s' is accepted", cases[i].text);
		assert_int_equal(error.err, err);
		if (error.line != cases[i].line || error.column != cases[i].column ||
		    !strstr(error.what, cases[i].what))
			fail_msg("'%s' gives %u:%u: %s", cases[i].text, error.line, error.column,
				 error.what);
		assert_memory_equal(&file, &empty, sizeof(file));
		assert_int_equal(parse(&file, cases[i].text, NULL), -err);
	}
}

static void bad_interface(void **state)
{
	static const struct bad cases[] = {
		{IN "PrivateKey=x", 2, 12, "PrivateKey has 1 characters: expected the 44"},
		{IN "PrivateKey= " PUBLIC "=", 2, 13, "PrivateKey has 45 characters"},
		{IN "PrivateKey = dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCp=", 2, 14,
		 "PrivateKey is not a key"},
		{IN "ListenPort = 65536", 2, 14, "'65536' is no port: expected 0 to 65535"},
		{IN "ListenPort = 0x50", 2, 14, "'0x50' is no port"},
		{IN "ListenPort = -1", 2, 14, "'-1' is no port"},
		{IN "ListenPort = +1", 2, 14, "'+1' is no port"},
		{IN "ListenPort = 1.", 2, 14, "'1.' is no port"},
		{IN "ListenPort = off", 2, 14, "'off' is no port"},
		{IN "ListenPort = no-such-service", 2, 14, "'no-such-service' is no port"},
		{IN "FwMark = 0X10", 2, 10, "'0X10' is no firewall mark"},
		{IN "FwMark = 4294967296", 2, 10, "'4294967296' is no firewall mark"},
		{IN "FwMark = 0x100000000", 2, 10, "is no firewall mark"},
		{IN "FwMark = 0x", 2, 10, "'0x' is no firewall mark"},
		{IN "FwMark = -1", 2, 10, "'-1' is no firewall mark"},
		{IN "FwMark = none", 2, 10, "'none' is no firewall mark"},
		{IN "MTU = 67", 2, 7, "'67' is no MTU: expected a number from 68 to 65535"},
		{IN "MTU = 65536", 2, 7, "'65536' is no MTU"},
		{IN "MTU = auto", 2, 7, "'auto' is no MTU"},
		{IN "Address = 10.0.0.1/33", 2, 11, "'10.0.0.1/33' is no address"},
		{IN "Address = 10.0.0.1, 10.0.0", 2, 21, "'10.0.0' is no address"},
		{IN "Address = 10.0.0.1 / 24", 2, 20, "'/' is no address"},
		{IN "Address = +10.0.0.1", 2, 11, "'+10.0.0.1' is no address"},
		{IN "Address = host.example", 2, 11, "'host.example' is no address"},
		{IN "SaveConfig = yes", 2, 14, "'yes' is neither 'true' nor 'false'"},
		{IN "SaveConfig = False", 2, 14, "'False' is neither 'true' nor 'false'"},
		{IN "PublicKey = " PUBLIC, 2, 1, "'PublicKey' belongs in [Peer]"},
		{IN "MTU=1420\n\nAdress=10.0.0.1", 4, 1, "did you mean 'Address'?"},
		{"MTU = 1420\n" IN, 1, 1, "before any section"},
	};

	(void)state;
	assert_bad(cases, sizeof(cases) / sizeof(cases[0]), EINVAL);
}

static void bad_peer(void **state)
{
	static const struct bad cases[] = {
		{"[Peer]", 1, 1, "this [Peer] has no PublicKey"},
		{IN "\n  [Peer]\nAllowedIPs=10.0.0.0/8\n" PEER, 3, 3,
		 "this [Peer] has no PublicKey"},
		{PEER "\n[Peer]\n", 4, 1, "this [Peer] has no PublicKey"},
		{"[Peer]\nPresharedKey=" PUBLIC "\n" IN, 1, 1, "this [Peer] has no PublicKey"},
		{"[Peer]\nPublicKey = me", 2, 13, "PublicKey has 2 characters"},
		{PEER "PresharedKey = " ZERO "A", 3, 16, "PresharedKey has 45 characters"},
		{PEER "AllowedIPs =", 3, 12, "'AllowedIPs' has no value"},
		{PEER "AllowedIPs = 10.0.0.0/8,,::/0", 3, 25, "an empty element"},
		{PEER "AllowedIPs = 10.0.0.0/8, ", 3, 25, "an empty element"},
		{PEER "AllowedIPs = ,10.0.0.0/8", 3, 14, "an empty element"},
		{PEER "AllowedIPs = 10.0.0.0/8, 10.0.0.0/ 33", 3, 26, "'10.0.0.0/33' is no prefix"},
		{PEER "AllowedIPs = 10.0.0.0/8 ::/0", 3, 14, "'10.0.0.0/8::/0' is no prefix"},
		{PEER "AllowedIPs = -", 3, 14, "'-' is no prefix"},
		{PEER "AllowedIPs = +-10.0.0.0/8", 3, 14, "'+-10.0.0.0/8' is no prefix"},
		{PEER "AllowedIPs = (none)", 3, 14, "'(none)' is no prefix"},
		{PEER "AllowedIPs = 10.0.0.0/8;", 3, 14, "'10.0.0.0/8;' is no prefix"},
		{PEER "AllowedIPs = 10.0.0.0/8\xc2\xa0", 3, 14, "this is no prefix"},
		{PEER "Endpoint = host", 3, 16, "'host' is no endpoint: expected HOST:PORT"},
		{PEER "Endpoint = ho st : 0", 3, 20, "'host:0' is no endpoint"},
		{PEER "Endpoint = host:65536", 3, 17, "'host:65536' is no endpoint"},
		{PEER "Endpoint = [::1]", 3, 17, "'[::1]' is no endpoint"},
		{PEER "Endpoint = h\xc3\xb6st:1", 3, 13, "this is no endpoint"},
		{PEER "Endpoint = host:no-such-service", 3, 17, "'no-such-service' is no port"},
		{PEER "Endpoint = host:0x50", 3, 17, "'0x50' is no port"},
		{PEER "PersistentKeepalive = 65536", 3, 23, "'65536' is no keepalive interval"},
		{PEER "PersistentKeepalive = on", 3, 23, "'on' is no keepalive interval"},
		{PEER "PersistentKeepalive = -1", 3, 23, "'-1' is no keepalive interval"},
		{PEER "MTU = 1420", 3, 1, "'MTU' belongs in [Interface]"},
		{PEER "AlowedIPs = 10.0.0.0/8", 3, 1,
		 "unknown key 'AlowedIPs' in [Peer]: did you mean 'AllowedIPs'?"},
		{PEER "[Pear]", 3, 1, "unknown section 'Pear': did you mean '[Peer]'?"},
	};

	(void)state;
	assert_bad(cases, sizeof(cases) / sizeof(cases[0]), EINVAL);
}

static void assert_words(const struct words *words, size_t count, const char *const *expected)
{
	assert_int_equal(words->count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(words->items[i], expected[i]);
}

#define WORDS(words, ...)                                                                          \
	assert_words(words, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *),           \
		     (const char *const[]){__VA_ARGS__})

static void wg_quick(void **state)
{
	struct file file;

	(void)state;
	good(&file, IN "dns = 192.0.2.1, 2001:db8::1 example.org\n"
		       "DNS = 1.1.1.1,,fe80::1%eth0 , corp.example # x\n"
		       "Table = off\nTable = my-table # not off\n"
		       "PostUp = iptables -A FORWARD  -i %i ; echo \"a=b\"\t# log \r\n"
		       "  post up=one;two ;three\n"
		       "PreUp = # nothing\n"
		       "PreDown = a && b\nPostDown=c\n"
		       "SaveConfig = true\nSave Config = tr ue\n");
	WORDS(&file.dns, "192.0.2.1", "2001:db8::1", "1.1.1.1", "fe80::1%eth0");
	WORDS(&file.search, "example.org", "corp.example");
	assert_string_equal(file.table, "my-table");
	WORDS(&file.hooks[FILE_PRE_UP], "# nothing");
	WORDS(&file.hooks[FILE_POST_UP], "iptables -A FORWARD  -i %i ; echo \"a=b\"\t# log",
	      "one;two ;three");
	WORDS(&file.hooks[FILE_PRE_DOWN], "a && b");
	WORDS(&file.hooks[FILE_POST_DOWN], "c");
	assert_true(file.save_config);
	assert_int_equal(file.line_of[KEYWORD_DNS], 2);
	assert_int_equal(file.line_of[KEYWORD_POST_UP], 6);
	assert_int_equal(file.line_of[KEYWORD_MTU], 0);
	file_wipe(&file);
}

/* One that inih takes in many pieces, with white space at the ends of some. */
static void long_command(void **state)
{
	struct text text = TEXT_EMPTY;
	struct file file;
	const char *command;

	(void)state;
	text_puts(&text, IN "PostUp = ");
	for (unsigned i = 0; i < LONG_LIST; i++)
		text_printf(&text, "%*s;%u", (int)(i % 7), "", i);
	good(&file, text.data);
	command = text.data + strlen(IN "PostUp = ");
	assert_string_equal(file.hooks[FILE_POST_UP].items[0], command);
	file_wipe(&file);
	text_wipe(&text);
}

static void extensions(void **state)
{
	struct file file;

	(void)state;
	good(&file, IN "#wgctl: KillSwitch = yes # really\n" PEER "Name = alice's  phone # x\n"
		       "[Peer]\n # wgctl:name=bob\nPublicKey=" OTHER "\n"
		       "AllowedIPs = 0.0.0.0/0, ! 192.168.0.0/16\n");
	assert_true(file.kill_switch);
	assert_string_equal(file.device.peers[0].name, "alice's  phone");
	assert_string_equal(file.device.peers[1].name, "bob");
	assert_true(file.device.peers[1].replace_allowed);
	assert_int_equal(file.device.peers[1].allowed[0].op, MODEL_ALLOWED_ADD);
	assert_int_equal(file.device.peers[1].allowed[1].op, MODEL_ALLOWED_EXCLUDE);
	assert_prefix(&file.device.peers[1].allowed[1].prefix, "192.168.0.0/16");
	assert_int_equal(file.warning_count, 0);
	file_wipe(&file);
	good(&file, IN "KillSwitch = yes\nKillSwitch = no\n");
	assert_false(file.kill_switch);
	file_wipe(&file);
}

/* Comments are made for people: what is no name is passed over. */
static void remarks(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{PEER "# Name = alice", "alice"},
		{PEER "#friendly_name=alice", "alice"},
		{PEER "\t# \tFRIENDLY_NAME =  alice b \t# the boss", "alice b"},
		{"[Peer]\n# name=alice\nPublicKey=" PUBLIC, "alice"},
		{PEER "# Name = alice\n# friendly_name = bob", "alice"},
		{PEER "# Name = alice\nName = bob", "bob"},
		{PEER "Name = bob\n# Name = alice", "bob"},
		{PEER "Name = bob\nName = alice", "alice"},
		{PEER "# Na me = alice", NULL},
		{PEER "# Name alice", NULL},
		{PEER "# Names = alice", NULL},
		{PEER "# Name =", NULL},
		{PEER "# Name = \t# x", NULL},
		{PEER "# Name = a\tb", NULL},
		{PEER "# Name = a\x01", NULL},
		{PEER "# Name = \xff", NULL},
		{PEER "# Name = " PRIVATE, NULL},
		{PEER "## Name = alice", NULL},
		{PEER "# the Name = alice", NULL},
		{PEER IN "# Name = alice", NULL},
		{"# Name = alice\n" PEER, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct file file;
		const char *name;

		good(&file, cases[i].text);
		name = file.device.peers[0].name;
		if (cases[i].name ? !name || strcmp(name, cases[i].name) != 0 : name != NULL)
			fail_msg("'%s' gives '%s'", cases[i].text, name ? name : "(none)");
		assert_int_equal(file.warning_count, 0);
		file_wipe(&file);
	}
}

static void shared_remarks(void **state)
{
	struct file file;

	(void)state;
	good(&file, PEER "# Name = a\n" PEER "# Name = a\n" PEER "Name = b\n" PEER "# Name = b\n");
	assert_null(file.device.peers[0].name);
	assert_null(file.device.peers[1].name);
	assert_string_equal(file.device.peers[2].name, "b");
	assert_null(file.device.peers[3].name);
	assert_int_equal(file.warning_count, 3);
	assert_int_equal(file.warnings[0].line, 3);
	assert_int_equal(file.warnings[0].column, 10);
	assert_string_equal(file.warnings[0].what,
			    "the peer of line 6 has this name, too: here it names none");
	file_wipe(&file);
}

static void bad_extensions(void **state)
{
	static const struct bad cases[] = {
		{IN "DNS = 192.0.2", 2, 7, "'192.0.2' is no address: expected one such as"},
		{IN "DNS = 9.9.9.9, 192.0.2.1/24", 2, 16,
		 "'192.0.2.1/24' is neither an address nor a domain"},
		{IN "DNS = ::1/128", 2, 7, "'::1/128' is no address"},
		{IN "DNS = fe80::1%", 2, 7, "'fe80::1%' is no address"},
		{IN "DNS = a;b", 2, 7, "'a;b' is neither an address nor a domain"},
		{IN "Table = a/b", 2, 9, "'a/b' is no routing table"},
		{IN "Table =", 2, 7, "'Table' has no value"},
		{IN "PostUp = a # \x01", 2, 14, "a control character (0x01)"},
		{IN "KillSwitch = true", 2, 14, "'true' is neither 'yes' nor 'no'"},
		{IN "#wgctl: KilSwitch = yes", 2, 9, "did you mean 'KillSwitch'?"},
		{IN "#wgctl: KillSwitch", 2, 9, "expected '=' after 'KillSwitch'"},
		{IN "#wgctl: KillSwitch = # yes", 2, 20, "'KillSwitch' has no value"},
		{IN "#wgctl: Name = alice", 2, 9, "'Name' belongs in [Peer]"},
		{IN "#wgctl: PostUp = true", 2, 9, "'PostUp' is not wgctl's own: write it without"},
		{IN "#wgctl:", 2, 8, "no '=' on this line"},
		{"#wgctl: KillSwitch = yes", 1, 9, "a key before any section"},
		{PEER "#wgctl: Name = a\x01", 3, 17, "a control character (0x01)"},
		{PEER "Name = a\tb", 3, 8, "cannot be a name"},
		{PEER "Name = " PRIVATE, 3, 8, "this cannot be a name"},
		{PEER "Name = \xc3", 3, 8, "cannot be a name"},
		{PEER "Name = a\n" PEER "# Name = a\n#wgctl: Name = a\n", 7, 16,
		 "the peer of line 3 has this name already"},
		{IN "PrivateKey = " PRIVATE "\nPrivateKeyFile = x", 3, 18,
		 "line 2 has PrivateKey already: remove one of the two"},
		{IN "PrivateKeyFile = x\nPrivateKey = " PRIVATE, 3, 14,
		 "line 2 has PrivateKeyFile already"},
		{PEER "PresharedKeyFile = x\nPresharedKey = " PRIVATE, 4, 16,
		 "line 3 has PresharedKeyFile already"},
		{PEER "AllowedIPs = !", 3, 14, "'!' is no prefix"},
		{PEER "AllowedIPs = !+10.0.0.0/8", 3, 14, "'!+10.0.0.0/8' is no prefix"},
	};

	(void)state;
	assert_bad(cases, sizeof(cases) / sizeof(cases[0]), EINVAL);
}

static void nul_bytes(void **state)
{
	static const char text[] = IN "PrivateKey=" PRIVATE "\n" PEER "Endpoint=192.0.2.1:1 # x\n";

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		char damaged[sizeof(text)];
		struct conf_error error = {0};
		struct file file;

		if (text[at] == '\n')
			continue;
		memcpy(damaged, text, sizeof(text));
		damaged[at] = '\0';
		assert_int_equal(file_parse(&file, damaged, sizeof(text) - 1, &error), -EINVAL);
		assert_non_null(strstr(error.what, "a NUL byte"));
	}
}

/* A key in the place of any value or name, whole or cut, alone or behind a prefix: no message
 * repeats it. */
static void no_key_is_repeated(void **state)
{
	static const char *const before[] = {
		"",
		"[",
		IN,
		IN "[",
		IN "MTU=",
		IN "MTU",
		IN "MTU:",
		IN "ListenPort=",
		IN "FwMark=",
		IN "Address=",
		IN "Address=10.0.0.1,",
		IN "DNS=",
		IN "Table=",
		IN "SaveConfig=",
		IN "KillSwitch=",
		IN "#wgctl: KillSwitch=",
		IN "#wgctl:",
		IN "#wgctl: PrivateKeyFile",
		IN "PrivateKey=x",
		IN "PrivateKey",
		IN "PrivateKey=" PRIVATE "\n",
		IN "PrivateKey " PRIVATE "\n",
		PEER,
		PEER "AllowedIPs=",
		PEER "AllowedIPs=-",
		PEER "AllowedIPs=::/0,",
		PEER "AllowedIPs=!",
		PEER "Name=",
		PEER "#wgctl: Name",
		PEER "Endpoint=",
		PEER "Endpoint=host:",
		PEER "Endpoint=[",
		PEER "PersistentKeepalive=",
		PEER "PresharedKey=x",
		PEER "PublicKey",
	};
	static const char *const after[] = {"", "=", "\n", "=x", ":1", "/32", " x", "]"};

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]) * 8; i++) {
		for (size_t start = 0; start + 21 <= KEY_BASE64_LEN; start++) {
			for (size_t len = 21; start + len <= KEY_BASE64_LEN; len++) {
				char piece[KEY_BASE64_LEN + 1] = "", text[300];
				struct conf_error error = {0};
				struct file file;

				memcpy(piece, &OTHER[start], len);
				snprintf(text, sizeof(text), "%s%s%s", before[i / 8], piece,
					 after[i % 8]);
				parse(&file, text, &error);
				if (strstr(error.what, piece))
					fail_msg("'%s' gives: %s", text, error.what);
				for (size_t j = 0; j < file.warning_count; j++)
					assert_null(strstr(file.warnings[j].what, piece));
				file_wipe(&file);
			}
		}
	}
}

static void many_peers(void **state)
{
	struct text text = TEXT_EMPTY;
	struct file file;

	(void)state;
	text_puts(&text, IN "PrivateKey=" PRIVATE "\n");
	for (unsigned i = 0; i < MANY_PEERS; i++) {
		char base64[KEY_BASE64_LEN + 1];
		struct key key = {{(uint8_t)i, (uint8_t)(i >> 8)}};

		key_to_base64(base64, &key);
		text_printf(&text, "[Peer]\nPublicKey = %s\nAllowedIPs = 10.%u.%u.0/24\n", base64,
			    i >> 8, i & 255);
	}
	good(&file, text.data);
	assert_int_equal(file.device.peer_count, MANY_PEERS);
	for (unsigned i = 0; i < MANY_PEERS; i++) {
		assert_int_equal(file.device.peers[i].public_key.bytes[1], i >> 8);
		assert_int_equal(file.device.peers[i].allowed[0].prefix.addr[2], i & 255);
		assert_int_equal(file.device.peers[i].line, 3 + 3 * i);
	}
	file_wipe(&file);
	/* The last line wrong: all that came before goes. */
	text_puts(&text, "Nonsense");
	assert_int_equal(parse(&file, text.data, NULL), -EINVAL);
	assert_null(file.device.peers);
	text_wipe(&text);
}

static void too_large(void **state)
{
	struct conf_error error = {0};
	struct file file;

	(void)state;
	/* The size is looked at first, not the text. */
	assert_int_equal(file_parse(&file, "", FILE_SIZE_MAX + 1, &error), -EFBIG);
	assert_int_equal(error.err, EFBIG);
}

/* Models written in random layouts read back as they were. */
static void round_trips(void **state)
{
	(void)state;
	seed = 23;
	for (unsigned round = 0; round < 300; round++) {
		static const char *const gaps[] = {"", " ", "\t", "  "};
		static const char *const ends[] = {"\n",    "\r\n", " \n",
						   "# x\n", "\n\n", "\n# [Peer]\n"};
		unsigned peers = (unsigned)draw(5), allowed[5], port = (unsigned)draw(65536);
		struct text text = TEXT_EMPTY;
		struct file file;

		text_printf(&text, "[Interface]%s", ends[draw(6)]);
		text_printf(&text, "%sListenPort%s=%s%u%s", gaps[draw(4)], gaps[draw(4)],
			    gaps[draw(4)], port, ends[draw(6)]);
		for (unsigned i = 0; i < peers; i++) {
			text_printf(&text, "%s[Peer]%s", gaps[draw(4)], ends[draw(6)]);
			text_printf(&text, "PublicKey%s=%s" PUBLIC "%s", gaps[draw(4)],
				    gaps[draw(4)], ends[draw(6)]);
			allowed[i] = (unsigned)draw(60);
			for (unsigned j = 0; j < allowed[i]; j++) {
				bool first = j == 0 || draw(8) == 0;

				if (first && j)
					text_puts(&text, ends[draw(6)]);
				text_printf(&text, "%s%s10.%u.%u.0/24", first ? "AllowedIPs=" : ",",
					    gaps[draw(4)], i, j);
			}
			text_puts(&text, ends[draw(6)]);
		}
		good(&file, text.data);
		assert_int_equal(file.device.listen_port, port);
		assert_int_equal(file.device.peer_count, peers);
		assert_int_equal(file.warning_count, 0);
		for (unsigned i = 0; i < peers; i++) {
			assert_int_equal(file.device.peers[i].allowed_count, allowed[i]);
			for (unsigned j = 0; j < allowed[i]; j++)
				assert_int_equal(file.device.peers[i].allowed[j].prefix.addr[2], j);
		}
		file_wipe(&file);
		text_wipe(&text);
	}
}

/* Any damage at all: no crash, an error with its line, and nothing left behind. */
static void mutations(void **state)
{
	static const char valid[] = IN "PrivateKey=" PRIVATE "\nAddress=10.0.0.1/24, fd00::1/64\n"
				       "MTU=1420\nFwMark=0x1\nListenPort=1\n" PEER
				       "AllowedIPs=10.0.0.1/8,-::/0\nEndpoint=[fe80::1%lo]:1 # x\n"
				       "PersistentKeepalive=25\n";
	static const char spice[] = "\n\r\t #[]=,:;/%+-.0\0\x01\xff";

	(void)state;
	seed = 42;
	for (unsigned round = 0; round < MUTATIONS; round++) {
		size_t len = draw(2) ? sizeof(valid) - 1 : draw(sizeof(valid));
		struct conf_error error = {0};
		char *text = malloc(len ? len : 1); /* exact: a sanitizer sees a step too far */
		struct file file;

		assert_non_null(text);
		memcpy(text, valid, len);
		for (uint64_t i = draw(4); i && len; i--)
			text[draw(len)] = some_byte(spice, sizeof(spice));
		if (file_parse(&file, text, len, &error) < 0) {
			assert_int_not_equal(error.err, 0);
			assert_int_not_equal(error.line, 0);
			assert_int_not_equal(error.column, 0);
			assert_int_not_equal(error.what[0], '\0');
			assert_null(file.device.peers);
			assert_null(file.addresses);
			assert_null(file.warnings);
		}
		file_wipe(&file);
		free(text);
	}
}

static void reads_a_path(void **state)
{
	static const char text[] = IN "ListenPort=7\n" PEER;
	char path[] = "/tmp/file-XXXXXX";
	struct conf_error error = {0};
	struct file file;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(file_read(&file, path, &error), 0);
	assert_int_equal(file.device.listen_port, 7);
	assert_int_equal(file.device.peer_count, 1);
	file_wipe(&file);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(file_read(&file, path, &error), 0);
	file_wipe(&file);
	assert_int_equal(ftruncate(fd, FILE_SIZE_MAX + 1), 0);
	assert_int_equal(file_read(&file, path, &error), -EFBIG);
	assert_int_equal(error.err, EFBIG);
	assert_int_equal(error.line, 0);
	close(fd);
	unlink(path);
	assert_int_equal(file_read(&file, path, &error), -ENOENT);
	assert_int_equal(error.err, ENOENT);
	assert_null(file.device.peers);
	assert_int_equal(file_read(&file, "/", &error), -EISDIR);
}

/* A directory with files, for what reads them. */
struct place {
	char directory[32], path[64], key[64];
};

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static struct place make_place(const char *key, mode_t mode)
{
	struct place place = {.directory = "/tmp/file-XXXXXX"};

	assert_non_null(mkdtemp(place.directory));
	assert_int_equal(chmod(place.directory, 0755), 0);
	snprintf(place.path, sizeof(place.path), "%s/t0.conf", place.directory);
	snprintf(place.key, sizeof(place.key), "%s/a key", place.directory);
	put(place.key, key, mode);
	return place;
}

static void remove_place(const struct place *place)
{
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(unlink(place->key), 0);
	assert_int_equal(rmdir(place->directory), 0);
}

static void key_files(void **state)
{
	struct place place = make_place(PRIVATE "\n", 0600);
	struct conf_error error;
	struct file file;
	char text[300];

	(void)state;
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", place.directory, 1), 0);
	snprintf(text, sizeof(text),
		 IN "PrivateKeyFile = a key # beside\n" PEER "#wgctl: PresharedKeyFile = %s\n" PEER
		    "PresharedKeyFile = credential:a key\n",
		 place.key);
	put(place.path, text, 0600);
	for (int i = 0; i < 2; i++) {
		int (*reads)(struct file *, const char *, struct conf_error *) =
			i ? file_read_wg : file_read;

		assert_int_equal(reads(&file, place.path, &error), 0);
		assert_true(file.device.has_private_key);
		assert_key(&file.device.private_key, PRIVATE);
		assert_true(file.device.peers[0].has_preshared_key);
		assert_key(&file.device.peers[0].preshared_key, PRIVATE);
		assert_key(&file.device.peers[1].preshared_key, PRIVATE);
		assert_int_equal(file.warning_count, 0);
		file_wipe(&file);
	}
	assert_int_equal(chmod(place.key, 0604), 0);
	assert_int_equal(file_read(&file, place.path, &error), 0);
	assert_int_equal(file.warning_count, 3);
	assert_int_equal(file.warnings[0].line, 2);
	assert_int_equal(file.warnings[0].column, 18);
	assert_string_equal(file.warnings[0].what,
			    "PrivateKeyFile is accessible to other users; `chmod 600' keeps the "
			    "key secret");
	file_wipe(&file);
	/* From memory, no other file is read. */
	good(&file, text);
	assert_false(file.device.has_private_key);
	assert_false(file.device.peers[0].has_preshared_key);
	file_wipe(&file);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	remove_place(&place);
}

static void bad_key_files(void **state)
{
	static const struct {
		const char *value, *key, *what;
	} cases[] = {
		{"none", "", "PrivateKeyFile: cannot open the file: No such file"},
		{"/etc", "", "PrivateKeyFile: this is a directory"},
		{"a key", "", "PrivateKeyFile: there is no key in the file"},
		{"a key", ZERO, "PrivateKeyFile: there is no key in the file"},
		{"a key", PRIVATE "x", "PrivateKeyFile: more than white space behind the key"},
		{"a key", "x", "PrivateKeyFile: this is not a key: expected 44 characters"},
		{PRIVATE, "", "PrivateKeyFile: cannot open the file"},
		{"credential:a key", PRIVATE, "CREDENTIALS_DIRECTORY is not set"},
		{"credential:", PRIVATE, "expected the name of a credential"},
		{"credential:../a key", PRIVATE, "expected the name of a credential"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place place = make_place(cases[i].key, 0600);
		static const struct file empty;
		struct conf_error error = {0};
		struct file file;
		char text[100];

		snprintf(text, sizeof(text), IN "PrivateKeyFile = %s\n", cases[i].value);
		put(place.path, text, 0600);
		assert_true(file_read(&file, place.path, &error) < 0);
		assert_int_equal(error.line, 2);
		assert_int_equal(error.column, 18);
		if (!strstr(error.what, cases[i].what) || strstr(error.what, "dwdtCnMY"))
			fail_msg("'%s' gives: %s", cases[i].value, error.what);
		assert_memory_equal(&file, &empty, sizeof(file));
		remove_place(&place);
	}
}

static void only_wg(void **state)
{
	static const struct {
		const char *text, *what; /* NULL: it is fine */
	} cases[] = {
		{PEER "Name = alice\n", NULL},
		{IN "#wgctl: KillSwitch = yes\n", NULL},
		{IN "KillSwitch = yes\n", "KillSwitch is for `wgctl up': remove the line here"},
		{IN "DNS = 9.9.9.9\n", "DNS is for wg-quick and `wgctl up': remove the line here"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct place place = make_place("", 0600);
		struct conf_error error = {0};
		struct file file;

		put(place.path, cases[i].text, 0600);
		assert_int_equal(file_read_wg(&file, place.path, &error),
				 cases[i].what ? -EINVAL : 0);
		if (cases[i].what)
			assert_string_equal(error.what, cases[i].what);
		file_wipe(&file);
		remove_place(&place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything),
		cmocka_unit_test(nothing),
		cmocka_unit_test(grammar),
		cmocka_unit_test(keys_of_zeros),
		cmocka_unit_test(numbers),
		cmocka_unit_test(addresses),
		cmocka_unit_test(allowed_ips),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(warnings),
		cmocka_unit_test(empty_values),
		cmocka_unit_test(too_many_warnings),
		cmocka_unit_test(bad_interface),
		cmocka_unit_test(bad_peer),
		cmocka_unit_test(wg_quick),
		cmocka_unit_test(long_command),
		cmocka_unit_test(extensions),
		cmocka_unit_test(remarks),
		cmocka_unit_test(shared_remarks),
		cmocka_unit_test(bad_extensions),
		cmocka_unit_test(key_files),
		cmocka_unit_test(bad_key_files),
		cmocka_unit_test(only_wg),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(no_key_is_repeated),
		cmocka_unit_test(many_peers),
		cmocka_unit_test(too_large),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(mutations),
		cmocka_unit_test(reads_a_path),
	};

	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
