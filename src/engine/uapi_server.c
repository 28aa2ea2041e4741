/* SPDX-License-Identifier: MIT
 * The configuration socket. */
#include "engine/uapi_server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "conf/text.h"
#include "conf/uapi.h"
#include "engine/engine.h"
#include "engine/log.h"
#include "engine/opener.h"
#include "engine/timers.h"
#include "engine/uapi_set.h"

#define CLIENTS_MAX 64
#define READ_AT_ONCE (16 << 10)
#define ACCEPT_PAUSE SECOND

enum operation {
	OPERATION_NONE, /* the next line names one */
	OPERATION_GET,
	OPERATION_SET,
};

struct client {
	struct uapi_server *server;
	struct client *prev, *next;
	int fd;
	enum operation operation;
	int err; /* of the set under way: its other lines are passed over */
	struct uapi_set set;
	struct text in, out; /* out: what the client has not taken yet */
	size_t sent;         /* of out */
	bool ended;          /* nothing more will come: close when all is sent */
};

struct uapi_server {
	struct engine *engine;
	int epoll;
	int listener;
	int inotify;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	bool gone;
	uint64_t listen_at; /* no connection could be taken: when to try again; 0: now */
	unsigned client_count;
	struct client *clients;
};

static int watch(struct uapi_server *server, int fd, const void *source, uint32_t events,
		 int operation)
{
	struct epoll_event wanted = {.events = events, .data.u64 = (uintptr_t)source};

	return epoll_ctl(server->epoll, operation, fd, &wanted) ? -errno : 0;
}

/* Is there an engine behind the file? One with a full queue is, but cannot be waited for. */
static bool answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = fd >= 0 && (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) ||
			       errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return yes;
}

/* Gives a socket that listens its name; one that nobody listens on gives way. Of two engines that
 * start at once, in two network namespaces, one gets it. */
static int take_name(const char *temporary, const struct sockaddr_un *address)
{
	while (link(temporary, address->sun_path)) {
		if (errno != EEXIST)
			return -errno;
		if (answers(address))
			return -EADDRINUSE;
		if (unlink(address->sun_path) && errno != ENOENT)
			return -errno;
	}
	return 0;
}

/* Listens under another name first: a client that finds a socket on which nobody listens takes it
 * for left behind, and deletes it. */
static int bind_and_listen(int fd, const struct sockaddr_un *address)
{
	struct sockaddr_un temporary = {.sun_family = AF_UNIX};
	int err = 0;

	if ((size_t)snprintf(temporary.sun_path, sizeof(temporary.sun_path), "%s.%d",
			     address->sun_path, getpid()) >= sizeof(temporary.sun_path))
		return -ENAMETOOLONG;
	if (unlink(temporary.sun_path) && errno != ENOENT)
		return -errno;
	mode_t mask = umask(077);
	if (bind(fd, (const struct sockaddr *)&temporary, sizeof(temporary)))
		err = -errno;
	umask(mask);
	if (err)
		return err;
	err = listen(fd, CLIENTS_MAX) ? -errno : take_name(temporary.sun_path, address);
	unlink(temporary.sun_path);
	return err;
}

static int listen_at(struct uapi_server *server, const char *ifname)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (mkdir(UAPI_SERVER_DIRECTORY, 0755) && errno != EEXIST)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), UAPI_SERVER_DIRECTORY "/%s.sock",
		 ifname);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (server->listener < 0)
		return -errno;
	int err = bind_and_listen(server->listener, &address);
	if (!err)
		memcpy(server->path, address.sun_path, sizeof(server->path));
	return err;
}

