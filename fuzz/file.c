/* SPDX-License-Identifier: MIT
 * The configuration file. What is read and written again reads the same; what is refused leaves
 * nothing, and an error that says where without a word that could be a key; it is among the
 * findings, which are errors only of what is refused or cannot work. Stripped it configures the
 * same. */
#include "conf/file.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include "conf/exclude.h"
#include "conf/findings.h"
#include "conf/plain.h"
#include "conf/text.h"
#include "fuzz.h"

#define RUN_MAX 20 /* bytes of base64 in a row that a message may show: half a key has more */

static void check_message(const char *what)
{
	size_t run = 0;

	CHECK(memchr(what, '\0', CONF_ERROR_WHAT_MAX));
	CHECK(what[0]);
	for (; *what; ++what) {
		CHECK(!iscntrl((unsigned char)*what));
		run = isalnum((unsigned char)*what) || *what == '+' || *what == '/' ? run + 1 : 0;
		CHECK(run <= RUN_MAX);
	}
}

static void check_refused(const struct file *file, const struct conf_error *error, int rc)
{
	static const struct file empty;

	CHECK(!memcmp(file, &empty, sizeof(empty)));
	CHECK(error->err == -rc);
	CHECK(!error->line == !error->column);
	check_message(error->what);
}

static void put_key(struct text *out, const char *name, const struct key *key)
{
	char text[KEY_BASE64_LEN + 1];

	key_to_base64(text, key);
	text_printf(out, "%s = %s\n", name, text);
}

static void put_peer(struct text *out, const struct model_peer *peer)
{
	char text[PREFIX_TEXT_MAX];

	text_puts(out, "[Peer]\n");
	put_key(out, "PublicKey", &peer->public_key);
	if (peer->name)
		text_printf(out, "Name = %s\n", peer->name);
	if (peer->has_preshared_key)
		put_key(out, "PresharedKey", &peer->preshared_key);
	for (size_t i = 0; i < peer->allowed_count; ++i) {
		const struct model_allowed *allowed = &peer->allowed[i];
		const char *sign = peer->replace_allowed ? "" : "+";

		if (allowed->op != MODEL_ALLOWED_ADD)
			sign = allowed->op == MODEL_ALLOWED_REMOVE ? "-" : "!";
		CHECK(*sign != '-' || !peer->replace_allowed);
		text_printf(out, "AllowedIPs = %s%s\n", sign,
			    prefix_format(text, &allowed->prefix));
	}
	if (peer->host)
		text_printf(out,
			    strchr(peer->host, ':') ? "Endpoint=[%s]:%s\n" : "Endpoint=%s:%s\n",
			    peer->host, peer->port);
	if (peer->has_keepalive)
		text_printf(out, "PersistentKeepalive = %u\n", peer->keepalive);
}

static void put_words(struct text *out, const char *name, const struct words *words)
{
	for (size_t i = 0; i < words->count; ++i)
		text_printf(out, "%s = %s\n", name, words->items[i]);
}

static void put_quick(struct text *out, const struct file *file)
{
	static const char *const hooks[FILE_HOOKS] = {"PreUp", "PostUp", "PreDown", "PostDown"};

	put_words(out, "DNS", &file->dns);
	put_words(out, "DNS", &file->search);
	if (file->table)
		text_printf(out, "Table = %s\n", file->table);
	for (size_t i = 0; i < FILE_HOOKS; ++i)
		put_words(out, hooks[i], &file->hooks[i]);
	if (file->save_config)
		text_puts(out, "SaveConfig = true\n");
	if (file->kill_switch)
		text_puts(out, "#wgctl: KillSwitch = yes\n");
}

static void put_file(struct text *out, const struct file *file)
{
	const struct model *device = &file->device;
	char text[PREFIX_TEXT_MAX];

	if (file->interface_line)
		text_puts(out, "[Interface]\n");
	if (device->has_private_key)
		put_key(out, "PrivateKey", &device->private_key);
	if (device->has_listen_port)
		text_printf(out, "ListenPort = %u\n", device->listen_port);
	if (device->has_fwmark)
		text_printf(out, "FwMark = 0x%x\n", device->fwmark);
	for (size_t i = 0; i < file->address_count; ++i)
		text_printf(out, "Address = %s\n", prefix_format(text, &file->addresses[i]));
	if (file->mtu)
		text_printf(out, "MTU = %u\n", file->mtu);
	put_quick(out, file);
	for (size_t i = 0; i < device->peer_count; ++i)
		put_peer(out, &device->peers[i]);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_same_peer(const struct model_peer *a, const struct model_peer *b)
{
	CHECK(key_equal(&a->public_key, &b->public_key));
	CHECK(key_equal(&a->preshared_key, &b->preshared_key));
	CHECK(a->has_preshared_key == b->has_preshared_key);
	CHECK(a->has_keepalive == b->has_keepalive && a->keepalive == b->keepalive);
	CHECK(same_text(a->name, b->name));
	CHECK(same_text(a->host, b->host) && same_text(a->port, b->port));
	CHECK(endpoint_equal(&a->endpoint, &b->endpoint));
	CHECK(a->replace_allowed == b->replace_allowed);
	CHECK(a->allowed_count == b->allowed_count);
	for (size_t i = 0; i < a->allowed_count; ++i) {
		CHECK(prefix_equal(&a->allowed[i].prefix, &b->allowed[i].prefix));
		CHECK(a->allowed[i].op == b->allowed[i].op);
	}
	CHECK(!a->remove && !a->update_only);
}

static void check_same_words(const struct words *a, const struct words *b)
{
	CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; ++i)
		CHECK(!strcmp(a->items[i], b->items[i]));
}

