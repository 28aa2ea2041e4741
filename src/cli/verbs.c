/* SPDX-License-Identifier: MIT
 * The verbs of each unit that has some. */
#include "cli/verbs.h"

#include <stddef.h>
#include <string.h>
#include "cli/configure.h"
#include "cli/dns.h"
#include "cli/firewall.h"
#include "cli/hooks.h"
#include "cli/plan.h"
#include "cli/policy_steps.h"
#include "cli/save.h"
#include "cli/tunnel.h"

static const struct plan_verb *const *const UNITS[] = {
	tunnel_verbs, configure_verbs,    dns_verbs,      hooks_verbs,
	save_verbs,   policy_steps_verbs, firewall_verbs,
};

const struct plan_verb *verbs_find(const char *name)
{
	for (size_t i = 0; i < sizeof(UNITS) / sizeof(*UNITS); i++)
		for (const struct plan_verb *const *verb = UNITS[i]; *verb; verb++)
			if (!strcmp((*verb)->name, name))
				return *verb;
	return NULL;
}
