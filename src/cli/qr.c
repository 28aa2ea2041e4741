/* SPDX-License-Identifier: MIT
 * What the app reads is written anew from what the file says: it refuses a file with a key that it
 * does not know. Two rows of the code are one line of half blocks, black on white in colours that
 * no theme changes; where there are none, as on a terminal that is light on dark. */
#include "config.h"
#include "cli/qr.h"

#include "cli/say.h"

#ifdef HAVE_QRENCODE

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <qrencode.h>
#include <sodium.h>
#include "cli/args.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/screen.h"
#include "conf/exclude.h"
#include "conf/file.h"
#include "conf/source.h"
#include "conf/text.h"

#define BYTES_MAX 2953                   /* of the largest code, with the least correction */
#define QUIET 4                          /* light modules around the code, which a reader wants */
#define COLOURS "\033[38;5;231;48;5;16m" /* what is drawn is light */
#define NO_COLOURS "\033[0m"

static void put_key(struct text *out, enum keyword name, const struct key *key)
{
	char base64[KEY_BASE64_LEN + 1];

	if (key_is_zero(key))
		return;
	key_to_base64(base64, key);
	text_printf(out, "%s = %s\n", keyword_name(name), base64);
	sodium_memzero(base64, sizeof(base64));
}

static void put_prefix(struct text *out, enum keyword name, const struct prefix *prefix, bool first)
{
	char text[PREFIX_TEXT_MAX];

	text_printf(out, "%s%s%s", first ? keyword_name(name) : "", first ? " = " : ", ",
		    prefix_format(text, prefix));
}

static void put_words(struct text *out, const struct words *words, bool follows)
{
	for (size_t i = 0; i < words->count; i++)
		text_printf(out, "%s%s", i || follows ? ", " : "DNS = ", words->items[i]);
}

static void put_interface(struct text *out, const struct file *file)
{
	text_puts(out, "[Interface]\n");
	put_key(out, KEYWORD_PRIVATE_KEY, &file->device.private_key);
	if (file->device.listen_port)
		text_printf(out, "ListenPort = %u\n", file->device.listen_port);
	for (size_t i = 0; i < file->address_count; i++)
		put_prefix(out, KEYWORD_ADDRESS, &file->addresses[i], !i);
	text_puts(out, file->address_count ? "\n" : "");
	put_words(out, &file->dns, false);
	put_words(out, &file->search, file->dns.count);
	text_puts(out, file->dns.count || file->search.count ? "\n" : "");
	if (file->mtu)
		text_printf(out, "MTU = %u\n", file->mtu);
}

static void put_peer(struct text *out, const struct model_peer *peer)
{
	char endpoint[ENDPOINT_TEXT_MAX];
	bool first = true;

	text_puts(out, "\n[Peer]\n");
	put_key(out, KEYWORD_PUBLIC_KEY, &peer->public_key);
	put_key(out, KEYWORD_PRESHARED_KEY, &peer->preshared_key);
	for (size_t i = 0; i < peer->allowed_count; i++) {
		if (peer->allowed[i].op != MODEL_ALLOWED_ADD)
			continue;
		put_prefix(out, KEYWORD_ALLOWED_IPS, &peer->allowed[i].prefix, first);
		first = false;
	}
	text_puts(out, first ? "" : "\n");
	if (peer->endpoint.sa.sa_family != AF_UNSPEC)
		text_printf(out, "Endpoint = %s\n", endpoint_format(endpoint, &peer->endpoint));
	else if (peer->host)
		text_printf(out,
			    strchr(peer->host, ':') ? "Endpoint = [%s]:%s\n" : "Endpoint = %s:%s\n",
			    peer->host, peer->port);
	if (peer->keepalive)
		text_printf(out, "PersistentKeepalive = %u\n", peer->keepalive);
}

/* What the tunnel on the phone will be without. */
static void say_left_out(const struct file *file, const char *path)
{
	static const enum keyword unknown[] = {
		KEYWORD_FWMARK,   KEYWORD_TABLE,     KEYWORD_PRE_UP,      KEYWORD_POST_UP,
		KEYWORD_PRE_DOWN, KEYWORD_POST_DOWN, KEYWORD_SAVE_CONFIG, KEYWORD_KILL_SWITCH};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		if (file->line_of[unknown[i]])
			say_warning("%s:%u: %s is left out: the app does not know it", path,
				    file->line_of[unknown[i]], keyword_name(unknown[i]));
}

