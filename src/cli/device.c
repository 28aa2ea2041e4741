/* SPDX-License-Identifier: MIT
 * Chooses who is asked about an interface: client or kernel. */
#include "cli/device.h"

#include <errno.h>
#include <stdbool.h>
#include "cli/client.h"
#include "cli/kernel.h"
#include "conf/error.h"
#include "conf/exclude.h"
#include "conf/model.h"

static bool has_engine(const char *name)
{
	int err = client_probe(name);

	return err != -ENOENT && err != -ECONNREFUSED;
}

int device_set(const char *name, const struct model *model, struct conf_error *error)
{
	for (size_t i = 0; i < model->peer_count; i++)
		if (exclude_is_used(&model->peers[i]))
			return conf_error_set(error, EINVAL, 0, 0, "exclusions were left in");
	return has_engine(name) ? client_set(name, model, error) : kernel_set(name, model, error);
}

int device_get(const char *name, struct model *model, struct conf_error *error)
{
	return device_get_within(name, 0, model, error);
}

int device_get_within(const char *name, unsigned wait_ms, struct model *model,
		      struct conf_error *error)
{
	return has_engine(name) ? client_get(name, wait_ms, model, error)
				: kernel_get(name, model, error);
}

int device_list(char (**names)[IFNAMSIZ], size_t *count)
{
	int err, kernel_err;

	*names = NULL;
	*count = 0;
	kernel_err = kernel_list(names, count);
	err = client_list(names, count);
	return err ? err : kernel_err;
}
