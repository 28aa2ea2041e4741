/* SPDX-License-Identifier: MIT
 * What comes to the engine's configuration socket, by up to two clients at once and in pieces, to
 * the real server and the real engine. Whatever they asked for, the engine's answers can be read;
 * what it reports makes sense; and another engine that is given that reports the same.
 * Of the input, \1 goes over to the other client, \2 lets it be served, \3 lets a second pass;
 * all else is theirs. */
#include "engine/uapi_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>
#include "conf/uapi.h"
#include "fuzz.h"
#include "world.h"

#define CLIENTS 2
#define ANSWERS_MAX (1u << 20)

static struct uapi_server *server;
static int epoll;
static struct sockaddr_un address;
static socklen_t address_len = sizeof(address);

/* An unnamed listening socket: only this process can find it. */
static void start(void)
{
	const struct sockaddr_un any = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(epoll >= 0 && fd >= 0);
	CHECK(!bind(fd, (const struct sockaddr *)&any, sizeof(sa_family_t)) && !listen(fd, 8));
	CHECK(!getsockname(fd, (struct sockaddr *)&address, &address_len));
	CHECK(!uapi_server_open(&server, "wg0", fd));
	CHECK(!uapi_server_start(server, &world.engine, epoll));
}

/* Until nothing more is to be done. */
static void serve(void)
{
	struct epoll_event events[8];
	int count;

	while ((count = epoll_wait(epoll, events, 8, 0)) > 0) {
		for (int i = 0; i < count; ++i) {
			void *source = (void *)(uintptr_t)events[i].data.u64;
			uapi_server_ready(server, source, events[i].events);
		}
		world_control();
	}
}

static int join_in(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && !connect(fd, (const struct sockaddr *)&address, address_len));
	serve();
	return fd;
}

/* All that the engine sent, up to its end of the connection. */
static void read_all(int fd, struct text *answers)
{
	char buffer[8192];
	ssize_t len;

	serve();
	while ((len = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
		text_append(answers, buffer, (size_t)len);
		serve();
	}
	CHECK(!answers->failed);
}

/* Every answer is one that wgctl can read; an error is one that the engine told. */
static void check_answers(const struct text *answers)
{
	const char *at = answers->data, *end = at + answers->len;

	while (at < end) {
		const char *blank = memmem(at, (size_t)(end - at), "\n\n", 2);
		struct model model = MODEL_EMPTY;
		struct conf_error error = {0};

		CHECK(blank);
		if (uapi_read_get(&model, at, (size_t)(blank + 2 - at), &error))
			CHECK(!strncmp(error.what, "the engine answered", 19));
		model_wipe(&model);
		at = blank + 2;
	}
}

static void run_clients(const uint8_t *data, size_t size)
{
	struct text answers[CLIENTS] = {0};
	int fds[CLIENTS], present = 0;

	for (unsigned i = 0; i < CLIENTS; ++i)
		fds[i] = join_in();
	for (size_t at = 0; at < size;) {
		size_t len = 0;
		while (at + len < size && (data[at + len] > 3 || !data[at + len]))
			++len;
		/* The engine may have hung up already. */
		if (len)
			(void)!send(fds[present], data + at, len, MSG_NOSIGNAL);
		at += len;
		if (at == size)
			break;
		if (data[at] == 1)
			present = !present;
		else if (data[at] == 3)
			world_advance(SECOND);
		if (data[at++] > 1)
			serve();
	}
	serve();
	for (unsigned i = 0; i < CLIENTS; ++i) {
		CHECK(!shutdown(fds[i], SHUT_WR) || errno == ENOTCONN);
		read_all(fds[i], &answers[i]);
		if (answers[i].len)
			check_answers(&answers[i]);
		text_wipe(&answers[i]);
		close(fds[i]);
	}
	serve();
}

/* Sends a request and understands the answer. */
static void ask(const char *request, size_t len, struct model *model)
{
	struct text answer = TEXT_EMPTY;
	int fd = join_in();

	while (len) {
		ssize_t sent = send(fd, request, len, MSG_NOSIGNAL);
		CHECK(sent > 0 || errno == EAGAIN);
		if (sent > 0) {
			request += sent;
			len -= (size_t)sent;
		}
		serve();
	}
	CHECK(!shutdown(fd, SHUT_WR));
	read_all(fd, &answer);
	CHECK(!uapi_read_get(model, answer.data, answer.len, NULL));
	text_wipe(&answer);
	close(fd);
	serve();
}

/* Peers are one each, none is ourselves, and a prefix is one peer's. */
static void check_sense(const struct model *model)
{
	struct key own;

	key_derive_public(&own, &model->private_key);
	for (size_t i = 0; i < model->peer_count; ++i) {
		const struct model_peer *peer = &model->peers[i];
		CHECK(!model->has_private_key || !key_equal(&peer->public_key, &own));
		for (size_t j = 0; j < i; ++j)
			CHECK(!key_equal(&peer->public_key, &model->peers[j].public_key));
		for (size_t k = 0; k < peer->allowed_count; ++k) {
			const struct prefix *prefix = &peer->allowed[k].prefix;
			CHECK(!prefix_has_host_bits(prefix));
			for (size_t j = 0; j <= i; ++j)
				for (size_t m = 0; m < model->peers[j].allowed_count; ++m)
					CHECK((j == i && m == k) ||
					      !prefix_equal(prefix,
							    &model->peers[j].allowed[m].prefix));
		}
	}
}

static void check_same(const struct model *a, const struct model *b)
{
	CHECK(key_equal(&a->private_key, &b->private_key));
	CHECK(a->listen_port == b->listen_port && a->fwmark == b->fwmark);
	CHECK(a->peer_count == b->peer_count);
	for (size_t i = 0; i < a->peer_count; ++i) {
		const struct model_peer *x = &a->peers[i], *y = &b->peers[i];
		CHECK(key_equal(&x->public_key, &y->public_key));
		CHECK(key_equal(&x->preshared_key, &y->preshared_key));
		CHECK(x->keepalive == y->keepalive && endpoint_equal(&x->endpoint, &y->endpoint));
		CHECK(x->allowed_count == y->allowed_count);
		for (size_t k = 0; k < x->allowed_count; ++k)
			CHECK(prefix_equal(&x->allowed[k].prefix, &y->allowed[k].prefix));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct model model = MODEL_EMPTY, again = MODEL_EMPTY;
	struct text request = TEXT_EMPTY;

	world_begin(size && data[0] & 1);
	if (!server)
		start();
	run_clients(data + !!size, size - !!size);
	ask("get=1\n\n", 7, &model);
	check_sense(&model);
	world_end();

	world_begin(false);
	uapi_write_set(&request, &model);
	ask(request.data, request.len, &again);
	model_wipe(&again);
	ask("get=1\n\n", 7, &again);
	check_same(&model, &again);
	world_end();
	text_wipe(&request);
	model_wipe(&model);
	model_wipe(&again);
	return 0;
}
