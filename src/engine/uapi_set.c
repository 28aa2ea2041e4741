/* SPDX-License-Identifier: MIT
 * Set lines applied, and the state reported. */
#include "engine/uapi_set.h"

#include <errno.h>
#include <sodium.h>
#include "engine/control.h"
#include "engine/engine.h"
#include "engine/peer.h"

static struct peer *present_peer(struct engine *engine, const struct uapi_set *set)
{
	return set->skip ? NULL : device_find_peer(&engine->device, &set->peer);
}

static void end_peer(struct engine *engine, struct uapi_set *set)
{
	struct peer *peer = set->in_peer ? present_peer(engine, set) : NULL;

	if (peer && atomic_load_explicit(&engine->device.up, memory_order_relaxed))
		control_start_peer(&engine->lane, peer, set->greet);
}

void uapi_set_end(struct engine *engine, struct uapi_set *set)
{
	end_peer(engine, set);
	sodium_memzero(set, sizeof(*set));
}

static int begin_peer(struct engine *engine, struct uapi_set *set, const struct key *public_key)
{
	struct device *device = &engine->device;
	struct peer *peer;

	end_peer(engine, set);
	*set = (struct uapi_set){.in_peer = true, .peer = *public_key};
	/* A peer that is ourselves is passed over, with all its lines. */
	set->skip = device->local.present && key_equal(public_key, &device->local.public_key);
	if (set->skip || device_find_peer(device, public_key))
		return 0;
	set->created = true;
	return device_add_peer(device, public_key, &peer);
}

static int apply_to_device(struct engine *engine, const struct uapi_line *line)
{
	struct device *device = &engine->device;
	struct peer *peer;

	switch ((int)line->key) {
	case UAPI_PRIVATE_KEY:
		device_set_private_key(device, &line->secret);
		return 0;
	case UAPI_LISTEN_PORT:
		return engine_set_listen_port(engine, (uint16_t)line->number);
	case UAPI_FWMARK:
		return engine_set_fwmark(engine, (uint32_t)line->number);
	case UAPI_REPLACE_PEERS:
		while ((peer = device_first_peer(device)))
			device_remove_peer(device, peer);
		return 0;
	default:
		return -EINVAL;
	}
}

static void set_keepalive(struct uapi_set *set, struct peer *peer, uint64_t seconds)
{
	if (seconds && !peer->timers.keepalive_interval)
		set->greet = true;
	peer->timers.keepalive_interval = seconds * SECOND;
}

static void leave_peer(struct engine *engine, struct uapi_set *set, struct peer *peer)
{
	if (peer)
		device_remove_peer(&engine->device, peer);
	set->skip = true;
}

static int apply_to_peer(struct engine *engine, struct uapi_set *set, const struct uapi_line *line)
{
	struct device *device = &engine->device;
	struct peer *peer = present_peer(engine, set);

	if (line->key == UAPI_PROTOCOL_VERSION)
		return line->number == 1 ? 0 : -EINVAL;
	if (line->key == UAPI_REMOVE) {
		leave_peer(engine, set, peer);
		return 0;
	}
	if (line->key == UAPI_UPDATE_ONLY) {
		if (set->created)
			leave_peer(engine, set, peer);
		return 0;
	}
	if (line->key < UAPI_PRESHARED_KEY || line->key > UAPI_ALLOWED_IP)
		return -EINVAL;
	if (!peer)
		return 0;
	switch ((int)line->key) {
	case UAPI_PRESHARED_KEY:
		peer->handshake.preshared_key = line->secret;
		break;
	case UAPI_ENDPOINT:
		peer_set_remote(peer, &line->endpoint);
		break;
	case UAPI_KEEPALIVE:
		set_keepalive(set, peer, line->number);
		break;
	case UAPI_REPLACE_ALLOWED_IPS:
		device_clear_allowed(device, peer);
		break;
	case UAPI_ALLOWED_IP:
		if (line->allowed.op == MODEL_ALLOWED_ADD)
			return device_insert_allowed(device, peer, &line->allowed.prefix);
		device_remove_allowed(device, peer, &line->allowed.prefix);
		break;
	}
	return 0;
}

int uapi_set_line(struct engine *engine, struct uapi_set *set, const struct uapi_line *line)
{
	if (line->key == UAPI_PUBLIC_KEY)
		return begin_peer(engine, set, &line->secret);
	return set->in_peer ? apply_to_peer(engine, set, line) : apply_to_device(engine, line);
}

/* Keys of our own, which clients pass over: drop_REASON=COUNT. Only what happened is listed. */
static void report_drops(struct text *out, const struct drops *drops)
{
	for (unsigned i = 0; i < DROP_COUNT; ++i) {
		uint64_t count = drop_get(drops, i);
		if (count)
			text_printf(out, "drop_%s=%llu\n", drop_name(i), (unsigned long long)count);
	}
}

static void report_peer(struct text *out, struct peer *peer)
{
	const struct allowedips_node *node = NULL;
	struct model_allowed allowed = {.op = MODEL_ALLOWED_ADD};
	struct path path;

	peer_get_path(peer, &path);
	uapi_put_key(out, UAPI_PUBLIC_KEY, &peer->entry.public_key);
	uapi_put_key(out, UAPI_PRESHARED_KEY, &peer->handshake.preshared_key);
	uapi_put_number(out, UAPI_PROTOCOL_VERSION, 1);
	if (path.remote.sa.sa_family != AF_UNSPEC)
		uapi_put_endpoint(out, &path.remote);
	uapi_put_number(out, UAPI_HANDSHAKE_SEC, (uint64_t)peer->last_handshake.tv_sec);
	uapi_put_number(out, UAPI_HANDSHAKE_NSEC, (uint64_t)peer->last_handshake.tv_nsec);
	uapi_put_number(out, UAPI_TX_BYTES,
			atomic_load_explicit(&peer->tx_bytes, memory_order_relaxed));
	uapi_put_number(out, UAPI_RX_BYTES,
			atomic_load_explicit(&peer->rx_bytes, memory_order_relaxed));
	uapi_put_number(out, UAPI_KEEPALIVE, peer->timers.keepalive_interval / SECOND);
	while ((node = allowedips_next(&peer->allowed, node, &allowed.prefix)))
		uapi_put_allowed_ip(out, &allowed);
	report_drops(out, &peer->drops);
}

void uapi_set_report(struct engine *engine, struct text *out)
{
	struct device *device = &engine->device;

	if (device->local.present)
		uapi_put_key(out, UAPI_PRIVATE_KEY, &device->local.private_key);
	if (engine->listen_port)
		uapi_put_number(out, UAPI_LISTEN_PORT, engine->listen_port);
	if (engine->fwmark)
		uapi_put_number(out, UAPI_FWMARK, engine->fwmark);
	report_drops(out, &device->drops);
	for (struct peer *peer = device_first_peer(device); peer; peer = device_next_peer(peer))
		report_peer(out, peer);
}
