/* SPDX-License-Identifier: MIT
 * The text of /etc/resolv.conf while tunnels have their lines in it. They lie in layers: those of
 * the tunnel that came last count, and all below is kept in comments, so that the file itself says
 * what it was before: after a crash, a boot, or in whatever order tunnels go. Pure. */
#pragma once

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include "conf/text.h"

#define DNSTEXT_BOOT_MAX 40
#define DNSTEXT_LAYERS 16

struct dnstext_layer {
	char name[IFNAMSIZ];
	char boot[DNSTEXT_BOOT_MAX];
	struct text lines;
};

struct dnstext {
	struct dnstext_layer layers[DNSTEXT_LAYERS]; /* from the top */
	size_t count;
	bool is_absent;        /* there was no file before */
	char target[PATH_MAX]; /* there was a link to this before; "": none */
	struct text before;    /* what there was before, and what others have added since */
};

/* Reads what is there; what has no mark of ours is all from before. *dns is initialised, and the
 * caller's to dnstext_free(). 0, -ENOMEM or -EMLINK (more than DNSTEXT_LAYERS). */
int dnstext_read(struct dnstext *dns, const char *data, size_t len);
/* Lays the tunnel's lines on top, or in the place of those that it has there. Lines end in '\n'; a
 * boot is one word. 0, -ENOMEM or -EMLINK. */
int dnstext_put(struct dnstext *dns, const char *name, const char *boot, const char *lines);
/* Takes the tunnel's lines away; what is among them but not in lines (NULL: not known) somebody
 * else has written, and stays. Returns whether there were some. */
bool dnstext_drop(struct dnstext *dns, const char *name, const char *lines);
/* Takes the lines away that were written in another boot. Returns whether there were some. */
bool dnstext_drop_old(struct dnstext *dns, const char *boot);
/* What is to be in the file: without layers, what there was before. */
void dnstext_write(const struct dnstext *dns, struct text *out);
void dnstext_free(struct dnstext *dns);
