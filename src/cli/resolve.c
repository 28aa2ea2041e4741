/* SPDX-License-Identifier: MIT
 * getaddrinfo(3) and its retries: wg(8), ENVIRONMENT VARIABLES. */
#include "cli/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/interrupt.h"
#include "cli/say.h"
#include "conf/error.h"
#include "conf/model.h"
#include "conf/number.h"

#define FIRST_WAIT 1.0 /* seconds */
#define WAIT_GROWTH 1.2
#define LONGEST_WAIT 20.0 /* seconds */
#define DEFAULT_RETRIES 15
#define FOREVER UINT64_MAX

static int read_retries(uint64_t *retries, struct conf_error *error)
{
	const char *text = getenv("WG_ENDPOINT_RESOLUTION_RETRIES");

	*retries = DEFAULT_RETRIES;
	if (!text)
		return 0;
	*retries = FOREVER;
	if (!strcmp(text, "infinity") || !number_parse(retries, text, strlen(text), UINT32_MAX))
		return 0;
	return conf_error_set(error, EINVAL, 0, 0,
			      "WG_ENDPOINT_RESOLUTION_RETRIES is `%s'; "
			      "it takes a number or infinity",
			      text);
}

/* Failures that asking again does not mend. */
static bool is_permanent(int code)
{
	return code == EAI_NONAME || code == EAI_FAIL || code == EAI_NODATA ||
	       code == EAI_SERVICE || code == EAI_MEMORY || code == EAI_ADDRFAMILY;
}

static void wait_seconds(double seconds, struct interrupt *interrupt)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	if (interrupt) {
		interrupt_wait(interrupt, (int)(seconds * 1000));
		return;
	}
	left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static const char *reason(int code)
{
	return code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code);
}

static int resolve_peer(struct model_peer *peer, uint64_t retries, struct interrupt *interrupt,
			struct conf_error *error)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_protocol = IPPROTO_UDP};
	double wait = FIRST_WAIT;
	struct addrinfo *found;
	int code;

	for (;;) {
		code = getaddrinfo(peer->host, peer->port, &hints, &found);
		if (!code || is_permanent(code) || !retries ||
		    (interrupt && interrupt_pending(interrupt)))
			break;
		if (retries != FOREVER)
			retries--;
		say_error("cannot resolve `%s:%s': %s; trying again in %.2f seconds", peer->host,
			  peer->port, reason(code), wait);
		wait_seconds(wait, interrupt);
		wait = wait * WAIT_GROWTH < LONGEST_WAIT ? wait * WAIT_GROWTH : LONGEST_WAIT;
	}
	if (code)
		return conf_error_set(error, EHOSTUNREACH, peer->line, 0,
				      "cannot resolve the endpoint `%s:%s': %s", peer->host,
				      peer->port, reason(code));
	if ((found->ai_family == AF_INET || found->ai_family == AF_INET6) &&
	    found->ai_addrlen <= sizeof(peer->endpoint))
		memcpy(&peer->endpoint, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (peer->endpoint.sa.sa_family == AF_UNSPEC)
		return conf_error_set(error, EAFNOSUPPORT, peer->line, 0,
				      "`%s' is neither an IPv4 nor an IPv6 host", peer->host);
	return 0;
}

int resolve_endpoints(struct model *model, struct interrupt *interrupt, struct conf_error *error)
{
	uint64_t retries;
	int err = read_retries(&retries, error);

	for (size_t i = 0; !err && i < model->peer_count; i++) {
		struct model_peer *peer = &model->peers[i];

		if (peer->host && peer->port && peer->endpoint.sa.sa_family == AF_UNSPEC)
			err = resolve_peer(peer, retries, interrupt, error);
	}
	return err;
}
