/* SPDX-License-Identifier: MIT
 * What a session costs: handshakes by role, the check that comes before them, the replay window and
 * the timers. What one core can do of the responder's part is what a server can take. */
#include "micro.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "engine/cookie.h"
#include "engine/noise.h"
#include "engine/replay.h"
#include "engine/timers.h"

#define HANDSHAKES 16
#define TIMED_PEERS 100000u
#define START (1000 * SECOND)

/* One end: itself, what it knows of the other, and its MACs. */
struct end {
	struct noise_local local;
	struct noise_handshake handshake;
	struct cookie_checker checker;
	struct cookie_maker maker;
};

struct handshakes {
	struct end initiator, responder;
	struct key ephemeral;
	struct wire_initiation initiations[HANDSHAKES]; /* each newer than the one before */
	struct wire_response responses[HANDSHAKES];
	struct noise_handshake waiting[HANDSHAKES]; /* the initiator's, for these responses */
	struct noise_session session;
};

static void end_init(struct end *end, const struct key *private, const struct key *remote)
{
	noise_local_set(&end->local, private);
	noise_handshake_init(&end->handshake, remote);
	cookie_checker_init(&end->checker, &end->local.public_key);
	cookie_maker_init(&end->maker, remote);
}

static bool initiate(struct handshakes *all, unsigned i)
{
	struct end *end = &all->initiator;
	uint8_t timestamp[WIRE_TIMESTAMP_LEN];
	int ret;

	noise_timestamp(timestamp, 1700000000 + i, 0);
	ret = noise_create_initiation(&end->handshake, &end->local, &all->ephemeral, i, timestamp,
				      &all->initiations[i]);
	cookie_add_macs(&end->maker, (uint8_t *)&all->initiations[i], sizeof(all->initiations[i]),
			START);
	return ret == 0;
}

static bool respond(struct handshakes *all, unsigned i)
{
	struct end *end = &all->responder;
	const struct wire_initiation *initiation = &all->initiations[i];
	struct noise_initiation opened;

	if (!cookie_check_mac1(&end->checker, (const uint8_t *)initiation, sizeof(*initiation)) ||
	    noise_open_initiation(&opened, &end->local, initiation) < 0 ||
	    noise_accept_initiation(&end->handshake, &end->local, &opened, initiation,
				    START + i * SECOND) < 0 ||
	    noise_create_response(&end->handshake, &all->ephemeral, i, &all->responses[i]) < 0)
		return false;
	cookie_add_macs(&end->maker, (uint8_t *)&all->responses[i], sizeof(all->responses[i]),
			START);
	return noise_begin_session(&end->handshake, &all->session) == 0;
}

static bool conclude(struct handshakes *all, unsigned i)
{
	struct end *end = &all->initiator;
	const struct wire_response *response = &all->responses[i];

	end->handshake = all->waiting[i];
	return cookie_check_mac1(&end->checker, (const uint8_t *)response, sizeof(*response)) &&
	       noise_consume_response(&end->handshake, &end->local, response) == 0 &&
	       noise_begin_session(&end->handshake, &all->session) == 0;
}

/* The messages are old ones, so what forbids them is forgotten first. */
static void forget_times(struct noise_handshake *handshake)
{
	memset(handshake->latest_timestamp, 0, sizeof(handshake->latest_timestamp));
	handshake->latest_initiation = 0;
}

static void multiply(void *arg, unsigned times)
{
	struct handshakes *all = arg;
	struct key secret;

	for (; times; times--)
		micro_keep(
			(uint64_t)crypto_scalarmult(secret.bytes, all->ephemeral.bytes,
						    all->initiator.handshake.remote_static.bytes));
	key_wipe(&secret);
}

static void do_initiate(void *arg, unsigned times)
{
	for (unsigned i = 0; i < times * HANDSHAKES; i++)
		micro_keep(initiate(arg, i % HANDSHAKES));
}

static void do_respond(void *arg, unsigned times)
{
	struct handshakes *all = arg;

	for (unsigned i = 0; i < times * HANDSHAKES; i++) {
		if (i % HANDSHAKES == 0)
			forget_times(&all->responder.handshake);
		micro_check(respond(all, i % HANDSHAKES), "response");
	}
}

static void do_respond_first(void *arg, unsigned times)
{
	struct handshakes *all = arg;

	for (unsigned i = 0; i < times * HANDSHAKES; i++) {
		if (i % HANDSHAKES == 0)
			forget_times(&all->responder.handshake);
		noise_forget_local(&all->responder.handshake);
		micro_check(respond(all, i % HANDSHAKES), "response at first contact");
	}
}

static void do_conclude(void *arg, unsigned times)
{
	for (unsigned i = 0; i < times * HANDSHAKES; i++)
		micro_check(conclude(arg, i % HANDSHAKES), "taking a response");
}

