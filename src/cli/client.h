/* SPDX-License-Identifier: MIT
 * The client's side of an engine's UAPI socket. Every wait is bounded. */
#pragma once

#include <net/if.h>
#include <stddef.h>

#define CLIENT_DIRECTORY "/var/run/wireguard"
#define CLIENT_PATH_MAX (sizeof(CLIENT_DIRECTORY) + IFNAMSIZ + sizeof("/.sock"))

struct conf_error;
struct model;

/* "/var/run/wireguard/NAME.sock". Returns path. */
char *client_path(char path[CLIENT_PATH_MAX], const char *name);
/* Whether an engine listens, without waiting: 0, -ENOENT (no socket), -ECONNREFUSED (one that an
 * engine left behind), or another. */
int client_probe(const char *name);
/* Configures. 0 or -errno, the engine's own or the connection's, with *error filled. */
int client_set(const char *name, const struct model *model, struct conf_error *error);
/* Reads all into an empty model, which the caller wipes, also after an error. wait_ms: how long the
 * engine may be silent; 0: ten seconds. 0 or -errno with *error filled; -ETIMEDOUT: it was. */
int client_get(const char *name, unsigned wait_ms, struct model *model, struct conf_error *error);
/* Adds the interfaces whose engines answer, in the directory's order, to a list (names.h). 0 or
 * -errno. */
int client_list(char (**names)[IFNAMSIZ], size_t *count);
/* Removes a socket that an engine left behind. 0 or -errno. */
int client_remove_stale(const char *name);
