/* SPDX-License-Identifier: MIT
 * The attacker and the crowd of bench/flood, for network namespaces of its own only:
 *
 *   flooder flood KIND ADDRESS PORT PUBLIC-KEY RATE SECONDS
 *	RATE datagrams a second from random addresses of 198.18.0.0/15 (raw sockets: root).
 *	KIND: forged (initiations with a wrong MAC1); initiations, responses (with a right MAC1,
 *	the rest is random); cookies, data (random but for the type). PUBLIC-KEY: the victim's.
 *	Prints how many were sent a second; SIGTERM ends it early.
 *   flooder peers COUNT
 *	Prints the [Peer] sections of the crowd.
 *   flooder handshakes COUNT ADDRESS PORT PUBLIC-KEY EACH WINDOW
 *	Each of the crowd begins EACH handshakes, with at most WINDOW unanswered at a time. Prints
 *	the answers a second; all of them are checked afterwards. */
#include "flooder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "engine/cookie.h"

#define SOURCES 0xc6120000u /* 198.18.0.0/15, which is for benchmarks */
#define SOURCES_MASK 0x1ffffu
#define MESSAGES 4096 /* different ones; a power of two */
#define DATA_LEN 128
#define BATCHES_PER_SECOND 1000
#define BATCH_MAX 512
#define BEHIND_MAX (SECOND / 20)

/* As it travels. */
struct datagram {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t bytes[WIRE_HANDSHAKE_MAX];
};

struct flood {
	struct sockaddr_in to;
	size_t len; /* of each message */
	uint8_t messages[MESSAGES][WIRE_HANDSHAKE_MAX];
	struct datagram datagrams[BATCH_MAX];
	struct iovec vectors[BATCH_MAX];
	struct mmsghdr headers[BATCH_MAX];
};

void flooder_fail(const char *what)
{
	fprintf(stderr, "flooder: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t flooder_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t when)
{
	struct timespec at = {(time_t)(when / SECOND), (long)(when % SECOND)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

struct sockaddr_in flooder_target(const char *address, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1) {
		errno = EINVAL;
		flooder_fail(address);
	}
	return to;
}

struct key flooder_key(const char *text)
{
	struct key key;

	if (key_from_base64(&key, text, strlen(text))) {
		errno = EINVAL;
		flooder_fail("public key");
	}
	return key;
}

static void make_messages(struct flood *flood, const char *kind, const struct key *victim)
{
	static const struct {
		const char *name;
		enum wire_type type;
		size_t len;
		bool macs;
	} kinds[] = {
		{"forged", WIRE_INITIATION, sizeof(struct wire_initiation), false},
		{"initiations", WIRE_INITIATION, sizeof(struct wire_initiation), true},
		{"responses", WIRE_RESPONSE, sizeof(struct wire_response), true},
		{"cookies", WIRE_COOKIE_REPLY, sizeof(struct wire_cookie_reply), false},
		{"data", WIRE_DATA, DATA_LEN, false},
	};
	struct cookie_maker maker;

	cookie_maker_init(&maker, victim);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); ++i) {
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		flood->len = kinds[i].len;
		for (unsigned k = 0; k < MESSAGES; ++k) {
			uint8_t *message = flood->messages[k];
			randombytes_buf(message, flood->len);
			wire_put32(message, kinds[i].type);
			if (kinds[i].macs)
				cookie_add_macs(&maker, message, flood->len, SECOND);
		}
		return;
	}
	errno = EINVAL;
	flooder_fail(kind);
}

static void prepare(struct flood *flood)
{
	size_t udp_len = sizeof(struct udphdr) + flood->len;

	for (unsigned i = 0; i < BATCH_MAX; ++i) {
		struct datagram *datagram = &flood->datagrams[i];
		/* The kernel fills in the length and the checksum of IP; UDP does without. */
		datagram->ip = (struct iphdr){.version = 4,
					      .ihl = 5,
					      .ttl = 64,
					      .protocol = IPPROTO_UDP,
					      .daddr = flood->to.sin_addr.s_addr};
		datagram->udp = (struct udphdr){.dest = flood->to.sin_port,
						.len = htons((uint16_t)udp_len)};
		flood->vectors[i] = (struct iovec){datagram, sizeof(datagram->ip) + udp_len};
		flood->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &flood->to,
			.msg_namelen = sizeof(flood->to),
			.msg_iov = &flood->vectors[i],
			.msg_iovlen = 1,
		};
	}
}

static uint64_t send_batch(struct flood *flood, int fd, unsigned count)
{
	uint32_t draws[2 * BATCH_MAX];

	randombytes_buf(draws, 2 * count * sizeof(draws[0]));
	for (unsigned i = 0; i < count; ++i) {
		struct datagram *datagram = &flood->datagrams[i];
		datagram->ip.saddr = htonl(SOURCES | (draws[2 * i] & SOURCES_MASK));
		datagram->udp.source = htons((uint16_t)(1024 + draws[2 * i + 1] % 60000));
		memcpy(datagram->bytes, flood->messages[draws[2 * i + 1] >> 16 & (MESSAGES - 1)],
		       flood->len);
	}
	int sent = sendmmsg(fd, flood->headers, count, 0);
	return sent > 0 ? (uint64_t)sent : 0;
}

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static int run_flood(char **words)
{
	struct flood *flood = calloc(1, sizeof(*flood));
	struct key victim = flooder_key(words[3]);
	unsigned long rate = strtoul(words[4], NULL, 10);
	double seconds = strtod(words[5], NULL);
	uint64_t sent = 0, done = 0;

	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (!flood || fd < 0)
		flooder_fail("raw socket");
	flood->to = flooder_target(words[1], words[2]);
	make_messages(flood, words[0], &victim);
	prepare(flood);
	signal(SIGTERM, stop);
	/* An attacker has its own machine, and is not slowed down by ours. */
	(void)setpriority(PRIO_PROCESS, 0, -20);
	uint64_t start = flooder_clock(), now = start, end = start + (uint64_t)(seconds * 1e9);
	for (unsigned long batch = 1; now < end && !stopped; ++batch) {
		unsigned long due = rate * batch / BATCHES_PER_SECOND;
		uint64_t when = start + batch * (SECOND / BATCHES_PER_SECOND);
		unsigned count = due - done < BATCH_MAX ? (unsigned)(due - done) : BATCH_MAX;
		done = due;
		/* What cannot be caught up with is left out. */
		if (now < when + BEHIND_MAX)
			sent += send_batch(flood, fd, count);
		sleep_until(when);
		now = flooder_clock();
	}
	printf("%.0f\n", (double)sent * 1e9 / (double)(now - start));
	close(fd);
	free(flood);
	return 0;
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		return 1;
	if (argc == 8 && !strcmp(argv[1], "flood"))
		return run_flood(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "peers"))
		return flooder_peers(argv + 2);
	if (argc == 8 && !strcmp(argv[1], "handshakes"))
		return flooder_handshakes(argv + 2);
	fprintf(stderr, "usage: see bench/flooder.c\n");
	return 2;
}
