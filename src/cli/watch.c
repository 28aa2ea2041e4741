/* SPDX-License-Identifier: MIT
 * Samples, a timer, and what to make of them. */
#include "cli/watch.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "cli/access.h"
#include "cli/args.h"
#include "cli/device.h"
#include "cli/health.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/sample.h"
#include "cli/say.h"
#include "cli/screen.h"
#include "cli/show_json.h"
#include "cli/table.h"
#include "conf/text.h"

#define GREEN "\x1b[32m"
#define RED "\x1b[31m"
#define FAINT "\x1b[2m"

struct watch {
	const char *only;       /* NULL: all interfaces */
	struct sample *samples; /* by name; those that are gone stay */
	size_t count;
	bool json, on_screen, colour;
	struct screen screen;
};

enum { PEER, STATE, ENDPOINT, HANDSHAKE, RX_RATE, TX_RATE, RX, TX, COLUMNS };

static const struct table_column columns[COLUMNS] = {
	[PEER] = {"PEER", 8, 0, false},
	[STATE] = {"STATE", 0, 3, false},
	[ENDPOINT] = {"ENDPOINT", 21, 4, false},
	[HANDSHAKE] = {"HANDSHAKE", 0, 1, true},
	[RX_RATE] = {"RX/S", 0, 2, true},
	[TX_RATE] = {"TX/S", 0, 2, true},
	[RX] = {"RX", 0, 5, true},
	[TX] = {"TX", 0, 5, true},
};

static int compare_names(const void *left, const void *right)
{
	const struct sample *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static int add(struct watch *watch, const char *name)
{
	struct sample *samples;

	for (size_t i = 0; i < watch->count; i++)
		if (!strcmp(watch->samples[i].name, name))
			return 0;
	samples = reallocarray(watch->samples, watch->count + 1, sizeof(*samples));
	if (!samples)
		return -ENOMEM;
	watch->samples = samples;
	samples[watch->count] = (struct sample){0};
	strcpy(samples[watch->count++].name, name);
	qsort(samples, watch->count, sizeof(*samples), compare_names);
	return 0;
}

static int take(struct watch *watch)
{
	char(*names)[IFNAMSIZ] = NULL;
	size_t count = 0;
	int err = 0;

	/* Some may be missing, for a moment: those that are known are asked all the same. */
	if (!watch->only)
		(void)device_list(&names, &count);
	for (size_t i = 0; !err && i < count; i++)
		err = add(watch, names[i]);
	free(names);
	for (size_t i = 0; !err && i < watch->count; i++)
		err = sample_take(&watch->samples[i]);
	if (err)
		say_error("out of memory");
	return err;
}

/* What the table shows about one peer. */
struct row {
	const struct model_peer *peer;
	const struct sample_rate *rate;
	enum health_state state;
	const char *name;
	char key[KEY_BASE64_LEN + 1];
};

/* What asks for a look first; then by name, those without one last. */
static int compare_rows(const void *left, const void *right)
{
	static const int order[] = {[HEALTH_DOWN] = 0, [HEALTH_UP] = 1, [HEALTH_IDLE] = 2};
	const struct row *a = left, *b = right;

	if (a->state != b->state)
		return order[a->state] - order[b->state];
	if (a->name && b->name && strcmp(a->name, b->name) != 0)
		return strcmp(a->name, b->name);
	if (!a->name != !b->name)
		return a->name ? -1 : 1;
	return strcmp(a->key, b->key);
}

/* "512 B", "1.50 KiB", "12.3 MiB", "123 GiB" */
static void set_bytes(struct table *table, size_t column, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double amount = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes == SAMPLE_UNKNOWN)
		return;
	if (bytes < 1024) {
		table_set(table, column, "%u B", (unsigned)bytes);
		return;
	}
	for (; amount >= 1023.5 && unit < 5; unit++)
		amount /= 1024;
	table_set(table, column, "%.*f %s",
		  amount < 9.995   ? 2
		  : amount < 99.95 ? 1
				   : 0,
		  amount, units[unit]);
}

/* "12s", "2m03s", "1h30m", "5d01h" */
static void set_age(struct table *table, const struct model_peer *peer, int64_t now)
{
	int64_t age = now > peer->handshake_sec ? now - peer->handshake_sec : 0;

	if (!peer->handshake_sec)
		table_set(table, HANDSHAKE, "never");
	else if (age < 60)
		table_set(table, HANDSHAKE, "%ds", (int)age);
	else if (age < 3600)
		table_set(table, HANDSHAKE, "%dm%02ds", (int)(age / 60), (int)(age % 60));
	else if (age < 86400)
		table_set(table, HANDSHAKE, "%dh%02dm", (int)(age / 3600), (int)(age / 60 % 60));
	else
		table_set(table, HANDSHAKE, "%lldd%02dh", (long long)(age / 86400),
			  (int)(age / 3600 % 24));
}

