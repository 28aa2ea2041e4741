/* SPDX-License-Identifier: MIT
 * All samples of a metric stand together, so that all interfaces are asked first. Info metrics and
 * states are gauges: other types of OpenMetrics are errors where Prometheus's older format is read.
 */
#include "config.h"
#include "cli/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/args.h"
#include "cli/device.h"
#include "cli/health.h"
#include "cli/http.h"
#include "cli/json.h"
#include "cli/names.h"
#include "cli/output.h"
#include "cli/peername.h"
#include "cli/say.h"
#include "conf/model.h"
#include "conf/text.h"

#define SILENCE_MS 1000 /* of an engine, until it counts as hanging */
#define BUDGET_MS 4000  /* for all silences: Prometheus waits for ten seconds */
#define LEAST_MS 50     /* for one that is asked when the budget is spent */
#define OPENMETRICS "application/openmetrics-text"

/* An interface. */
struct thing {
	char name[IFNAMSIZ];
	struct model model; /* without its secret keys */
	struct key public;  /* zero: none */
	bool is_up;         /* there is a model */
};

struct scrape {
	struct text *out;
	bool openmetrics; /* and not the older form, which Prometheus takes too */
	struct thing *things;
	size_t count;
	int64_t now; /* seconds since the epoch */
};

/* mark: what stands before the label; value: NULL or "": no label, which means the same. */
static void put_label(struct text *out, const char *mark, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	text_printf(out, "%s%s=\"", mark, name);
	while (*value) {
		size_t len = json_character(value);

		if (!len)
			text_puts(out, "\xef\xbf\xbd"); /* U+FFFD */
		else if (*value == '\n')
			text_puts(out, "\\n");
		else if (*value == '"' || *value == '\\')
			text_printf(out, "\\%c", *value);
		else
			text_append(out, value, len);
		value += len ? len : 1;
	}
	text_puts(out, "\"");
}

static void put_value(struct text *out, uint64_t value)
{
	text_printf(out, "} %" PRIu64 "\n", value);
}

/* Which sample is to be put. */
struct sample_of {
	struct text *out;
	const char *name;
	const struct thing *thing;
	const struct model_peer *peer; /* NULL: of the interface */
	int64_t now;
};

/* Up to where further labels may follow. */
static void begin(const struct sample_of *of)
{
	char key[KEY_BASE64_LEN + 1];

	text_puts(of->out, of->name);
	put_label(of->out, "{", "interface", of->thing->name);
	if (!of->peer)
		return;
	key_to_base64(key, &of->peer->public_key);
	put_label(of->out, ",", "public_key", key);
	put_label(of->out, ",", "name", of->peer->name);
}

static void put_number(const struct sample_of *of, uint64_t value)
{
	begin(of);
	put_value(of->out, value);
}

static void put_received(const struct sample_of *of)
{
	put_number(of, of->peer->rx_bytes);
}

static void put_sent(const struct sample_of *of)
{
	put_number(of, of->peer->tx_bytes);
}

static void put_handshake(const struct sample_of *of)
{
	put_number(of, of->peer->handshake_sec > 0 ? (uint64_t)of->peer->handshake_sec : 0);
}

static void put_keepalive(const struct sample_of *of)
{
	put_number(of, of->peer->keepalive);
}

static void put_up(const struct sample_of *of)
{
	put_number(of, of->thing->is_up);
}

static void put_interface_info(const struct sample_of *of)
{
	const struct model *model = &of->thing->model;
	char key[KEY_BASE64_LEN + 1], number[16];

	if (!of->thing->is_up)
		return;
	begin(of);
	key_to_base64(key, &of->thing->public);
	put_label(of->out, ",", "public_key", key_is_zero(&of->thing->public) ? NULL : key);
	snprintf(number, sizeof(number), "%u", model->listen_port);
	put_label(of->out, ",", "listen_port", model->listen_port ? number : NULL);
	snprintf(number, sizeof(number), "0x%x", model->fwmark);
	put_label(of->out, ",", "fwmark", model->fwmark ? number : NULL);
	put_value(of->out, 1);
}

