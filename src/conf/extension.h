/* SPDX-License-Identifier: MIT
 * What the values of the keys mean that are wgctl's own, but for Name. */
#pragma once

#include "conf/keyword.h"

struct file;
struct value_part;
struct value_report;

#define EXTENSION_CREDENTIAL "credential:" /* in front of the name of a credential of systemd's */

/* Puts the value of KillSwitch into the file, or the key that a PrivateKeyFile or PresharedKeyFile
 * holds into its device or last peer. config: the configuration file, where a relative path starts;
 * NULL: there is none, and no other file is read. 0 or -errno with the error filled. */
int extension_read(struct file *file, enum keyword key, const struct value_part *value,
		   const char *config, const struct value_report *report);
