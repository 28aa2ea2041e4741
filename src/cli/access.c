/* SPDX-License-Identifier: MIT
 * Engines by client, hosts by resolve. Scripts look for wg(8)'s words "Unable to access interface"
 * and "Unable to modify interface". */
#include "cli/access.h"

#include <errno.h>
#include <string.h>
#include "cli/device.h"
#include "cli/resolve.h"
#include "cli/say.h"
#include "conf/error.h"
#include "conf/exclude.h"
#include "conf/model.h"

/* An interface without an engine is none. */
static const char *reason(int err)
{
	if (err == -ETIMEDOUT)
		return "the engine does not answer";
	return strerror(err == -ENOENT || err == -ECONNREFUSED ? ENODEV : -err);
}

int access_get(const char *name, struct model *model)
{
	int err = device_get(name, model, NULL);

	if (err)
		say_plain("Unable to access interface: %s", reason(err));
	return err;
}

int access_get_named(const char *name, struct model *model)
{
	int err = device_get(name, model, NULL);

	if (err)
		say_plain("Unable to access interface %s: %s", name, reason(err));
	return err;
}

int access_set(const char *name, const struct model *model)
{
	struct conf_error error = {0};
	int err = device_set(name, model, &error);

	if (err)
		say_plain("Unable to modify interface: %s",
			  err == -ENOSYS && error.what[0] ? error.what : reason(err));
	return err;
}

int access_exclude(struct model *model)
{
	int err = exclude_apply_all(model);

	if (err)
		say_error("%s", exclude_problem(err));
	return err;
}

int access_resolve(struct model *model, const char *file)
{
	struct conf_error error = {0};
	int err = access_exclude(model);

	if (err)
		return err;
	err = resolve_endpoints(model, NULL, &error);
	if (err)
		say_conf_error(file, &error);
	return err;
}
