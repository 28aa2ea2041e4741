/* SPDX-License-Identifier: MIT
 * Out of memory at each allocation, one by one: of the configuration file, of the protocol's lines
 * and of the device's tables. What fails says so, leaves no trace, and works when it is tried
 * again; under a sanitizer nothing leaks. */
#include "engine/device.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>
#include <cmocka.h>
#include "conf/exclude.h"
#include "conf/file.h"
#include "conf/text.h"
#include "conf/uapi.h"
#include "engine/lane.h"
#include "engine/peer.h"

#define PEERS 40
#define PREFIXES 5

/* The linker puts these in the place of the C library's (see Makefile.am). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);

static unsigned long allocations, fail_first, fail_last;

static bool fails(void)
{
	++allocations;
	errno = ENOMEM;
	return allocations >= fail_first && allocations <= fail_last;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

/* One allocation fails, or this one and all after it, as many times as there are allocations. The
 * scenario returns 0, or -ENOMEM where it could not go on. Returns how many there were. */
static unsigned long try_all(int (*scenario)(void))
{
	unsigned long number = 0, refused = 0;
	int err;

	do {
		++number;
		for (unsigned after = 0; after < 2; ++after) {
			fail_first = number;
			fail_last = after ? (unsigned long)-1 : number;
			allocations = 0;
			err = scenario();
			assert_true(!err || err == -ENOMEM);
			assert_true(!err || allocations >= number);
			refused += err != 0;
		}
	} while (allocations >= number);
	fail_first = fail_last = 0;
	assert_int_equal(err, 0);
	assert_true(refused > 0);
	return number - 1;
}

static char configuration[64 << 10];
static struct model wanted;

static void write_configuration(void)
{
	char key[KEY_BASE64_LEN + 1];
	size_t at = 0;

	at += (size_t)sprintf(configuration,
			      "[Interface]\nPrivateKey = "
			      "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
			      "Address = 10.0.0.1/24, fd00::1/64\nAddress = 10.1.1.1/8\n"
			      "DNS = 9.9.9.9, example.org\nTable = 1\nTable = 2\n"
			      "PostUp = a\nPostUp = b\n");
	for (unsigned i = 1; i <= PEERS; ++i) {
		key_to_base64(key, &(struct key){.bytes = {(uint8_t)i, 9}});
		at += (size_t)sprintf(configuration + at,
				      "[Peer]\nPublicKey = %s\n# Name = peer %u\n", key, i / 2);
		if (i % 2)
			at += (size_t)sprintf(configuration + at, "Endpoint = 192.0.2.1:%u\n", i);
		for (unsigned j = 0; j < PREFIXES; ++j)
			/* With host bits, which are warned of. */
			at += (size_t)sprintf(configuration + at, "AllowedIPs = 10.%u.%u.7/24\n", i,
					      j);
	}
}

static int read_configuration(void)
{
	struct conf_error error = {0};
	struct file file;
	int err = file_parse(&file, configuration, strlen(configuration), &error);

	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_non_null(strstr(error.what, "out of memory"));
	} else {
		assert_int_equal(file.device.peer_count, PEERS);
		assert_int_equal(file.address_count, 3);
		assert_int_equal(file.device.peers[PEERS - 1].allowed_count, PREFIXES);
		assert_int_equal(file.hooks[FILE_POST_UP].count, 2);
	}
	file_wipe(&file);
	return err;
}

static void test_configuration(void **state)
{
	(void)state;
	assert_true(try_all(read_configuration) > 50);
}

static int write_and_read_lines(void)
{
	static const char REPLY[] =
		"private_key=e84b5a6d2717c1003a13b431570353dbaca9146cf150c5f8575680feba52027a\n"
		"listen_port=1\npublic_key="
		"b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33\n"
		"endpoint=[fe80::1%nowhere]:9\nallowed_ip=10.0.0.0/8\nallowed_ip=::/0\n"
		"drop_forged=1\nerrno=0\n\n";
	struct text out = TEXT_EMPTY;
	struct model model = MODEL_EMPTY;
	struct conf_error error = {0};

	uapi_write_set(&out, &wanted);
	int err = out.failed ? -ENOMEM : 0;
	if (!err)
		assert_memory_equal(out.data + out.len - 2, "\n\n", 3);
	text_wipe(&out);
	if (err)
		return err;
	model.wants_drops = true;
	err = uapi_read_get(&model, REPLY, sizeof(REPLY) - 1, &error);
	if (err) {
		assert_int_equal(error.err, ENOMEM);
		assert_null(model.peers);
	} else {
		assert_int_equal(model.peer_count, 1);
		assert_int_equal(model.peers[0].allowed_count, 2);
		assert_int_equal(model.peers[0].drops.count, 1);
	}
	model_wipe(&model);
	return err;
}

static void test_lines(void **state)
{
	struct conf_error error = {0};
	struct file file;

	(void)state;
	assert_int_equal(file_parse(&file, configuration, strlen(configuration), &error), 0);
	wanted = file.device;
	assert_true(try_all(write_and_read_lines) > 8);
	file_wipe(&file);
}