static int adopt(struct uapi_server *server, int fd)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof(address), size = sizeof(int);
	int listening = 0;

	server->listener = fd;
	if (getsockname(fd, (struct sockaddr *)&address, &len) || address.sun_family != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) || !listening)
		return -EINVAL;
	/* Others may accept from it too, so that nothing is left of what epoll reported. */
	if (fcntl(fd, F_SETFL, O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	/* A path of full length has no NUL. A relative one may mean another file by now. */
	if (address.sun_path[0] == '/' && !address.sun_path[sizeof(address.sun_path) - 1])
		memcpy(server->path, address.sun_path, sizeof(server->path));
	return 0;
}

/* Watching the directory works however the file goes away. */
static int watch_file(struct uapi_server *server)
{
	char directory[sizeof(server->path)];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", server->path);
	slash = strrchr(directory, '/');
	if (!slash)
		return 0;
	slash[1] = '\0';
	server->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (server->inotify < 0 ||
	    inotify_add_watch(server->inotify, directory, IN_DELETE | IN_MOVED_FROM) < 0)
		return -errno;
	return 0;
}

int uapi_server_open(struct uapi_server **opened, const char *ifname, int fd)
{
	struct uapi_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return -ENOMEM;
	server->listener = server->inotify = -1;
	err = fd >= 0 ? adopt(server, fd) : listen_at(server, ifname);
	if (!err)
		err = watch_file(server);
	if (err)
		uapi_server_close(server, NULL);
	else
		*opened = server;
	return err;
}

int uapi_server_start(struct uapi_server *server, struct engine *engine, int epoll)
{
	server->engine = engine;
	server->epoll = epoll;
	int err = watch(server, server->listener, &server->listener, EPOLLIN, EPOLL_CTL_ADD);
	if (!err && server->inotify >= 0)
		err = watch(server, server->inotify, &server->inotify, EPOLLIN, EPOLL_CTL_ADD);
	return err;
}

static void drop_client(struct client *client)
{
	struct uapi_server *server = client->server;

	if (client->prev)
		client->prev->next = client->next;
	else
		server->clients = client->next;
	if (client->next)
		client->next->prev = client->prev;
	--server->client_count;
	uapi_set_end(server->engine, &client->set);
	text_wipe(&client->in);
	text_wipe(&client->out);
	close(client->fd);
	free(client);
}

/* Who knocks would be reported again and again. */
static void pause_listening(struct uapi_server *server, int why)
{
	if (why == EAGAIN || why == EINTR || why == ECONNABORTED)
		return;
	log_verbose("cannot take a connection: %s", strerror(why));
	server->listen_at = server->engine->lane.now + ACCEPT_PAUSE;
	watch(server, server->listener, &server->listener, 0, EPOLL_CTL_MOD);
}

uint64_t uapi_server_work(struct uapi_server *server)
{
	if (server->listen_at && server->listen_at <= server->engine->lane.now) {
		server->listen_at = 0;
		watch(server, server->listener, &server->listener, EPOLLIN, EPOLL_CTL_MOD);
	}
	return server->listen_at ? server->listen_at : TIMERS_NEVER;
}

static void accept_client(struct uapi_server *server)
{
	struct client *client;
	int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		pause_listening(server, errno);
		return;
	}
	client = server->client_count < CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client || watch(server, fd, client, EPOLLIN, EPOLL_CTL_ADD)) {
		free(client);
		close(fd);
		return;
	}
	client->server = server;
	client->fd = fd;
	client->next = server->clients;
	if (server->clients)
		server->clients->prev = client;
	server->clients = client;
	++server->client_count;
}

static void end_operation(struct client *client)
{
	struct engine *engine = client->server->engine;

	if (client->operation == OPERATION_SET)
		uapi_set_end(engine, &client->set);
	else if (!client->err)
		uapi_set_report(engine, &client->out);
	text_printf(&client->out, "errno=%d\n\n", client->err);
	if (client->err)
		log_verbose("operation refused: %s", strerror(abs(client->err)));
	client->operation = OPERATION_NONE;
	client->err = 0;
}

/* One line of len bytes. False: close the connection. */
static bool take_line(struct client *client, const char *text, size_t len)
{
	struct uapi_line line;

	if (client->operation == OPERATION_NONE) {
		if (len == 5 && !memcmp(text, "get=1", 5))
			client->operation = OPERATION_GET;
		else if (len == 5 && !memcmp(text, "set=1", 5))
			client->operation = OPERATION_SET;
		return client->operation != OPERATION_NONE;
	}
	if (!len) {
		end_operation(client);
		return true;
	}
	if (client->operation == OPERATION_GET) {
		client->err = EINVAL; /* positive, unlike a set's: that is how clients read it */
		return true;
	}
	if (client->err)
		return true;
	client->err = uapi_parse_line(&line, text, len);
	if (!client->err)
		client->err = uapi_set_line(client->server->engine, &client->set, &line);
	uapi_line_wipe(&line);
	return true;
}

