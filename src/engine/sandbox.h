/* SPDX-License-Identifier: MIT
 * What the process gives up, so that its secrets stay in it. */
#pragma once

/* No core dumps, no ptrace by others of the same user, no new privileges through exec. 0 or
 * -errno. */
int sandbox_harden(void);
