/* SPDX-License-Identifier: MIT
 * The threads: the workers' loops, and the control thread's, in which everything else waits for its
 * event. */
#pragma once

#include "engine/engine.h"

struct uapi_server;

/* Runs until SIGTERM or SIGINT (which the caller has blocked), until the interface or the UAPI
 * socket's file is deleted. ready is called once all is set up, with arg. 0, or -errno: it could
 * not start. */
int loop_run(struct engine *engine, struct uapi_server *server, void (*ready)(void *arg),
	     void *arg);
