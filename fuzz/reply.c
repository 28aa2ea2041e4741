/* SPDX-License-Identifier: MIT
 * What wgctl reads from an engine's socket: the answer to a get. What was understood, asked for by
 * a set and answered by a get that says the same, is understood again. */
#include "conf/uapi.h"

#include <errno.h>
#include <netinet/in.h>
#include "fuzz.h"

static void check_same_peer(const struct model_peer *a, const struct model_peer *b)
{
	struct prefix masked;

	CHECK(key_equal(&a->public_key, &b->public_key));
	CHECK(key_equal(&a->preshared_key, &b->preshared_key));
	CHECK(a->has_preshared_key == b->has_preshared_key);
	CHECK(a->has_keepalive == b->has_keepalive && a->keepalive == b->keepalive);
	CHECK(endpoint_equal(&a->endpoint, &b->endpoint));
	CHECK(a->allowed_count == b->allowed_count);
	for (size_t i = 0; i < a->allowed_count; ++i) {
		masked = a->allowed[i].prefix;
		prefix_mask(&masked);
		CHECK(prefix_equal(&masked, &b->allowed[i].prefix));
		CHECK(a->allowed[i].op == b->allowed[i].op);
	}
}

static void check_same(const struct model *a, const struct model *b)
{
	CHECK(key_equal(&a->private_key, &b->private_key));
	CHECK(a->has_private_key == b->has_private_key);
	CHECK(a->has_listen_port == b->has_listen_port && a->listen_port == b->listen_port);
	CHECK(a->has_fwmark == b->has_fwmark && a->fwmark == b->fwmark);
	CHECK(a->peer_count == b->peer_count);
	for (size_t i = 0; i < a->peer_count; ++i)
		check_same_peer(&a->peers[i], &b->peers[i]);
}

static void check_peer(const struct model_peer *peer)
{
	CHECK(peer->handshake_sec >= 0 && peer->handshake_nsec >= 0);
	CHECK(!peer->host == !peer->port);
	CHECK(peer->drops.count <= MODEL_DROPS_MAX);
	for (size_t i = 0; i < peer->drops.count; ++i)
		CHECK(memchr(peer->drops.items[i].reason, '\0', MODEL_DROP_MAX) &&
		      !strpbrk(peer->drops.items[i].reason, "\"\\\n{}= "));
	CHECK(!peer->remove && !peer->update_only && !peer->replace_allowed);
}

static void check_written_again(const struct model *model)
{
	struct text text = TEXT_EMPTY;
	struct model again = MODEL_EMPTY;
	const size_t skip = strlen("set=1\n");

	for (size_t i = 0; i < model->peer_count; ++i)
		check_peer(&model->peers[i]);
	uapi_write_set(&text, model);
	CHECK(!text.failed && !memcmp(text.data, "set=1\n", skip));
	CHECK(!memcmp(text.data + text.len - 2, "\n\n", 2));
	text.len--;
	text_puts(&text, "errno=0\n\n");
	CHECK(uapi_read_get(&again, text.data + skip, text.len - skip, NULL) == 0);
	check_same(model, &again);
	model_wipe(&again);
	text_wipe(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct model empty;
	struct model model = MODEL_EMPTY;
	struct conf_error error = {0};

	model.wants_drops = true;
	int rc = uapi_read_get(&model, (const char *)data, size, &error);
	CHECK(rc <= 0);
	if (rc) {
		CHECK(!memcmp(&model, &empty, sizeof(empty)));
		CHECK(error.err == -rc && error.what[0]);
		CHECK(memchr(error.what, '\0', sizeof(error.what)));
	} else {
		check_written_again(&model);
	}
	model_wipe(&model);
	return 0;
}
