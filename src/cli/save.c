/* SPDX-License-Identifier: MIT
 * Reads, edits, and puts a new file in the old one's place. Nothing of the old one is lost,
 * whatever fails: the new one is whole and on the disk before it takes the name. Compare
 * wg-quick(8), save. */
#include "cli/save.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/device.h"
#include "cli/iface.h"
#include "cli/plan.h"
#include "cli/record.h"
#include "cli/say.h"
#include "cli/setup.h"
#include "conf/edit.h"
#include "conf/error.h"
#include "conf/exclude.h"
#include "conf/file.h"
#include "conf/model.h"
#include "conf/source.h"
#include "conf/text.h"

#define FAIL(why, what)                                                                            \
	conf_error_set(why, errno, 0, 0, what ": %s; the file is as it was", strerror(errno))

static int write_all(int fd, const struct text *text)
{
	for (size_t done = 0; done < text->len;) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Fills the new file, as the old one is. */
static int fill(int fd, const struct text *text, const struct stat *old, struct conf_error *why)
{
	if (fchown(fd, old->st_uid, old->st_gid))
		return FAIL(why, "cannot give the new file its owner");
	if (fchmod(fd, old->st_mode & 07777))
		return FAIL(why, "cannot give the new file its mode");
	if (write_all(fd, text) || fsync(fd))
		return FAIL(why, "cannot write the new file");
	return 0;
}

/* That the new name is on the disk, too. What cannot be known changes nothing. */
static void sync_directory(char *path)
{
	int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

static int replace(const char *path, const struct text *text, struct conf_error *why)
{
	char real[PATH_MAX], temporary[PATH_MAX];
	struct stat old;
	int fd, err;

	if (!realpath(path, real) || stat(real, &old))
		return FAIL(why, "cannot find the file");
	if (!S_ISREG(old.st_mode))
		return conf_error_set(why, EINVAL, 0, 0, "this is no regular file");
	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", real) >= (int)sizeof(temporary))
		return conf_error_set(why, ENAMETOOLONG, 0, 0, "the path is too long");
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return FAIL(why, "cannot make a new file beside the old one");
	err = fill(fd, text, &old, why);
	if (close(fd) && !err)
		err = FAIL(why, "cannot write the new file");
	if (!err && rename(temporary, real))
		err = FAIL(why, "cannot put the new file in the old one's place");
	if (err)
		(void)unlink(temporary);
	else
		sync_directory(real);
	return err;
}

static bool has_address(const struct prefix *addresses, size_t count, const struct prefix *address)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_equal(&addresses[i], address))
			return true;
	return false;
}

static bool read_address(struct prefix *address, const struct ifaddrs *entry)
{
	const union sockaddr_ip *ip = (const void *)entry->ifa_addr;
	const union sockaddr_ip *mask = (const void *)entry->ifa_netmask;
	const bool is_ipv4 = ip && ip->sa.sa_family == AF_INET;
	const uint8_t *bits;

	if (!ip || !mask || (!is_ipv4 && ip->sa.sa_family != AF_INET6))
		return false;
	*address = (struct prefix){.family = ip->sa.sa_family};
	if (is_ipv4)
		memcpy(address->addr, &ip->in4.sin_addr, sizeof(ip->in4.sin_addr));
	else
		memcpy(address->addr, &ip->in6.sin6_addr, sizeof(ip->in6.sin6_addr));
	bits = is_ipv4 ? (const void *)&mask->in4.sin_addr : (const void *)&mask->in6.sin6_addr;
	for (size_t i = 0; i < prefix_max(address->family); i++)
		address->cidr = (uint8_t)(address->cidr + (bits[i / 8] >> (7 - i % 8) & 1));
	return true;
}

/* A link-local address is the system's own, unless the file has it. */
static bool is_ours(const struct prefix *address, const struct file *file)
{
	const bool is_link_local = prefix_max(address->family) == 128 && address->addr[0] == 0xfe &&
				   (address->addr[1] & 0xc0) == 0x80;

	return !is_link_local || has_address(file->addresses, file->address_count, address);
}

/* The addresses of the interface. Of a family without any the file's are kept: a system may lack
 * it, and IPv6 loses its addresses when a link goes down. */
static int list_addresses(struct prefix **list, size_t *count, const char *name,
			  const struct file *file)
{
	struct ifaddrs *all, *entry;
	bool has[2] = {false, false};
	size_t size = file->address_count;

	if (getifaddrs(&all))
		return -errno;
	for (entry = all; entry; entry = entry->ifa_next)
		size++;
	*list = calloc(size + 1, sizeof(**list));
	for (entry = all; entry && *list; entry = entry->ifa_next) {
		struct prefix *address = &(*list)[*count];

		if (strcmp(entry->ifa_name, name) != 0 || !read_address(address, entry) ||
		    !is_ours(address, file))
			continue;
		has[prefix_max(address->family) == 128] = true;
		++*count;
	}
	for (size_t i = 0; i < file->address_count && *list; i++)
		if (!has[prefix_max(file->addresses[i].family) == 128])
			(*list)[(*count)++] = file->addresses[i];
	freeifaddrs(all);
	return *list ? 0 : -ENOMEM;
}

