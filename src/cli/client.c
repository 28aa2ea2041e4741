/* SPDX-License-Identifier: MIT
 * Speaks the userspace configuration protocol; its texts are conf/uapi's. Requests and replies
 * hold keys and are wiped. */
#include "cli/client.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include <sodium.h>
#include "cli/names.h"
#include "conf/error.h"
#include "conf/model.h"
#include "conf/text.h"
#include "conf/uapi.h"

#define WAIT_MS 10000        /* for one read or write */
#define REPLY_MAX (1u << 30) /* bytes; more peers than an engine can hold */
#define CHUNK (32u << 10)    /* bytes of a reply that are looked at together */
#define CODE_MAX 64          /* bytes of the reply to a set */
#define SUFFIX ".sock"

char *client_path(char path[CLIENT_PATH_MAX], const char *name)
{
	snprintf(path, CLIENT_PATH_MAX, "%s/%.*s" SUFFIX, CLIENT_DIRECTORY, IFNAMSIZ - 1, name);
	return path;
}

/* A socket to the engine, or -errno. With wait_ms 0 it is for a look only: no call on it waits. */
static int open_socket(const char *name, unsigned wait_ms)
{
	const struct timeval limit = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000L};
	const int type = SOCK_STREAM | SOCK_CLOEXEC | (wait_ms ? 0 : SOCK_NONBLOCK);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[CLIENT_PATH_MAX];
	int fd, err;

	if (!name[0] || strlen(name) >= IFNAMSIZ || strchr(name, '/'))
		return -ENOENT;
	strcpy(address.sun_path, client_path(path, name));
	fd = socket(AF_UNIX, type, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int client_probe(const char *name)
{
	int fd = open_socket(name, 0);

	/* A queue that is full is an engine's, one that has no time. */
	if (fd < 0)
		return fd == -EAGAIN ? 0 : fd;
	close(fd);
	return 0;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		data += sent;
		len -= (size_t)sent;
	}
	return 0;
}

/* A socket whose calls wait so long, or -errno. */
static int open_patiently(const char *name, unsigned wait_ms)
{
	int fd = open_socket(name, wait_ms);

	return fd == -EAGAIN ? -ETIMEDOUT : fd;
}

/* A request on its way. */
struct request {
	int fd;
	int err; /* 0 or -errno */
};

/* The text's drain. */
static bool send_piece(void *user, const char *data, size_t len)
{
	struct request *request = user;

	request->err = send_all(request->fd, data, len);
	return !request->err;
}

/* The model, piece by piece. Memory cannot run out once the first piece is gone, for by then the
 * text is as large as it gets. */
static int send_set(int fd, const struct model *model)
{
	struct request request = {.fd = fd};
	struct text text = {.drain = send_piece, .user = &request};

	uapi_write_set(&text, model);
	if (!text_drain(&text) && !request.err)
		request.err = -ENOMEM;
	text_wipe(&text);
	return request.err;
}

/* What is there, at most len bytes; 0: the engine closed. */
static ssize_t receive(int fd, char *data, size_t len)
{
	ssize_t got;

	do
		got = recv(fd, data, len, 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return got;
}

static int fail(struct conf_error *error, int err)
{
	return conf_error_set(error, -err, 0, 0, "%s", strerror(-err));
}

/* What the engine made of a set: 0 or -errno; *answered: it said so itself. */
static int receive_code(int fd, bool *answered)
{
	char text[CODE_MAX];
	struct uapi_line line;
	size_t len = 0;
	ssize_t got = 1;
	int err;

	*answered = false;
	while (got > 0 && len < sizeof(text) &&
	       (len < 2 || memcmp(text + len - 2, "\n\n", 2) != 0)) {
		got = receive(fd, text + len, sizeof(text) - len);
		len += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return (int)got;
	*answered = true;
	if (len < 2 || memcmp(text + len - 2, "\n\n", 2) != 0)
		return -EPROTO;
	err = uapi_parse_line(&line, text, (size_t)((char *)memchr(text, '\n', len) - text));
	if (err || line.key != UAPI_ERRNO || line.code <= -4096 || line.code >= 4096)
		return -EPROTO;
	return line.code < 0 ? (int)line.code : (int)-line.code;
}

int client_set(const char *name, const struct model *model, struct conf_error *error)
{
	int fd = open_patiently(name, WAIT_MS), err = fd;
	bool answered = false;

	if (fd >= 0) {
		err = send_set(fd, model);
		if (!err)
			err = receive_code(fd, &answered);
		close(fd);
	}
	if (err == -EPROTO && answered)
		conf_error_set(error, EPROTO, 0, 0, "the engine's answer makes no sense");
	else if (err && answered)
		conf_error_set(error, -err, 0, 0, "the engine says: %s", strerror(-err));
	else if (err)
		fail(error, err);
	return err;
}

/* What uapi_reply_read() said last, or -errno of the connection. */
static int receive_reply(int fd, struct uapi_reply *reply, struct conf_error *error)
{
	size_t len = 0, taken, total = 0;
	char text[CHUNK];
	ssize_t got = 1;
	int rc = 0;

	while (!rc) {
		got = receive(fd, text + len, sizeof(text) - len);
		if (got <= 0)
			break;
		len += (size_t)got;
		total += (size_t)got;
		rc = uapi_reply_read(reply, text, len, &taken);
		len -= taken;
		memmove(text, text + taken, len);
		if (!rc && len == sizeof(text))
			rc = -EPROTO;
		if (!rc && total > REPLY_MAX)
			rc = -ENOMEM;
	}
	sodium_memzero(text, sizeof(text));
	if (got >= 0)
		return uapi_reply_end(reply, rc, error);
	model_wipe(reply->model);
	return fail(error, (int)got);
}

int client_get(const char *name, unsigned wait_ms, struct model *model, struct conf_error *error)
{
	static const char request[] = "get=1\n\n";
	struct uapi_reply reply = {.model = model};
	int fd = open_patiently(name, wait_ms ? wait_ms : WAIT_MS), err = fd;

	if (fd < 0)
		return fail(error, err);
	err = send_all(fd, request, sizeof(request) - 1);
	err = err ? fail(error, err) : receive_reply(fd, &reply, error);
	close(fd);
	return err;
}

/* Whether the directory entry is named like a socket; then its interface's name. */
static bool entry_name(char name[IFNAMSIZ], const char *entry)
{
	size_t len = strlen(entry), suffix = sizeof(SUFFIX) - 1;

	if (len <= suffix || len - suffix >= IFNAMSIZ || strcmp(entry + len - suffix, SUFFIX) != 0)
		return false;
	memcpy(name, entry, len - suffix);
	name[len - suffix] = '\0';
	return true;
}

/* One that may not be asked is there too; who asks it then learns why. */
static bool is_there(const char *name)
{
	int err = client_probe(name);

	return err != -ENOENT && err != -ECONNREFUSED;
}

int client_list(char (**names)[IFNAMSIZ], size_t *count)
{
	DIR *dir = opendir(CLIENT_DIRECTORY);
	char name[IFNAMSIZ];
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (entry = readdir(dir)))
		if (entry_name(name, entry->d_name) && is_there(name))
			err = names_add(names, count, name);
	closedir(dir);
	return err;
}

int client_remove_stale(const char *name)
{
	char path[CLIENT_PATH_MAX];
	struct stat st;

	client_path(path, name);
	if (lstat(path, &st))
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return unlink(path) ? -errno : 0;
}
