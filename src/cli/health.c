/* SPDX-License-Identifier: MIT
 * The rule in the header. */
#include "cli/health.h"

#include <stdbool.h>
#include "conf/model.h"

#define SESSION 180 /* seconds: REJECT_AFTER_TIME */
#define REKEY 120   /* seconds: REKEY_AFTER_TIME */
#define RETRIES 15  /* seconds: three times REKEY_TIMEOUT */

enum health_state health_of_peer(const struct model_peer *peer, int64_t now, int64_t max_age)
{
	int64_t limit = max_age;

	if (limit == HEALTH_BY_KEEPALIVE)
		limit = RETRIES +
			(peer->keepalive > SESSION - REKEY ? REKEY + peer->keepalive : SESSION);
	/* One in the future, after the clock was set back, is as good as now. */
	if (peer->handshake_sec > 0 && now - peer->handshake_sec <= limit)
		return HEALTH_UP;
	if (max_age != HEALTH_BY_KEEPALIVE || peer->keepalive)
		return HEALTH_DOWN;
	return !peer->handshake_sec && peer->tx_bytes ? HEALTH_DOWN : HEALTH_IDLE;
}

const char *health_word(enum health_state state)
{
	static const char *const words[] = {
		[HEALTH_UP] = "up", [HEALTH_IDLE] = "idle", [HEALTH_DOWN] = "down"};

	return words[state];
}
