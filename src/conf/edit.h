/* SPDX-License-Identifier: MIT
 * Leads the text of a configuration file to what an interface is now, by as little as that takes:
 * comments, order, names and all lines of which nothing changed stay as they were written. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct model;
struct prefix;
struct text;

/* What is now. All is borrowed. */
struct edit_state {
	const struct model *device;
	const struct prefix *addresses;
	size_t address_count;
	bool knows_addresses; /* else the file's stay */
	uint32_t mtu;         /* 0: the file's stays */
};

/* Appends the text, of which file is what it says, as it ought to be. Works on the file's
 * exclusions: they are applied then. A peer that is gone loses its section, with the comments
 * directly above; a new one is appended. What the file leaves to wgctl (the MTU, the mark of a
 * default route) stays so. A host name stays: what it resolved to is not asked, and a peer that
 * moved is not one that was set. 0, -ENOMEM, or -E2BIG as exclude_apply(). */
int edit_apply(struct text *out, struct file *file, const char *text, size_t len,
	       const struct edit_state *now);
