/* SPDX-License-Identifier: MIT
 * The backend libipsec-mb (Intel Multi-Buffer Crypto for IPsec) of aead: two to three times as fast
 * as libsodium where the CPU has AVX-512, else -ENOTSUP. In the build only where configure finds
 * the library. */
#pragma once

#include "engine/aead.h"

extern const struct aead_backend aead_mb; /* its state is an IMB_MGR */
