/* SPDX-License-Identifier: MIT
 * A device for programs. Pure.
 *
 * An object. Whatever is not known, or not there, is null.
 *
 *   name                  string
 *   public_key            string
 *   private_key           string; null also where it is hidden
 *   has_private_key       true or false
 *   listen_port           number; null: it does not listen
 *   fwmark                number; 0: off
 *   peers                 array of objects, in the engine's order:
 *     public_key            string
 *     name                  string, from the interface's configuration file
 *     preshared_key         string; null also where it is hidden
 *     has_preshared_key     true or false
 *     endpoint              string, as `wg show' has it
 *     allowed_ips           array of strings
 *     latest_handshake      number, seconds since the epoch; null: never
 *     rx_bytes, tx_bytes    number
 *     persistent_keepalive  number, seconds; 0: off
 *
 * Of a field, only name, public_key of peers, and the field's own are there. */
#pragma once

#include <stdbool.h>

struct json;
struct model;
struct model_peer;

/* Appends the device. field: as `wg show' names them, or NULL or "dump": all. A field that asks for
 * keys by name and "dump" show them, else reveal says whether to. */
void show_json_device(struct json *json, const char *name, const struct model *model,
		      const char *field, bool reveal);
/* For others that tell of peers: opens the object of one, which the caller closes, with public_key,
 * name, endpoint and latest_handshake. */
void show_json_open_peer(struct json *json, const struct model_peer *peer);
