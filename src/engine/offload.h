/* SPDX-License-Identifier: MIT
 * Does this kernel take the super-packets that join makes? Some stable releases refused good ones.
 */
#pragma once

struct tun;

/* Switches off the kinds that it refuses. The interface must be ours and down: then whatever is
 * good is refused for that alone (EIO), after the checks that the kernel makes of it. */
void offload_prove(struct tun *tun);
