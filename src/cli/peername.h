/* SPDX-License-Identifier: MIT
 * Names of peers. No engine knows them: they are in the configuration file that the interface was
 * brought up from, or else in NAME.conf in /etc/wireguard or WGCTL_PATH. A file that is not there,
 * or cannot be read, gives no names. By the name wg there are none. */
#pragma once

#include <stddef.h>

struct conf_error;
struct key;
struct model;
struct model_peer;

#define PEERNAME_PREFIX_MIN 4 /* characters of a key that may stand for it */

/* Gives the peers of the interface, as device_get() left them, their names. */
void peername_fill(const char *interface, struct model *model);

/* The peer that a word means: by its name (exact), by its key, or by the first characters of its
 * key, if no other has the same. The peer is the model's. 0, -ENOENT, or -ENOTUNIQ (more than one).
 */
int peername_find(const struct model *model, const char *word, struct model_peer **peer);

/* The key of the peer that the interface's file names so, whether the interface has it or not. 0;
 * -EINVAL with *error filled (which name was probably meant) if there are names, but not this one;
 * or -ENOENT without an error: there are no names, or the word is too long for one. */
int peername_look_up(const char *interface, const char *name, struct key *key,
		     struct conf_error *error);