/* The file for the app. 0 or -errno, said. */
static int translate(struct text *out, struct file *file, const char *path)
{
	struct conf_error error = {0};
	int err = file_read(file, path, &error);

	if (err) {
		say_file_error(path, &error);
		return err;
	}
	say_file_warnings(path, file);
	say_left_out(file, path);
	if (key_is_zero(&file->device.private_key)) {
		say_error("%s: there is no PrivateKey: the app wants one", path);
		return -EINVAL;
	}
	err = exclude_apply_all(&file->device);
	put_interface(out, file);
	for (size_t i = 0; i < file->device.peer_count; i++)
		put_peer(out, &file->device.peers[i]);
	if (!err && out->failed)
		err = -ENOMEM;
	if (err) {
		say_error("%s: %s", path, exclude_problem(err));
		return err;
	}
	if (out->len <= BYTES_MAX)
		return 0;
	say_error("%s: %zu bytes are too many: a QR code holds %d; give the file to the app "
		  "instead, or shorten AllowedIPs",
		  path, out->len, BYTES_MAX);
	return -E2BIG;
}

static bool is_light(const QRcode *code, int x, int y)
{
	const int width = code->width;

	if (x < 0 || y < 0 || x >= width || y >= width)
		return true;
	return !(code->data[y * width + x] & 1);
}

/* Into a file too, as it is shown later; no-color.org: set, and not to nothing. */
static bool wants_colour(void)
{
	const char *mode = getenv("WG_COLOR_MODE"), *no = getenv("NO_COLOR");

	if (mode && !strcmp(mode, "always"))
		return true;
	if ((mode && !strcmp(mode, "never")) || (no && *no))
		return false;
	return !isatty(STDOUT_FILENO) || screen_is_there();
}

static void draw(struct text *out, const QRcode *code)
{
	static const char *const blocks[2][2] = {{" ", "\u2584"}, {"\u2580", "\u2588"}};
	const bool colour = wants_colour();

	for (int y = -QUIET; y < code->width + QUIET; y += 2) {
		text_puts(out, colour ? COLOURS : "");
		for (int x = -QUIET; x < code->width + QUIET; x++)
			text_puts(out, blocks[is_light(code, x, y)][is_light(code, x, y + 1)]);
		text_puts(out, colour ? NO_COLOURS "\n" : "\n");
	}
}

/* A line that is broken makes the code useless. */
static bool is_too_wide(const QRcode *code)
{
	const unsigned needed = (unsigned)code->width + 2 * QUIET;
	unsigned width, height;

	if (!isatty(STDOUT_FILENO))
		return false;
	screen_size(&width, &height);
	if (width < needed)
		say_error("the code is %u columns wide and %u lines high, the terminal %u and %u: "
			  "make it larger, or its letters smaller",
			  needed, (needed + 1) / 2, width, height);
	return width < needed;
}

/* libqrencode frees what it copied as it is. From here on glibc overwrites what is freed, but for
 * the small pieces that it keeps at hand for the next malloc(). */
static void perturb_freed(void)
{
	(void)mallopt(M_PERTURB, 1);
}

/* Takes those pieces, which are all there is of their sizes, and wipes them. */
static void wipe_pieces(void)
{
	enum { SIZES = 64, EACH = 7 };
	void *pieces[SIZES][EACH];

	for (size_t i = 0; i < SIZES * EACH; i++) {
		void *piece = malloc(24 + i / EACH * 16);

		if (piece)
			sodium_memzero(piece, malloc_usable_size(piece));
		pieces[i / EACH][i % EACH] = piece;
	}
	for (size_t i = 0; i < SIZES * EACH; i++)
		free(pieces[i / EACH][i % EACH]);
}

/* 0 or -errno, said. */
static int show(const struct text *config)
{
	struct text out = TEXT_EMPTY;
	QRcode *code;
	int err;

	perturb_freed();
	code = QRcode_encodeData((int)config->len, (const unsigned char *)config->data, 0,
				 QR_ECLEVEL_L);
	err = code ? -EINVAL : -errno;
	wipe_pieces();
	if (!code) {
		say_error("cannot make the code: %s", strerror(-err));
		return err;
	}
	if (!is_too_wide(code)) {
		draw(&out, code);
		err = output_write(&out);
	}
	sodium_memzero(code->data, (size_t)code->width * (size_t)code->width);
	QRcode_free(code);
	text_wipe(&out);
	return err;
}

enum command_result qr_run(int argc, char **argv)
{
	struct file file = FILE_EMPTY;
	struct text config = TEXT_EMPTY;
	struct conf_error error = {0};
	struct paths paths;
	struct args args;
	int err;

	if (args_parse(&args, argc, argv, 0) || args.count != 1)
		return COMMAND_USAGE;
	err = paths_find(&paths, args.words[0], &error);
	if (err) {
		say_error("%s", error.what);
		return COMMAND_FAILED;
	}
	output_warn_exposed();
	if (source_is_exposed(paths.file))
		say_exposed(paths.file);
	err = translate(&config, &file, paths.file);
	if (!err)
		err = show(&config);
	file_wipe(&file);
	text_wipe(&config);
	return err ? COMMAND_FAILED : COMMAND_OK;
}

#else

enum command_result qr_run(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say_error("this wgctl was built without libqrencode, and makes no QR codes");
	return COMMAND_FAILED;
}

#endif
