/* SPDX-License-Identifier: MIT
 * IP addresses as text, as inet_ntop(3) writes them. */
#pragma once

/* Writes the address of the family (AF_INET: 4 bytes, AF_INET6: 16) with a NUL, which takes up to
 * INET6_ADDRSTRLEN bytes; where the NUL is. Of another family: "". */
char *address_put(char *at, int family, const void *bytes);
