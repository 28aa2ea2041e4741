/* SPDX-License-Identifier: MIT
 * A device for people to read, byte for byte as `wg show` prints it; but a peer that has a name is
 * called by it, with its key on the next line. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct model;
struct text;

struct pretty_style {
	bool colour;
	bool hide_keys; /* the private and the preshared ones */
	int64_t now;    /* seconds since the epoch */
};

/* Appends the device with its peers: the latest handshake first, those without one last. */
void pretty_print(struct text *out, const char *name, const struct model *model,
		  const struct pretty_style *style);