static void hash_by_sodium(void *arg, unsigned times)
{
	struct handshakes *all = arg;
	const uint8_t *message = (const uint8_t *)all->initiations;
	uint8_t mac[WIRE_MAC_LEN];

	for (; times; times--) {
		crypto_generichash(mac, sizeof(mac), message,
				   sizeof(*all->initiations) - 2 * WIRE_MAC_LEN,
				   all->ephemeral.bytes, KEY_LEN);
		micro_keep(mac[0]);
	}
}

static void check_mac1(void *arg, unsigned times)
{
	struct handshakes *all = arg;

	for (; times; times--)
		micro_keep(cookie_check_mac1(&all->responder.checker,
					     (const uint8_t *)all->initiations,
					     sizeof(*all->initiations)));
}

static void measure_handshakes(struct micro *micro)
{
	struct handshakes *all = micro_alloc(1, sizeof(*all));
	struct key one, two, public_one, public_two;
	uint64_t seed = 6;

	micro_fill(&seed, &one, sizeof(one));
	micro_fill(&seed, &two, sizeof(two));
	micro_fill(&seed, &all->ephemeral, sizeof(all->ephemeral));
	key_derive_public(&public_one, &one);
	key_derive_public(&public_two, &two);
	end_init(&all->initiator, &one, &public_two);
	end_init(&all->responder, &two, &public_one);
	for (unsigned i = 0; i < HANDSHAKES; i++) {
		micro_check(initiate(all, i), "initiation");
		all->waiting[i] = all->initiator.handshake;
		micro_check(respond(all, i), "response");
		micro_check(conclude(all, i), "taking a response");
	}
	micro_add(micro, "one X25519 of libsodium", 1, multiply, all);
	micro_add(micro, "initiator: make the initiation", HANDSHAKES, do_initiate, all);
	micro_add(micro, "initiator: take the response, begin", HANDSHAKES, do_conclude, all);
	micro_add(micro, "responder: all, of a peer it has met", HANDSHAKES, do_respond, all);
	micro_add(micro, "responder: all, at first contact", HANDSHAKES, do_respond_first, all);
	micro_run(micro, "handshake");
	micro_add(micro, "keyed BLAKE2b of libsodium, the same bytes", 1, hash_by_sodium, all);
	micro_add(micro, "cookie_check_mac1", 1, check_mac1, all);
	micro_run(micro, "MAC1 of an initiation");
	free(all);
}

struct window {
	struct replay replay;
	uint64_t counter;
};

static void accept_in_order(void *arg, unsigned times)
{
	struct window *window = arg;

	for (; times; times--)
		micro_keep(replay_accept(&window->replay, window->counter++));
}

/* 1 0 3 2 5 4 ... */
static void accept_swapped(void *arg, unsigned times)
{
	struct window *window = arg;

	for (; times; times--, window->counter++)
		micro_keep(replay_accept(&window->replay, window->counter ^ 1));
}

static void refuse_again(void *arg, unsigned times)
{
	struct window *window = arg;

	for (; times; times--)
		micro_keep(replay_accept(&window->replay, times % 1024));
}

static void measure_replay(struct micro *micro)
{
	struct window *windows = micro_alloc(3, sizeof(*windows));

	for (unsigned i = 0; i < 3; i++)
		replay_init(&windows[i].replay);
	accept_in_order(&windows[2], 1024);
	micro_add(micro, "in order", 1, accept_in_order, &windows[0]);
	micro_add(micro, "pairs swapped", 1, accept_swapped, &windows[1]);
	micro_add(micro, "a replay, refused", 1, refuse_again, &windows[2]);
	micro_run(micro, "replay_accept");
	free(windows);
}

struct timed {
	struct timers *peers;
	unsigned count, next;
};

static void check_timers(void *arg, unsigned times)
{
	struct timed *timed = arg;
	uint64_t next;

	for (; times; times--) {
		struct timers *timers = &timed->peers[timed->next];

		micro_keep(timers_check(timers, START + SECOND, 0, true, &next));
		timed->next = timed->next + 1 < timed->count ? timed->next + 1 : 0;
	}
}

static void measure_timers(struct micro *micro)
{
	struct timed idle = {.peers = micro_alloc(1, sizeof(struct timers)), .count = 1};
	struct timed busy = {
		.peers = micro_alloc(TIMED_PEERS, sizeof(struct timers)),
		.count = TIMED_PEERS,
	};
	struct timed one = {.peers = busy.peers, .count = 1};

	for (unsigned i = 0; i < TIMED_PEERS; i++) {
		struct timers *timers = &busy.peers[i];

		timers->keepalive_interval = 25 * SECOND;
		timers_session_derived(timers, START);
		timers_data_received(timers, START);
		timers_authenticated_received(timers, START);
		timers_data_sent(timers, START);
		timers_authenticated_sent(timers, START);
	}
	micro_add(micro, "an idle peer", 1, check_timers, &idle);
	micro_add(micro, "a busy peer", 1, check_timers, &one);
	micro_add(micro, "100,000 busy peers in turn", 1, check_timers, &busy);
	micro_run(micro, "timers_check");
	free(busy.peers);
	free(idle.peers);
}

void micro_session(struct micro *micro)
{
	measure_handshakes(micro);
	measure_replay(micro);
	measure_timers(micro);
}
