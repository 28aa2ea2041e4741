/* SPDX-License-Identifier: MIT
 * Peers that are in each other's way, routes that lead nowhere or past the tunnel. The model says
 * what is configured, the outline where. */
#include "conf/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include "conf/array.h"
#include "conf/file.h"
#include "conf/findings.h"
#include "conf/outline.h"

#define MTU_USUAL 1440 /* bytes: what 1500 leave over IPv4 */
#define IPV6_MOST 3    /* bits: 2000::/3 are all addresses that are in use */
#define NAME_SHOWN 20  /* bytes of a name: half a key, which may be in its place, has more */

/* Where a prefix stands. */
struct spot {
	struct prefix prefix;
	size_t peer;
	unsigned line, column;
};

struct spots {
	struct spot *items; /* owned */
	size_t count, size;
};

/* The lines of a peer's keys, from 1; 0: it has none. */
struct peer_lines {
	unsigned public_key, endpoint, keepalive;
};

struct inspection {
	struct findings *findings;     /* borrowed */
	const struct file *file;       /* borrowed */
	const struct outline *outline; /* borrowed */
	struct peer_lines *lines;      /* of each peer; owned */
	struct spots allowed;          /* what the peers' lists add, without host bits */
	struct spots addresses;
	bool is_whole; /* no error: what is not there is missing */
};

struct label {
	char text[NAME_SHOWN + 32];
};

static struct label label_peer(const struct inspection *in, size_t peer)
{
	const struct model_peer *found = &in->file->device.peers[peer];
	struct label label;

	if (found->name && strlen(found->name) <= NAME_SHOWN)
		snprintf(label.text, sizeof(label.text), "%s", found->name);
	else
		snprintf(label.text, sizeof(label.text), "the peer of line %u", found->line);
	return label;
}

/* The column of a line's value; the line is from 1. */
static unsigned column_of(const struct inspection *in, unsigned line)
{
	return (unsigned)in->outline->lines[line - 1].value + 1;
}

static bool add_spot(struct spots *spots, const struct spot *spot)
{
	struct spot *items = array_room(spots->items, spots->count, &spots->size, sizeof(*items));

	if (!items)
		return false;
	spots->items = items;
	spots->items[spots->count++] = *spot;
	return true;
}

/* The prefixes of a list that can be read, less those that a sign takes away. */
static void take_list(struct inspection *in, struct spots *spots, const struct outline_line *line,
		      unsigned number)
{
	struct outline_element element;
	struct spot spot = {.peer = line->peer, .line = number};

	for (size_t at = line->value; outline_next(line, &at, &element);) {
		const size_t sign = element.text[0] == '+';

		if (prefix_parse(&spot.prefix, element.text + sign, element.len - sign) < 0)
			continue;
		if (line->key == KEYWORD_ALLOWED_IPS)
			prefix_mask(&spot.prefix);
		spot.column = element.column;
		if (!add_spot(spots, &spot))
			in->findings->failed = true;
	}
}

static void take_line(struct inspection *in, const struct outline_line *line, unsigned number)
{
	if (line->key == KEYWORD_ADDRESS)
		take_list(in, &in->addresses, line, number);
	if (line->key == KEYWORD_ALLOWED_IPS)
		take_list(in, &in->allowed, line, number);
	if (line->key == KEYWORD_PUBLIC_KEY)
		in->lines[line->peer].public_key = number;
	if (line->key == KEYWORD_ENDPOINT)
		in->lines[line->peer].endpoint = number;
	if (line->key == KEYWORD_KEEPALIVE)
		in->lines[line->peer].keepalive = number;
}

/* Equal prefixes next to each other, in the order of the file. */
static int compare_spots(const void *left, const void *right)
{
	const struct spot *a = left, *b = right;
	int order = prefix_compare(&a->prefix, &b->prefix);

	if (order)
		return order;
	if (a->line != b->line)
		return a->line < b->line ? -1 : 1;
	return a->column < b->column ? -1 : a->column > b->column;
}

static void sort(struct spots *spots)
{
	if (spots->count)
		qsort(spots->items, spots->count, sizeof(*spots->items), compare_spots);
}

static void check_overlap(const struct inspection *in)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 1; i < in->allowed.count; i++) {
		const struct spot *earlier = &in->allowed.items[i - 1], *later = earlier + 1;

		if (!prefix_equal(&earlier->prefix, &later->prefix) || earlier->peer == later->peer)
			continue;
		FINDINGS_ERROR(in->findings, "duplicate-allowed-ips", later->line, later->column,
			       "%s is %s's already (line %u): only %s would get it; remove it from "
			       "one of the two",
			       prefix_format(text, &later->prefix),
			       label_peer(in, earlier->peer).text, earlier->line,
			       label_peer(in, later->peer).text);
	}
}