/* Takes the complete lines of what was read, as long as the client takes the answers. */
static void take_lines(struct client *client)
{
	size_t at = 0;

	while (client->sent == client->out.len) {
		const char *end = memchr(client->in.data + at, '\n', client->in.len - at);
		if (!end)
			break;
		size_t len = (size_t)(end - client->in.data) - at;
		bool fine = len <= UAPI_LINE_MAX && take_line(client, client->in.data + at, len);
		at += len + 1;
		if (!fine) {
			client->ended = true;
			at = client->in.len;
			break;
		}
	}
	text_consume(&client->in, at);
	if (client->in.len > UAPI_LINE_MAX && !memchr(client->in.data, '\n', client->in.len))
		client->ended = true;
}

static bool flush(struct client *client)
{
	while (client->sent < client->out.len) {
		ssize_t len = send(client->fd, client->out.data + client->sent,
				   client->out.len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (len < 0)
			return errno == EAGAIN || errno == EINTR;
		client->sent += (size_t)len;
	}
	text_wipe(&client->out);
	client->sent = 0;
	return true;
}

/* Reads what there is into client->in. False: the connection broke. */
static bool fill(struct client *client)
{
	char buffer[READ_AT_ONCE];
	ssize_t len = recv(client->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	text_append(&client->in, buffer, (size_t)len);
	explicit_bzero(buffer, (size_t)len);
	if (!len) {
		client->ended = true;
		/* The end of the input ends a set too, with or without a newline. */
		if (client->in.len && client->in.data[client->in.len - 1] != '\n')
			text_puts(&client->in, "\n");
		if (client->operation == OPERATION_SET || client->in.len)
			text_puts(&client->in, "\n");
	}
	return !client->in.failed;
}

static void serve(struct client *client, uint32_t events)
{
	bool fine = !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || client->ended || fill(client);

	if (client->in.len)
		take_lines(client);
	while (fine && client->sent < client->out.len) {
		fine = !client->out.failed && flush(client);
		if (client->sent < client->out.len)
			break;
		/* What was read behind the operation just answered. */
		if (client->in.len)
			take_lines(client);
	}
	bool pending = client->sent < client->out.len;
	if (!fine || client->out.failed || (client->ended && !pending)) {
		drop_client(client);
		return;
	}
	watch(client->server, client->fd, client, pending ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

static void read_inotify(struct uapi_server *server)
{
	_Alignas(struct inotify_event) char buffer[4096];
	const char *name = strrchr(server->path, '/') + 1;
	ssize_t len;

	while ((len = read(server->inotify, buffer, sizeof(buffer))) > 0) {
		for (char *at = buffer; at < buffer + len;) {
			const struct inotify_event *event =
				(const struct inotify_event *)(void *)at;
			if (event->len && !strcmp(event->name, name))
				server->gone = true;
			at += sizeof(*event) + event->len;
		}
	}
}

void uapi_server_ready(struct uapi_server *server, void *source, uint32_t events)
{
	if (source == &server->listener)
		accept_client(server);
	else if (source == &server->inotify)
		read_inotify(server);
	else
		serve(source, events);
}

bool uapi_server_gone(const struct uapi_server *server)
{
	return server->gone;
}

const char *uapi_server_path(const struct uapi_server *server)
{
	return server->path;
}

void uapi_server_close(struct uapi_server *server, const struct opener *opener)
{
	if (!server)
		return;
	for (struct client *client = server->clients, *next; client; client = next) {
		next = client->next;
		drop_client(client);
	}
	/* Before the end of the listener: from then on the file may be another engine's. */
	if (server->path[0] && !server->gone)
		(void)(opener ? opener_remove(opener) : unlink(server->path));
	if (server->listener >= 0)
		close(server->listener);
	if (server->inotify >= 0)
		close(server->inotify);
	free(server);
}