static void put_peer_info(const struct sample_of *of)
{
	const union sockaddr_ip *endpoint = &of->peer->endpoint;
	char text[ENDPOINT_TEXT_MAX];

	begin(of);
	put_label(of->out, ",", "endpoint",
		  endpoint->sa.sa_family != AF_UNSPEC ? endpoint_format(text, endpoint) : NULL);
	put_value(of->out, 1);
}

static void put_state(const struct sample_of *of)
{
	const enum health_state is = health_of_peer(of->peer, of->now, HEALTH_BY_KEEPALIVE);

	for (enum health_state state = HEALTH_UP; state <= HEALTH_DOWN; state++) {
		begin(of);
		put_label(of->out, ",", "state", health_word(state));
		put_value(of->out, state == is);
	}
}

static void put_drops(const struct sample_of *of)
{
	const struct model_drops *drops = of->peer ? &of->peer->drops : &of->thing->model.drops;

	for (size_t i = 0; i < drops->count; i++) {
		begin(of);
		put_label(of->out, ",", "reason", drops->items[i].reason);
		put_value(of->out, drops->items[i].packets);
	}
}

struct family {
	const char *name, *type, *unit, *help;
	void (*put)(const struct sample_of *of);
};

static const struct family of_interfaces[] = {
	{"wgctl_up", "gauge", NULL, "1: the interface answers; 0: nothing else is known of it.",
	 put_up},
	{"wgctl_interface_info", "gauge", NULL, "What an interface is.", put_interface_info},
	{"wgctl_interface_dropped_packets", "counter", "packets",
	 "Packets and datagrams dropped, by reason; only wgengine counts them.", put_drops},
};

static const struct family of_peers[] = {
	{"wgctl_peer_info", "gauge", NULL, "What a peer is.", put_peer_info},
	{"wgctl_peer_state", "gauge", NULL,
	 "1 for the state that the peer is in: up, idle or down.", put_state},
	{"wgctl_peer_receive_bytes", "counter", "bytes", "Bytes received.", put_received},
	{"wgctl_peer_transmit_bytes", "counter", "bytes", "Bytes sent.", put_sent},
	{"wgctl_peer_latest_handshake_timestamp_seconds", "gauge", "seconds",
	 "When the latest handshake was, since the epoch; 0: never.", put_handshake},
	{"wgctl_peer_persistent_keepalive_seconds", "gauge", "seconds",
	 "The keepalive interval; 0: off.", put_keepalive},
	{"wgctl_peer_dropped_packets", "counter", "packets",
	 "The same of a peer's packets and datagrams.", put_drops},
};

/* name: of the samples. OpenMetrics has a family's name without their suffix. */
static void put_head(const struct scrape *scrape, const struct family *family, const char *name)
{
	if (scrape->openmetrics)
		name = family->name;
	text_printf(scrape->out, "# TYPE %s %s\n", name, family->type);
	if (scrape->openmetrics && family->unit)
		text_printf(scrape->out, "# UNIT %s %s\n", name, family->unit);
	text_printf(scrape->out, "# HELP %s %s\n", name, family->help);
}

static void put_family(const struct scrape *scrape, const struct family *family, bool of_peer)
{
	char name[64];
	struct sample_of of = {.out = scrape->out, .name = name, .now = scrape->now};

	snprintf(name, sizeof(name), "%s%s", family->name,
		 strcmp(family->type, "counter") ? "" : "_total");
	put_head(scrape, family, name);
	for (size_t i = 0; i < scrape->count; i++) {
		of.thing = &scrape->things[i];
		of.peer = NULL;
		if (!of_peer)
			family->put(&of);
		for (size_t n = 0; of_peer && n < of.thing->model.peer_count; n++) {
			of.peer = &of.thing->model.peers[n];
			family->put(&of);
		}
	}
}