static void check_same(const struct file *a, const struct file *b)
{
	CHECK(!a->interface_line == !b->interface_line);
	CHECK(key_equal(&a->device.private_key, &b->device.private_key));
	CHECK(a->device.has_private_key == b->device.has_private_key);
	CHECK(a->device.has_listen_port == b->device.has_listen_port);
	CHECK(a->device.listen_port == b->device.listen_port);
	CHECK(a->device.has_fwmark == b->device.has_fwmark);
	CHECK(a->device.fwmark == b->device.fwmark);
	CHECK(a->mtu == b->mtu);
	check_same_words(&a->dns, &b->dns);
	check_same_words(&a->search, &b->search);
	CHECK(same_text(a->table, b->table));
	for (size_t i = 0; i < FILE_HOOKS; ++i)
		check_same_words(&a->hooks[i], &b->hooks[i]);
	CHECK(a->save_config == b->save_config && a->kill_switch == b->kill_switch);
	CHECK(a->address_count == b->address_count);
	for (size_t i = 0; i < a->address_count; ++i)
		CHECK(prefix_equal(&a->addresses[i], &b->addresses[i]));
	CHECK(a->device.peer_count == b->device.peer_count);
	for (size_t i = 0; i < a->device.peer_count; ++i)
		check_same_peer(&a->device.peers[i], &b->device.peers[i]);
}

static void check_written_again(const struct file *file)
{
	struct text text = TEXT_EMPTY;
	struct file again;

	text_puts(&text, "\n");
	put_file(&text, file);
	CHECK(file_parse(&again, text.data, text.len, NULL) == 0);
	check_same(file, &again);
	file_wipe(&again);
	text_wipe(&text);
}

/* But for numbers, which may be those of lines. */
static bool same_message(const char *a, const char *b)
{
	for (;; ++a, ++b) {
		while (isdigit((unsigned char)*a))
			++a;
		while (isdigit((unsigned char)*b))
			++b;
		if (*a != *b || !*a)
			return *a == *b;
	}
}

/* A line more above all others moves what is said of them, and nothing else. Before a byte order
 * mark it may not be. */
static void check_moved(const uint8_t *data, size_t size, const struct file *file, int rc,
			const struct conf_error *error)
{
	struct conf_error moved = {0};
	struct text text = TEXT_EMPTY;
	struct file again;

	if (size && data[0] >= 0x80)
		return;
	text_puts(&text, "# a comment\n");
	text_append(&text, (const char *)data, size);
	CHECK(file_parse(&again, text.data, text.len, &moved) == rc);
	if (rc) {
		CHECK(moved.line == (error->line ? error->line + 1 : 0));
		CHECK(moved.column == error->column && same_message(moved.what, error->what));
	} else {
		check_same(file, &again);
		CHECK(file->warning_count == again.warning_count);
	}
	file_wipe(&again);
	text_wipe(&text);
}

static void check_findings(const uint8_t *data, size_t size, const struct conf_error *error, int rc)
{
	struct findings findings = FINDINGS_EMPTY;
	bool is_found = false;

	CHECK(findings_collect(&findings, NULL, (const char *)data, size, true) == 0);
	for (size_t i = 0; i < findings.count; ++i) {
		const struct finding *finding = &findings.items[i];

		CHECK(finding->at.line && finding->at.column && finding->code);
		check_message(finding->at.what);
		CHECK(!i || finding[-1].at.line <= finding->at.line);
		is_found |= finding->is_error && finding->at.line == error->line &&
			    finding->at.column == error->column &&
			    !strcmp(finding->at.what, error->what);
	}
	CHECK(is_found || !rc);
	findings_free(&findings);
}

static void check_stripped(const uint8_t *data, size_t size, struct file *file)
{
	struct text text = TEXT_EMPTY;
	struct file again;
	int rc = plain_put(&text, file, (const char *)data, size);

	CHECK(rc == 0 || rc == -E2BIG);
	if (rc == 0) {
		CHECK(file_parse(&again, text.data, text.len, NULL) == 0);
		CHECK(!again.address_count && !again.mtu && !again.table && !again.save_config);
		CHECK(again.device.listen_port == file->device.listen_port);
		CHECK(again.device.peer_count == file->device.peer_count);
		for (size_t i = 0; i < again.device.peer_count; ++i) {
			const struct model_peer *a = &again.device.peers[i];
			const struct model_peer *b = &file->device.peers[i];

			CHECK(key_equal(&a->public_key, &b->public_key));
			CHECK(same_text(a->host, b->host) && a->keepalive == b->keepalive);
			CHECK(a->allowed_count == b->allowed_count && !exclude_is_used(a));
			for (size_t j = 0; j < a->allowed_count; ++j)
				CHECK(prefix_equal(&a->allowed[j].prefix, &b->allowed[j].prefix));
		}
		file_wipe(&again);
	}
	text_wipe(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_error error = {0};
	struct file file;

	int rc = file_parse(&file, (const char *)data, size, &error);
	CHECK(rc <= 0);
	if (rc)
		check_refused(&file, &error, rc);
	else
		check_written_again(&file);
	CHECK(file.warning_count <= FILE_WARNINGS_MAX);
	for (size_t i = 0; i < file.warning_count; ++i) {
		CHECK(file.warnings[i].line && file.warnings[i].column);
		CHECK(memchr(file.warnings[i].what, '\0', CONF_ERROR_WHAT_MAX));
	}
	check_moved(data, size, &file, rc, &error);
	check_findings(data, size, &error, rc);
	if (rc == 0)
		check_stripped(data, size, &file);
	file_wipe(&file);
	return 0;
}
