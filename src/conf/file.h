/* SPDX-License-Identifier: MIT
 * The configuration file: [Interface] and [Peer] sections as wg(8) and wg-quick(8) read them.
 * Grammar: compare wg(8) CONFIGURATION FILE FORMAT and wg-quick(8) CONFIGURATION. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "conf/error.h"
#include "conf/keyword.h"
#include "conf/lines.h"
#include "conf/model.h"
#include "conf/prefix.h"
#include "conf/words.h"

#define FILE_SIZE_MAX (64u << 20) /* bytes; a larger file is refused */
#define FILE_MTU_MIN 68           /* bytes; what Linux takes for a TUN device */
#define FILE_MTU_MAX 65535
#define FILE_WARNINGS_MAX 100 /* the last one then says that there are more */
#define FILE_FAULTS_MAX 10000 /* the same for file_check() */

enum file_hook {
	FILE_PRE_UP,
	FILE_POST_UP,
	FILE_PRE_DOWN,
	FILE_POST_DOWN,
	FILE_HOOKS,
};

struct file_warning {
	unsigned line, column;
	bool is_error;          /* file_check()'s only */
	enum lines_fault fault; /* of an error: what at */
	enum keyword key;       /* what it is about, unless an error at something else */
	char what[CONF_ERROR_WHAT_MAX];
};

struct file {
	/* Peers with replace_allowed, unless + or - was used; with exclusions (exclude_apply()). */
	struct model device;
	struct prefix *addresses; /* Address, with the host bits; owned */
	size_t address_count, address_size;
	uint32_t mtu;                   /* 0: automatic */
	struct words dns;               /* addresses; IPv6 ones may have a %scope */
	struct words search;            /* domains */
	char *table;                    /* "auto", "off", a number or a name; NULL: auto; owned */
	struct words hooks[FILE_HOOKS]; /* commands as written, with %i in them */
	bool save_config, kill_switch;
	unsigned interface_line; /* of the first [Interface]; 0: there is none */
	/* Where each key of [Interface] stands first, and those of the last [Peer]; 0: nowhere. */
	unsigned line_of[KEYWORD_COUNT];
	struct file_warning *warnings; /* such as host bits in AllowedIPs; owned */
	size_t warning_count, warning_size;
};

#define FILE_EMPTY                                                                                 \
	{                                                                                          \
		0                                                                                  \
	}

/* Reads the file at path ("-" is not special): a regular file, a FIFO or a pipe. *file need not be
 * initialised. The files that PrivateKeyFile and PresharedKeyFile name are read too, relative paths
 * from the file's directory. 0 or -errno with *error (may be NULL) filled; then *file is empty. */
int file_read(struct file *file, const char *path, struct conf_error *error);
/* wg(8)'s keys only, and of our own those that are about the same: Name and the key files. Each key
 * of wg-quick(8)'s is an error (EINVAL), and so is KillSwitch, unless it is in a comment. */
int file_read_wg(struct file *file, const char *path, struct conf_error *error);
/* The same as file_read() from memory; no other file is read, as if no key file were named. */
int file_parse(struct file *file, const char *text, size_t len, struct conf_error *error);
/* The same as file_read(), of a text that was read from path. */
int file_parse_at(struct file *file, const char *path, const char *text, size_t len,
		  struct conf_error *error);
/* The same, but goes on after an error, which becomes one of the warnings, marked as one; at most
 * FILE_FAULTS_MAX of both. *file has what could be read. 0 or -ENOMEM. */
int file_check(struct file *file, const char *path, const char *text, size_t len);
void file_wipe(struct file *file);