static void add_peer(struct table *table, const struct row *row, int64_t now)
{
	static const char *const colours[] = {
		[HEALTH_UP] = NULL, [HEALTH_IDLE] = FAINT, [HEALTH_DOWN] = RED};
	char text[ENDPOINT_TEXT_MAX];

	table_add(table, colours[row->state], false);
	table_set(table, PEER, "%s", row->name ? row->name : row->key);
	table_set(table, STATE, "%s", health_word(row->state));
	if (row->peer->endpoint.sa.sa_family != AF_UNSPEC)
		table_set(table, ENDPOINT, "%s", endpoint_format(text, &row->peer->endpoint));
	set_age(table, row->peer, now);
	set_bytes(table, RX_RATE, row->rate->rx);
	set_bytes(table, TX_RATE, row->rate->tx);
	set_bytes(table, RX, row->peer->rx_bytes);
	set_bytes(table, TX, row->peer->tx_bytes);
}

static void add_interface(struct table *table, const struct sample *sample, int64_t now)
{
	const size_t count = sample->model.peer_count;
	struct row *rows = calloc(count + 1, sizeof(*rows));
	size_t up = 0;

	if (!rows) {
		table->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		rows[i].peer = &sample->model.peers[i];
		rows[i].rate = &sample->rates[i];
		rows[i].state = health_of_peer(rows[i].peer, now, HEALTH_BY_KEEPALIVE);
		rows[i].name = rows[i].peer->name;
		key_to_base64(rows[i].key, &rows[i].peer->public_key);
		up += rows[i].state == HEALTH_UP;
	}
	qsort(rows, count, sizeof(*rows), compare_rows);
	table_add(table, sample->problem ? RED : GREEN, true);
	if (sample->problem)
		table_set(table, 0, "%s: %s", sample->name, sample->problem);
	else
		table_set(table, 0, "%s: %zu of %zu peers up", sample->name, up, count);
	for (size_t i = 0; i < count; i++)
		add_peer(table, &rows[i], now);
	free(rows);
}

static void put_table(struct text *out, const struct watch *watch)
{
	struct table table = {.columns = columns, .column_count = COLUMNS};
	const time_t now = time(NULL);
	unsigned width = 0, height = 0;
	struct tm local;
	char clock[32];

	if (watch->on_screen) {
		screen_size(&width, &height);
	} else if (localtime_r(&now, &local)) {
		strftime(clock, sizeof(clock), "%F %T\n", &local);
		text_puts(out, clock);
	}
	for (size_t i = 0; i < watch->count; i++)
		add_interface(&table, &watch->samples[i], now);
	if (!watch->count) {
		table_add(&table, FAINT, true);
		table_set(&table, 0, "no interfaces yet");
	}
	table_print(out, &table, width, height, watch->colour);
	if (!watch->on_screen)
		text_puts(out, "\n");
	table_wipe(&table);
}

static void put_json_peer(struct json *json, const struct model_peer *peer,
			  const struct sample_rate *rate, int64_t now)
{
	show_json_open_peer(json, peer);
	json_number(json, "rx_bytes", peer->rx_bytes);
	json_number(json, "tx_bytes", peer->tx_bytes);
	json_number_if(json, "rx_rate", rate->rx != SAMPLE_UNKNOWN, rate->rx);
	json_number_if(json, "tx_rate", rate->tx != SAMPLE_UNKNOWN, rate->tx);
	json_string(json, "state", health_word(health_of_peer(peer, now, HEALTH_BY_KEEPALIVE)));
	json_close(json, '}');
}

