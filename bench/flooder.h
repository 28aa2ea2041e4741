/* SPDX-License-Identifier: MIT
 * What the parts of the flooder share. All of it ends the program when something fails. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include "conf/key.h"

void flooder_fail(const char *what) __attribute__((noreturn)); /* prints errno too */
uint64_t flooder_clock(void);                                  /* nanoseconds */
struct sockaddr_in flooder_target(const char *address, const char *port);
struct key flooder_key(const char *text);

/* The words behind the command; the exit status. */
int flooder_peers(char **words);
int flooder_handshakes(char **words);