static void check_addresses(const struct inspection *in)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 1; i < in->addresses.count; i++) {
		const struct spot *earlier = &in->addresses.items[i - 1], *later = earlier + 1;

		if (prefix_equal(&earlier->prefix, &later->prefix))
			FINDINGS_WARNING(in->findings, "duplicate-address", later->line,
					 later->column,
					 "%s is in line %u already: remove one of the two",
					 prefix_format(text, &later->prefix), earlier->line);
	}
}

static void check_own_key(const struct inspection *in)
{
	const struct model *device = &in->file->device;
	struct key own;

	if (key_is_zero(&device->private_key))
		return;
	key_derive_public(&own, &device->private_key);
	for (size_t i = 0; i < device->peer_count; i++) {
		const unsigned line = in->lines[i].public_key;

		if (line && key_equal(&own, &device->peers[i].public_key))
			FINDINGS_ERROR(in->findings, "own-key-as-peer", line, column_of(in, line),
				       "this is the interface's own key, which belongs to its "
				       "PrivateKey: put the other side's public key here");
	}
}

static void check_peers_keys(const struct inspection *in)
{
	const struct model *device = &in->file->device;
	struct model_index index;

	if (model_index_build(&index, device))
		in->findings->failed = true;
	for (size_t i = 1; i < index.count; i++) {
		const struct model_peer *earlier = index.peers[i - 1], *later = index.peers[i];
		const unsigned line = in->lines[later - device->peers].public_key;

		if (line && !key_is_zero(&later->public_key) &&
		    key_equal(&later->public_key, &earlier->public_key))
			FINDINGS_ERROR(in->findings, "duplicate-peer", line, column_of(in, line),
				       "the peer of line %u has this key already: make one "
				       "[Peer] of the two, or correct the key",
				       earlier->line);
	}
	free(index.peers);
}

/* The narrowest of the peer's prefixes, no default route, that would take the packets to its
 * endpoint. */
static const struct prefix *find_loop(const struct model_peer *peer, const struct prefix *endpoint,
				      struct prefix *found)
{
	bool is_found = false;

	for (size_t i = 0; i < peer->allowed_count; i++) {
		struct prefix prefix = peer->allowed[i].prefix;

		prefix_mask(&prefix);
		if (!prefix.cidr || !prefix_contains(&prefix, endpoint))
			continue;
		if (peer->allowed[i].op != MODEL_ALLOWED_ADD)
			return NULL;
		if (!is_found || prefix.cidr > found->cidr)
			*found = prefix;
		is_found = true;
	}
	return is_found ? found : NULL;
}

static bool take_address(struct prefix *prefix, const union sockaddr_ip *endpoint)
{
	*prefix = (struct prefix){.family = endpoint->sa.sa_family};
	if (endpoint->sa.sa_family == AF_INET)
		memcpy(prefix->addr, &endpoint->in4.sin_addr, sizeof(endpoint->in4.sin_addr));
	else if (endpoint->sa.sa_family == AF_INET6)
		memcpy(prefix->addr, &endpoint->in6.sin6_addr, sizeof(endpoint->in6.sin6_addr));
	else
		return false;
	prefix->cidr = prefix_max(prefix->family);
	return true;
}

/* Routes are set up as wg-quick(8) does it. */
static bool is_routed(const struct file *file)
{
	return !file->table || !strcmp(file->table, "auto");
}

static void check_endpoint(const struct inspection *in, size_t i)
{
	const struct model_peer *peer = &in->file->device.peers[i];
	char text[PREFIX_TEXT_MAX], address[PREFIX_TEXT_MAX];
	const unsigned line = in->lines[i].endpoint;
	struct prefix endpoint, loop;

	if (!line || !is_routed(in->file) || in->file->device.fwmark ||
	    !take_address(&endpoint, &peer->endpoint) || !find_loop(peer, &endpoint, &loop))
		return;
	prefix_format(address, &endpoint);
	FINDINGS_WARNING(in->findings, "endpoint-in-allowed-ips", line, column_of(in, line),
			 "the way to this endpoint leads into the tunnel itself, as AllowedIPs has "
			 "%s: add !%s to AllowedIPs",
			 prefix_format(text, &loop), address);
}