static void put_json(struct text *out, const struct watch *watch)
{
	struct json json = {.out = out};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	json_open(&json, NULL, '{');
	json_thousandths(&json, "time",
			 (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
	json_open(&json, "interfaces", '[');
	for (size_t i = 0; i < watch->count; i++) {
		const struct sample *sample = &watch->samples[i];

		json_open(&json, NULL, '{');
		json_string(&json, "name", sample->name);
		json_string(&json, "problem", sample->problem);
		json_open(&json, "peers", '[');
		for (size_t p = 0; p < sample->model.peer_count; p++)
			put_json_peer(&json, &sample->model.peers[p], &sample->rates[p],
				      now.tv_sec);
		json_close(&json, ']');
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_close(&json, '}');
	text_puts(out, "\n");
}

static int put(struct watch *watch)
{
	struct text out = TEXT_EMPTY;
	int err;

	if (watch->json)
		put_json(&out, watch);
	else
		put_table(&out, watch);
	err = watch->on_screen ? screen_draw(&watch->screen, &out) : output_write(&out);
	text_wipe(&out);
	return err;
}

/* Until the timer ticks. Off a screen only the timer is there to wait for. */
static int wait_for_tick(struct watch *watch, int timer, bool *end)
{
	struct pollfd fds[] = {
		{.fd = timer, .events = POLLIN},
		{.fd = watch->on_screen ? watch->screen.signals : -1, .events = POLLIN},
		{.fd = watch->on_screen ? watch->screen.keys : -1, .events = POLLIN},
	};
	uint64_t ticks;
	int err = 0;

	while (!err && !*end) {
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents || fds[2].revents) {
			enum screen_event event = screen_read(&watch->screen);

			*end = event == SCREEN_END;
			err = event == SCREEN_REDRAW ? put(watch) : 0;
		}
		if (fds[0].revents && read(timer, &ticks, sizeof(ticks)) == sizeof(ticks))
			break;
	}
	return err;
}

/* count 0: for ever */
static int run(struct watch *watch, uint64_t interval_ms, uint64_t count)
{
	const struct timespec interval = {.tv_sec = (time_t)(interval_ms / 1000),
					  .tv_nsec = (long)(interval_ms % 1000) * 1000000};
	const struct itimerspec times = {.it_interval = interval, .it_value = interval};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), err;
	bool end = false;

	if (timer < 0 || timerfd_settime(timer, 0, &times, NULL)) {
		err = -errno;
		say_error("cannot set a timer: %s", strerror(-err));
	} else {
		err = take(watch);
	}
	for (uint64_t done = 1; !err; done++) {
		err = put(watch);
		if (!err && done != count)
			err = wait_for_tick(watch, timer, &end);
		if (done == count || end)
			break;
		if (!err)
			err = take(watch);
	}
	close(timer);
	return err;
}

static bool is_set(const char *name, const char *value)
{
	const char *is = getenv(name);

	return is && !strcmp(is, value);
}

/* no-color.org: set, and not to nothing. */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR");

	if (is_set("WG_COLOR_MODE", "always"))
		return true;
	return screen_is_there() && !is_set("WG_COLOR_MODE", "never") && !(no && *no);
}

static enum command_result start(struct watch *watch, uint64_t interval_ms, uint64_t count)
{
	int err = 0;

	watch->on_screen = !watch->json && screen_is_there();
	watch->colour = wants_colour();
	setlocale(LC_CTYPE, "C.UTF-8");
	if (watch->on_screen)
		err = screen_open(&watch->screen);
	if (err) {
		say_error("cannot use the terminal: %s", strerror(-err));
		return COMMAND_FAILED;
	}
	err = run(watch, interval_ms, count);
	if (watch->on_screen) {
		screen_close(&watch->screen);
		watch->on_screen = false;
		/* Who asks for so many wants to see the last. */
		if (!err && count)
			err = put(watch);
	}
	return err ? COMMAND_FAILED : COMMAND_OK;
}

/* Whether there is something to watch; said if not. One that is named and is not there is misspelt:
 * it may go away later. */
static bool begin(struct watch *watch)
{
	struct model model = MODEL_EMPTY;
	char(*names)[IFNAMSIZ] = NULL;
	size_t count;
	int err;

	if (watch->only) {
		err = access_get(watch->only, &model);
		model_wipe(&model);
		return !err && !add(watch, watch->only);
	}
	err = device_list(&names, &count);
	if (err)
		say_plain("Unable to list interfaces: %s", strerror(-err));
	free(names);
	return !err || count;
}

enum command_result watch_run(int argc, char **argv)
{
	struct watch watch = {0};
	uint64_t interval_ms = 1000, count = 0;
	enum command_result result = COMMAND_FAILED;
	struct args args;

	if (args_parse(&args, argc, argv,
		       ARGS_JSON | ARGS_TAKES(ARGS_INTERVAL) | ARGS_TAKES(ARGS_COUNT)) ||
	    args.count > 1 ||
	    args_thousandths(&interval_ms, &args, ARGS_INTERVAL, 100, 3600000, "seconds") ||
	    args_thousandths(&count, &args, ARGS_COUNT, 1000, 999999000, "(whole) snapshots") ||
	    count % 1000)
		return COMMAND_USAGE;
	watch.json = args.json;
	watch.only = args.count ? args.words[0] : NULL;
	if (begin(&watch))
		result = start(&watch, interval_ms, count / 1000);
	for (size_t i = 0; i < watch.count; i++)
		sample_wipe(&watch.samples[i]);
	free(watch.samples);
	return result;
}
