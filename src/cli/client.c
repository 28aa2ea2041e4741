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
#include "conf/text.h"
#include "conf/uapi.h"

#define WAIT_MS 10000        /* for one read or write */
#define REPLY_MAX (1u << 30) /* bytes; more peers than an engine can hold */
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

static bool is_complete(const struct text *reply)
{
	return reply->len >= 2 && !memcmp(reply->data + reply->len - 2, "\n\n", 2);
}

/* Reads up to and with the empty line, or what there is before the engine closes. */
static int receive_reply(int fd, struct text *reply)
{
	char chunk[16384];
	int err = 0;

	while (!err && !is_complete(reply)) {
		ssize_t got = recv(fd, chunk, sizeof(chunk), 0);

		if (got == 0)
			break;
		if (got > 0)
			text_append(reply, chunk, (size_t)got);
		else if (errno != EINTR)
			err = errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (reply->failed || reply->len > REPLY_MAX)
			err = -ENOMEM;
	}
	sodium_memzero(chunk, sizeof(chunk));
	return err;
}

/* One request, one reply. */
static int ask(const char *name, unsigned wait_ms, const struct text *request, struct text *reply,
	       struct conf_error *error)
{
	int fd = open_socket(name, wait_ms), err = fd == -EAGAIN ? -ETIMEDOUT : fd;

	if (fd >= 0) {
		err = send_all(fd, request->data, request->len);
		if (!err)
			err = receive_reply(fd, reply);
		close(fd);
	}
	if (err)
		return conf_error_set(error, -err, 0, 0, "%s", strerror(-err));
	return 0;
}

/* What the engine made of a set: 0 or -errno. */
static int read_code(const struct text *reply)
{
	const char *end = reply->len ? memchr(reply->data, '\n', reply->len) : NULL;
	struct uapi_line line;
	int err = -EPROTO;

	if (!end || !is_complete(reply))
		return -EPROTO;
	if (!uapi_parse_line(&line, reply->data, (size_t)(end - reply->data)) &&
	    line.key == UAPI_ERRNO && line.code > -4096 && line.code < 4096)
		err = line.code < 0 ? (int)line.code : (int)-line.code;
	uapi_line_wipe(&line);
	return err;
}

int client_set(const char *name, const struct model *model, struct conf_error *error)
{
	struct text request = TEXT_EMPTY, reply = TEXT_EMPTY;
	int err;

	uapi_write_set(&request, model);
	if (request.failed) {
		err = conf_error_set(error, ENOMEM, 0, 0, "%s", strerror(ENOMEM));
		goto out;
	}
	err = ask(name, WAIT_MS, &request, &reply, error);
	if (err)
		goto out;
	err = read_code(&reply);
	if (err == -EPROTO)
		conf_error_set(error, EPROTO, 0, 0, "the engine's answer makes no sense");
	else if (err)
		conf_error_set(error, -err, 0, 0, "the engine says: %s", strerror(-err));
out:
	text_wipe(&request);
	text_wipe(&reply);
	return err;
}

int client_get(const char *name, unsigned wait_ms, struct model *model, struct conf_error *error)
{
	char words[] = "get=1\n\n";
	const struct text request = {.data = words, .len = sizeof(words) - 1};
	struct text reply = TEXT_EMPTY;
	int err = ask(name, wait_ms ? wait_ms : WAIT_MS, &request, &reply, error);

	if (!err)
		err = uapi_read_get(model, reply.data ? reply.data : "", reply.len, error);
	text_wipe(&reply);
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