/* What cannot be taken out leaves the list as it was. */
static int take_out(void)
{
	struct model_peer peer = {.replace_allowed = true};
	struct prefix all = {.family = AF_INET}, one = {.family = AF_INET, .cidr = 32};
	int err = model_peer_add_allowed(&peer, &all, MODEL_ALLOWED_ADD);

	if (!err)
		err = model_peer_add_allowed(&peer, &one, MODEL_ALLOWED_EXCLUDE);
	if (!err) {
		err = exclude_apply(&peer);
		assert_int_equal(peer.allowed_count, err ? 2 : 32);
	}
	free(peer.allowed);
	return err;
}

static void test_exclusions(void **state)
{
	(void)state;
	assert_true(try_all(take_out) > 3);
}

static struct prefix prefix_of(unsigned peer, unsigned number)
{
	struct prefix prefix = {.family = AF_INET, .cidr = 24};

	prefix.addr[0] = 10;
	prefix.addr[1] = (uint8_t)peer;
	prefix.addr[2] = (uint8_t)number;
	return prefix;
}

static struct key key_of(unsigned peer)
{
	return (struct key){.bytes = {(uint8_t)peer, (uint8_t)(peer >> 8), 3}};
}

/* Every peer is found, and every prefix that it has leads to it. */
static void assert_consistent(const struct device *device, unsigned peers)
{
	unsigned count = 0;

	for (struct peer *peer = device_first_peer(device); peer; peer = device_next_peer(peer)) {
		const struct allowedips_node *node = NULL;
		struct prefix prefix;
		size_t prefixes = 0;

		assert_ptr_equal(device_find_peer(device, &peer->entry.public_key), peer);
		while ((node = allowedips_next(&peer->allowed, node, &prefix))) {
			assert_ptr_equal(allowedips_lookup4(&device->allowed, prefix.addr),
					 &peer->allowed);
			++prefixes;
		}
		assert_int_equal(peer->allowed.count, prefixes);
		++count;
	}
	assert_int_equal(count, peers);
	assert_int_equal(device->peers.count, peers);
}

/* Gives peer number i its prefixes, again and again until it has them all. */
static int add_prefixes(struct device *device, struct peer *peer, unsigned number)
{
	int result = 0;

	for (unsigned i = 0; i < PREFIXES; ++i) {
		struct prefix prefix = prefix_of(number, i);
		int err = device_insert_allowed(device, peer, &prefix);

		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_null(allowedips_lookup4(&device->allowed, prefix.addr));
			result = err;
		}
	}
	return result;
}

/* A session that the control thread makes of a finished handshake. */
static int begin_session(struct device *device, struct peer *peer)
{
	size_t indices = device->indices.count;
	int err = device_new_handshake_index(device, peer);

	assert_int_equal(err, 0); /* with longer chains instead */
	peer->handshake.state = NOISE_RESPONSE_TAKEN;
	peer->handshake.initiator = true;
	peer->handshake.local_index = peer->handshake_index.index;
	err = device_begin_session(device, peer, SECOND);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_null(peer->current);
		assert_int_equal(peer->handshake.state, NOISE_IDLE);
		device_drop_handshake_index(device, peer);
		assert_int_equal(device->indices.count, indices);
	}
	return err;
}

static int stage(struct device *device, struct peer *peer)
{
	int err = 0;

	for (unsigned i = 0; i < 3; ++i) {
		size_t before = device->staged_bytes;
		enum drop lost = device_stage(device, peer, (const uint8_t *)"packet", 6);

		assert_true(lost == DROP_NONE || lost == DROP_NO_MEMORY);
		assert_int_equal(device->staged_bytes, before + (lost == DROP_NONE ? 6 : 0));
		err = lost == DROP_NONE ? err : -ENOMEM;
	}
	return err;
}

static int fill_device(struct device *device)
{
	unsigned peers = 0;
	int result = 0;

	for (unsigned i = 0; i < PEERS; ++i) {
		struct key key = key_of(i);
		struct peer *peer;
		int err = device_add_peer(device, &key, &peer);

		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_null(device_find_peer(device, &key));
			result = err;
			continue;
		}
		++peers;
		schedule_set(&device->schedule, &peer->schedule, i);
		err = add_prefixes(device, peer, i);
		if (!err)
			err = stage(device, peer);
		if (!err)
			err = begin_session(device, peer);
		result = err ? err : result;
		assert_consistent(device, peers);
	}
	return result;
}

static int live_device(void)
{
	struct device device;
	struct key key = key_of(3);
	int err = device_init(&device);

	if (err)
		return err;
	err = fill_device(&device);
	if (!err)
		assert_int_equal(device.indices.count, PEERS);
	struct peer *peer = device_find_peer(&device, &key);
	if (peer) {
		unsigned before = (unsigned)device.peers.count;
		device_remove_peer(&device, peer);
		assert_consistent(&device, before - 1);
	}
	device_free(&device);
	return err;
}

static void test_device(void **state)
{
	(void)state;
	assert_true(try_all(live_device) > 8 * PEERS);
}

static int live_lane(void)
{
	struct device device = {0};
	struct udp udp = {.fd4 = -1, .fd6 = -1};
	struct lane lane;
	struct udp_room *room = udp_room_new();
	int err = lane_init(&lane, &device, &udp, NULL, AEAD_AUTO);

	lane_free(&lane);
	udp_room_free(room);
	return room ? err : -ENOMEM;
}

static void test_lane(void **state)
{
	(void)state;
	assert_true(try_all(live_lane) >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configuration), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_exclusions),    cmocka_unit_test(test_device),
		cmocka_unit_test(test_lane),
	};

	if (sodium_init() < 0)
		return 1;
	write_configuration();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
