/* SPDX-License-Identifier: MIT
 * The configuration socket /var/run/wireguard/IFNAME.sock: any number of clients, any number of
 * operations each. A set is applied line by line, and an error leaves the lines before it applied,
 * as in the other engines. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define UAPI_SERVER_DIRECTORY "/var/run/wireguard"

struct engine;
struct opener;
struct uapi_server;

/* Makes the socket and listens; or takes over fd, which listens already (-1: none; consumed; its
 * file is watched and removed if it has an absolute path). 0 with *opened, or -errno: -EADDRINUSE:
 * another engine answers there. A file that nobody answers on is replaced. */
int uapi_server_open(struct uapi_server **opened, const char *ifname, int fd);
/* Serves engine from now on; its events are reported by the epoll as u64 pointers. 0 or -errno. */
int uapi_server_start(struct uapi_server *server, struct engine *engine, int epoll);
/* One of its events has come. */
void uapi_server_ready(struct uapi_server *server, void *source, uint32_t events);
/* To be called each turn; returns when to call again, at the latest (TIMERS_NEVER: with its next
 * event). While no connection can be taken it looks again each second. */
uint64_t uapi_server_work(struct uapi_server *server);
/* Was the file of the socket deleted? */
bool uapi_server_gone(const struct uapi_server *server);
/* The socket's file; empty: it has none. */
const char *uapi_server_path(const struct uapi_server *server);
/* Removes the socket's file, through opener if that runs (not NULL), and closes all. NULL is fine.
 */
void uapi_server_close(struct uapi_server *server, const struct opener *opener);