/* Addresses and MTU, where the link is here. */
static int look(const struct tunnel *tunnel, const struct file *file, struct edit_state *now,
		struct prefix **addresses, struct conf_error *why)
{
	struct iface_link link;
	int err = iface_find(tunnel->iface, tunnel->name, &link, why);

	if (err == -ENODEV)
		return 0;
	if (!err)
		err = list_addresses(addresses, &now->address_count, tunnel->name, file);
	if (err)
		return conf_error_set(why, -err, 0, 0, "cannot read the addresses: %s",
				      strerror(-err));
	now->addresses = *addresses;
	now->knows_addresses = true;
	now->mtu = link.mtu;
	return 0;
}

static int edit(struct text *out, const struct text *text, struct file *file,
		const struct tunnel *tunnel, struct conf_error *why)
{
	struct model device = MODEL_EMPTY;
	struct edit_state now = {.device = &device};
	struct prefix *addresses = NULL;
	int err = device_get(tunnel->name, &device, why);

	if (!err)
		err = look(tunnel, file, &now, &addresses, why);
	if (!err) {
		err = edit_apply(out, file, text->data, text->len, &now);
		conf_error_set(why, -err, 0, 0, "%s", exclude_problem(err));
	}
	free(addresses);
	model_wipe(&device);
	return err;
}

/* if_asked: only where the file has SaveConfig = true. */
static int save(const struct tunnel *tunnel, const char *path, bool if_asked,
		struct conf_error *why)
{
	struct text text = TEXT_EMPTY, out = TEXT_EMPTY;
	struct file file = FILE_EMPTY;
	bool differs = false;
	int err = source_read(&text, path, FILE_SIZE_MAX, why);

	if (!err)
		err = file_parse_at(&file, path, text.data, text.len, why);
	if (!err && if_asked && !file.save_config)
		goto out;
	if (!err)
		err = edit(&out, &text, &file, tunnel, why);
	if (!err)
		differs = out.len != text.len ||
			  (out.len && memcmp(out.data, text.data, out.len) != 0);
	if (differs)
		err = replace(path, &out, why);
out:
	file_wipe(&file);
	text_wipe(&text);
	text_wipe(&out);
	return err;
}

int save_file(const struct tunnel *tunnel, const char *path, struct conf_error *why)
{
	return save(tunnel, path, false, why);
}

static void save_describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
			  struct text *out)
{
	const struct tunnel *tunnel = world;

	text_printf(out, phrase == PLAN_GOAL ? "save %s to %s" : "wgctl save %s # to %s",
		    tunnel->name, step->text);
}

static int save_undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	int err = save(world, step->text, true, why);

	/* Of an engine that is gone nothing can be had, now or later. */
	if (err != -ENODEV)
		return err;
	say_warning("nothing was saved to %s: %s", step->text, why->what);
	return 0;
}

static const struct plan_verb save_verb = {
	.name = "save",
	.is_event = true,
	.describe = save_describe,
	.undo = save_undo,
};

const struct plan_verb *const save_verbs[] = {&save_verb, NULL};

void save_plan(struct plan *plan, const char *path)
{
	char real[PATH_MAX];

	plan_add(plan, &save_verb, NULL, 0, realpath(path, real) ? real : path);
}

static void say(const struct setup *setup, const struct plan *plan)
{
	struct text line = TEXT_EMPTY;

	if (!plan->failed)
		save_describe(&setup->tunnel, &plan->steps[0], PLAN_UNDO, &line);
	if (line.len)
		say_trace(setup->order->quiet && !setup->order->dry_run, line.data);
	text_wipe(&line);
}

static int run(struct setup *setup)
{
	const char *known = record_file(setup->record);
	const char *path = setup->paths.is_file || !known[0] ? setup->paths.file : known;
	struct conf_error why = {0};
	int err;

	if (!path[0]) {
		say_error("no configuration file is known for %s: name it", setup->paths.name);
		return -ENOENT;
	}
	save_plan(&setup->plan, path);
	say(setup, &setup->plan);
	if (setup->order->dry_run)
		return 0;
	err = save_file(&setup->tunnel, path, &why);
	if (err && why.line)
		say_file_error(path, &why);
	else if (err)
		say_error("cannot save %s to %s: %s", setup->paths.name, path, why.what);
	return err;
}

enum command_result save_run(int argc, char **argv)
{
	return setup_run(argc, argv, false, run);
}
