/* SPDX-License-Identifier: MIT
 * The name that the C library keeps: what follows the last slash of argv[0]. */
#include "cli/self.h"

#include <errno.h>
#include <string.h>

bool self_is_wg(void)
{
	return strcmp(program_invocation_short_name, "wg") == 0;
}

bool self_is_quick(void)
{
	return strcmp(program_invocation_short_name, "wg-quick") == 0;
}
