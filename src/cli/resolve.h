/* SPDX-License-Identifier: MIT
 * Endpoints that are named by a host: asked of the resolver, with wg(8)'s patience. */
#pragma once

struct conf_error;
struct interrupt;
struct model;

/* Fills in every peer's endpoint. What only may fail for now is asked again, and said,
 * WG_ENDPOINT_RESOLUTION_RETRIES times (default 15), unless a signal that interrupt holds back
 * ends that (NULL: none does). 0 or -errno with *error filled (line: the peer's). */
int resolve_endpoints(struct model *model, struct interrupt *interrupt, struct conf_error *error);