static void check_peers(const struct inspection *in)
{
	const struct model *device = &in->file->device;

	for (size_t i = 0; i < device->peer_count; i++) {
		const unsigned line = in->lines[i].keepalive;

		check_endpoint(in, i);
		if (in->is_whole && line && device->peers[i].keepalive && !in->lines[i].endpoint)
			FINDINGS_WARNING(in->findings, "keepalive-without-endpoint", line,
					 column_of(in, line),
					 "without an Endpoint nothing is kept alive until the peer "
					 "has called: add one, or remove this line");
	}
}

static void check_defaults(const struct inspection *in)
{
	const struct spot *ipv4 = NULL;
	bool has_ipv6 = false;
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < in->allowed.count; i++) {
		const struct spot *spot = &in->allowed.items[i];
		const bool is_ipv4 = prefix_max(spot->prefix.family) == 32;

		if (is_ipv4 && spot->prefix.cidr <= 1 && !ipv4)
			ipv4 = spot;
		if (!is_ipv4 && spot->prefix.cidr <= IPV6_MOST)
			has_ipv6 = true;
		if (in->is_whole && !spot->prefix.cidr && !in->lines[spot->peer].endpoint)
			FINDINGS_WARNING(in->findings, "default-without-endpoint", spot->line,
					 spot->column,
					 "%s sends all traffic to a peer without Endpoint: nothing "
					 "gets out before it has called; add its Endpoint",
					 prefix_format(text, &spot->prefix));
	}
	if (ipv4 && !has_ipv6 && is_routed(in->file))
		FINDINGS_WARNING(
			in->findings, "ipv6-leak", ipv4->line, ipv4->column,
			"IPv4 goes through the tunnel, but IPv6 past it: add ::/0 (without "
			"an IPv6 Address, IPv6 then goes nowhere)");
}

static void check_interface(const struct inspection *in)
{
	const struct file *file = in->file;
	const unsigned mtu = file->line_of[KEYWORD_MTU];

	if (mtu && file->mtu > MTU_USUAL)
		FINDINGS_WARNING(in->findings, "mtu-too-large", mtu, column_of(in, mtu),
				 "MTU %u does not fit through a network of 1500 bytes with "
				 "WireGuard's headers: use 1420, or remove the line",
				 (unsigned)file->mtu);
	if (in->is_whole && file->interface_line && !file->device.has_private_key)
		FINDINGS_WARNING(in->findings, "no-private-key", file->interface_line, 1,
				 "[Interface] has no PrivateKey: without one nothing is sent or "
				 "received; `wgctl genkey' makes one");
}

static void check_hooks(const struct inspection *in)
{
	for (size_t i = 0; i < in->outline->count && in->file->save_config; i++) {
		const struct outline_line *line = &in->outline->lines[i];
		const char *sign;

		if (line->kind != OUTLINE_ENTRY || line->key < KEYWORD_PRE_UP ||
		    line->key > KEYWORD_POST_DOWN)
			continue;
		sign = memchr(line->text + line->value, '&', line->value_len);
		if (sign)
			FINDINGS_WARNING(in->findings, "hook-with-save", (unsigned)i + 1,
					 (unsigned)(sign - line->text) + 1,
					 "with SaveConfig, wg-quick on bash 5.2 and newer garbles "
					 "'&' in the file: put the command into a script");
	}
}

static bool is_whole(const struct file *file)
{
	for (size_t i = 0; i < file->warning_count; i++)
		if (file->warnings[i].is_error)
			return false;
	return true;
}

void inspect_all(struct findings *findings, const struct file *file, const struct outline *outline)
{
	struct inspection in = {
		.findings = findings,
		.file = file,
		.outline = outline,
		.lines = calloc(file->device.peer_count + 1, sizeof(*in.lines)),
		.is_whole = is_whole(file),
	};

	if (!in.lines) {
		findings->failed = true;
		return;
	}
	for (size_t i = 0; i < outline->count; i++)
		if (outline->lines[i].kind == OUTLINE_ENTRY)
			take_line(&in, &outline->lines[i], (unsigned)i + 1);
	sort(&in.allowed);
	sort(&in.addresses);
	check_overlap(&in);
	check_addresses(&in);
	check_own_key(&in);
	check_peers_keys(&in);
	check_peers(&in);
	check_defaults(&in);
	check_interface(&in);
	check_hooks(&in);
	free(in.lines);
	free(in.allowed.items);
	free(in.addresses.items);
}
