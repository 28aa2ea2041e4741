/* SPDX-License-Identifier: MIT
 * The configuration file: [Interface] and [Peer] sections as wg(8) and wg-quick(8) read them.
 * Grammar: compare wg(8) CONFIGURATION FILE FORMAT and wg-quick(8) CONFIGURATION. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include "conf/error.h"
#include "conf/model.h"
#include "conf/prefix.h"

#define FILE_SIZE_MAX (64u << 20) /* bytes; a larger file is refused */
#define FILE_MTU_MIN 68           /* bytes; what Linux takes for a TUN device */
#define FILE_MTU_MAX 65535
#define FILE_WARNINGS_MAX 100 /* the last one then says that there are more */

struct file_warning {
	unsigned line, column;
	char what[CONF_ERROR_WHAT_MAX];
};

struct file {
	struct model device;      /* peers with replace_allowed, unless + or - was used */
	struct prefix *addresses; /* Address, with the host bits; owned */
	size_t address_count, address_size;
	uint32_t mtu;                  /* 0: automatic */
	unsigned interface_line;       /* of the first [Interface]; 0: there is none */
	struct file_warning *warnings; /* such as host bits in AllowedIPs; owned */
	size_t warning_count, warning_size;
};

#define FILE_EMPTY {0}

/* Reads the file at path ("-" is not special): a regular file, a FIFO or a pipe. *file need not be
 * initialised. 0 or -errno with *error (may be NULL) filled; then *file is empty. A key that this
 * version knows but does not do is ENOTSUP, what cannot be understood EINVAL. */
int file_read(struct file *file, const char *path, struct conf_error *error);
/* wg(8)'s keys only: of wg-quick(8)'s each is an error (EINVAL). */
int file_read_wg(struct file *file, const char *path, struct conf_error *error);
/* The same as file_read() from memory. */
int file_parse(struct file *file, const char *text, size_t len, struct conf_error *error);
void file_wipe(struct file *file);