static void put_all(const struct scrape *scrape)
{
	text_puts(scrape->out, "# TYPE wgctl_build_info gauge\n"
			       "# HELP wgctl_build_info The wgctl that says this.\n"
			       "wgctl_build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
	for (size_t i = 0; i < sizeof(of_interfaces) / sizeof(*of_interfaces); i++)
		put_family(scrape, &of_interfaces[i], false);
	for (size_t i = 0; i < sizeof(of_peers) / sizeof(*of_peers); i++)
		put_family(scrape, &of_peers[i], true);
	text_puts(scrape->out, scrape->openmetrics ? "# EOF\n" : "");
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* 0; -errno: it is us that cannot ask, or -ENODEV: there is no such interface. */
static int take(struct thing *thing, const char *name, int64_t wait_ms)
{
	struct model *model = &thing->model;
	int err;

	wait_ms = wait_ms > SILENCE_MS ? SILENCE_MS : wait_ms < LEAST_MS ? LEAST_MS : wait_ms;
	strcpy(thing->name, name);
	model->wants_drops = true;
	err = device_get_within(name, (unsigned)wait_ms, model, NULL);
	thing->is_up = !err;
	if (err)
		model_wipe(model);
	if (err == -ENOENT || err == -ECONNREFUSED)
		return -ENODEV;
	if (err)
		return err == -ENODEV || err == -EPERM || err == -EACCES || err == -ENOMEM ? err
											   : 0;
	if (!key_is_zero(&model->private_key))
		key_derive_public(&thing->public, &model->private_key);
	key_wipe(&model->private_key);
	for (size_t i = 0; i < model->peer_count; i++)
		key_wipe(&model->peers[i].preshared_key);
	peername_fill(name, model);
	return 0;
}

/* only: NULL: all of them. 0 or -errno. */
static int gather(struct scrape *scrape, const char *only)
{
	const int64_t deadline = now_ms() + BUDGET_MS;
	char(*names)[IFNAMSIZ] = NULL;
	size_t count = 0;
	int err;

	if (!only)
		err = device_list(&names, &count);
	else
		err = strlen(only) < IFNAMSIZ ? names_add(&names, &count, only) : -ENODEV;
	if (count)
		err = 0; /* rather some of them than none */
	scrape->things = calloc(count + 1, sizeof(*scrape->things));
	if (!scrape->things)
		err = -ENOMEM;
	for (size_t i = 0; i < count && !err; i++) {
		err = take(&scrape->things[scrape->count], names[i], deadline - now_ms());
		if (!err)
			scrape->count++;
		else if (err == -ENODEV && !only)
			err = 0; /* gone meanwhile */
	}
	free(names);
	return err;
}

/* Appends all metrics. 0 or -errno, said. */
static int scrape_all(struct text *out, bool openmetrics, const char *only)
{
	struct scrape scrape = {.out = out, .openmetrics = openmetrics, .now = time(NULL)};
	int err = gather(&scrape, only);

	if (err == -ENODEV && only)
		say_error("there is no interface `%s'", only);
	else if (err)
		say_error("cannot read the interfaces: %s", strerror(-err));
	if (!err)
		put_all(&scrape);
	for (size_t i = 0; i < scrape.count; i++)
		model_wipe(&scrape.things[i].model);
	free(scrape.things);
	return err;
}

/* Answers one request. */
static int serve(void)
{
	struct text body = TEXT_EMPTY, head = TEXT_EMPTY;
	bool openmetrics = false;
	unsigned status = http_read("/metrics", OPENMETRICS, &openmetrics);
	int err;

	if (status == HTTP_OK && (scrape_all(&body, openmetrics, NULL) || body.failed))
		status = HTTP_FAILED;
	http_limit_answer();
	http_put_head(&head, status,
		      openmetrics ? OPENMETRICS "; version=1.0.0; charset=utf-8"
				  : "text/plain; version=0.0.4; charset=utf-8",
		      status == HTTP_OK ? body.len : 0);
	err = output_write(&head);
	if (!err && status == HTTP_OK)
		err = output_write(&body);
	text_wipe(&head);
	text_wipe(&body);
	return status == HTTP_FAILED ? -EIO : err;
}

enum command_result metrics_run(int argc, char **argv)
{
	struct text out = TEXT_EMPTY;
	struct args args;
	int err;

	if (args_parse(&args, argc, argv, ARGS_HTTP | ARGS_OPENMETRICS) ||
	    args.count > !args.http || (args.http && args.openmetrics))
		return COMMAND_USAGE;
	if (args.http)
		return serve() ? COMMAND_FAILED : COMMAND_OK;
	err = scrape_all(&out, args.openmetrics, args.count ? args.words[0] : NULL);
	if (!err)
		err = output_write(&out);
	text_wipe(&out);
	return err ? COMMAND_FAILED : COMMAND_OK;
}
