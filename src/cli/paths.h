/* SPDX-License-Identifier: MIT
 * From the word on the command line to a configuration file and the name of its interface. */
#pragma once

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

struct conf_error;

struct paths {
	char file[PATH_MAX]; /* "": none was found */
	char name[IFNAMSIZ];
	bool is_file; /* the word named the file itself */
};

/* FILE: a word with a slash, or one that ends in ".conf" and is a file here. NAME: NAME.conf in
 * /etc/wireguard, or in the directories of WGCTL_PATH. 0 or -errno with *error filled (what was
 * looked for, and where). */
int paths_find(struct paths *paths, const char *word, struct conf_error *error);
/* The same, but the file need not exist. */
int paths_find_name(struct paths *paths, const char *word, struct conf_error *error);
/* Adds to a list (names.h) the names that have a NAME.conf where paths_find() looks. 0 or
 * -ENOMEM. */
int paths_list(char (**names)[IFNAMSIZ], size_t *count);
