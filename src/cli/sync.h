/* SPDX-License-Identifier: MIT
 * From what a file wants to the changes that lead there. Pure. */
#pragma once

struct model;

/* Leaves in wanted only what differs from now, and adds the removal of peers that it does not name,
 * so that what stays is not disturbed. A private key, port or mark that wanted does not name is
 * kept, as these are often set otherwise; a preshared key or keepalive of a peer that it names is
 * not, and neither is an endpoint that is not the wanted one: nothing tells one to which the peer
 * roamed from one that the file was to correct. 0 or -ENOMEM. */
int sync_reduce(struct model *wanted, const struct model *now);
