/* SPDX-License-Identifier: MIT
 * The backend libsodium of aead, which works everywhere. */
#pragma once

#include "engine/aead.h"

extern const struct aead_backend aead_sodium; /* no state */
