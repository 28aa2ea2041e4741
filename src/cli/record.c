/* SPDX-License-Identifier: MIT
 * A journal of lines: what holds for all ("boot ID", "net INODE", "file PATH"), then "+ STEP" and
 * "- STEP", each written before the next is begun. A step is "VERB PREFIX NUMBER TEXT", with "*"
 * for no prefix. */
#include "cli/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/plan.h"
#include "cli/say.h"
#include "cli/verbs.h"
#include "conf/error.h"
#include "conf/number.h"
#include "conf/source.h"
#include "conf/text.h"

#define DIRECTORY "/run/wgctl"
#define SUFFIX ".record"
#define VERSION_LINE "wgctl 1"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define SIZE_MAX_READ (64u << 20) /* bytes */

struct record {
	char path[sizeof(DIRECTORY SUFFIX) + IFNAMSIZ];
	char file[PATH_MAX];
	char boot[RECORD_BOOT_MAX];
	uintmax_t net; /* the network namespace's inode */
	enum record_state state;
	size_t live; /* steps that are recorded as done */
	int fd;      /* for appending; -1: not open */
	bool failed; /* and said */
};

static void fail(struct record *record, int err)
{
	if (!record->failed)
		say_warning("cannot keep a record in %s: %s; what is done now may not be undone "
			    "by `wgctl down'",
			    record->path, strerror(err));
	record->failed = true;
}

const char *record_read_boot(char boot[RECORD_BOOT_MAX])
{
	FILE *file = fopen(BOOT_ID, "re");

	if (!file || !fgets(boot, RECORD_BOOT_MAX, file))
		strcpy(boot, "unknown");
	boot[strcspn(boot, "\n")] = '\0';
	if (file)
		fclose(file);
	return boot;
}

static void find_place(char boot[RECORD_BOOT_MAX], uintmax_t *net)
{
	struct stat st;

	record_read_boot(boot);
	*net = stat("/proc/self/ns/net", &st) ? 0 : st.st_ino;
}

static void put_step(struct text *out, char sign, const struct plan_step *step)
{
	char prefix[PREFIX_TEXT_MAX] = "*";

	if (step->prefix.family)
		prefix_format(prefix, &step->prefix);
	text_printf(out, "%c %s %s %" PRIu32 " %s\n", sign, step->verb->name, prefix, step->number,
		    step->text ? step->text : "");
}

static void put_header(struct text *out, const struct record *record)
{
	char boot[RECORD_BOOT_MAX];
	uintmax_t net;

	find_place(boot, &net);
	text_printf(out, VERSION_LINE "\nboot %s\nnet %ju\nfile %s\n", boot, net, record->file);
}

/* Cuts the next word off. */
static char *take_word(char **rest)
{
	char *word = *rest, *end = word + strcspn(word, " ");

	*rest = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

/* false: this is no step that we know. */
static bool read_step(struct plan_step *step, char *line)
{
	const char *prefix, *number;
	uint64_t value;

	*step = (struct plan_step){.verb = verbs_find(take_word(&line))};
	prefix = take_word(&line);
	number = take_word(&line);
	step->text = *line ? line : NULL;
	if (!step->verb || number_parse(&value, number, strlen(number), UINT32_MAX) < 0)
		return false;
	step->number = (uint32_t)value;
	return !strcmp(prefix, "*") || !prefix_parse(&step->prefix, prefix, strlen(prefix));
}

static void read_line(struct record *record, struct plan *steps, char *line)
{
	struct plan_step step;

	if (!strncmp(line, "boot ", 5))
		snprintf(record->boot, sizeof(record->boot), "%s", line + 5);
	else if (!strncmp(line, "net ", 4))
		record->net = strtoumax(line + 4, NULL, 10);
	else if (!strncmp(line, "file ", 5))
		snprintf(record->file, sizeof(record->file), "%s", line + 5);
	else if (!strncmp(line, "+ ", 2) && read_step(&step, line + 2))
		plan_add(steps, step.verb, step.prefix.family ? &step.prefix : NULL, step.number,
			 step.text);
	else if (!strncmp(line, "- ", 2) && read_step(&step, line + 2))
		plan_forget(steps, &step);
	else if (strcmp(line, VERSION_LINE) != 0)
		say_warning("%s: this line is not understood: %s", record->path, line);
}

/* Where the record is from. After a boot only what lasts is left of the steps. */
static void judge(struct record *record, struct plan *steps)
{
	char boot[RECORD_BOOT_MAX];
	uintmax_t net;

	find_place(boot, &net);
	if (!strcmp(boot, record->boot)) {
		record->state = net == record->net ? RECORD_HERE : RECORD_ELSEWHERE;
		record->live = steps->count;
		return;
	}
	record->state = RECORD_OLD;
	plan_keep_lasting(steps);
	record->live = steps->count;
}

static void read_text(struct record *record, struct plan *steps, char *text)
{
	char *line;

	while (*text) {
		line = text;
		text += strcspn(text, "\n");
		if (!*text)
			break; /* the write of this line was cut off: nothing was done yet */
		*text++ = '\0';
		read_line(record, steps, line);
	}
	judge(record, steps);
}

int record_open(struct record **record, const char *name, struct plan *steps)
{
	struct text text = TEXT_EMPTY;
	struct conf_error error = {0};
	int err;

	*record = calloc(1, sizeof(**record));
	if (!*record)
		return -ENOMEM;
	(*record)->fd = -1;
	snprintf((*record)->path, sizeof((*record)->path), DIRECTORY "/%s" SUFFIX, name);
	err = source_read(&text, (*record)->path, SIZE_MAX_READ, &error);
	if (err && err != -ENOENT)
		say_warning("cannot read the record %s: %s", (*record)->path, error.what);
	if (!err && text.len)
		read_text(*record, steps, text.data);
	text_wipe(&text);
	return steps->failed ? -ENOMEM : 0;
}

enum record_state record_state(const struct record *record)
{
	return record->state;
}

const char *record_file(const struct record *record)
{
	return record->file;
}

int record_find_file(const char *name, char file[PATH_MAX])
{
	char path[sizeof(DIRECTORY SUFFIX) + IFNAMSIZ], *rest = NULL;
	struct text text = TEXT_EMPTY;
	int err;

	file[0] = '\0';
	snprintf(path, sizeof(path), DIRECTORY "/%s" SUFFIX, name);
	err = source_read(&text, path, SIZE_MAX_READ, NULL);
	for (char *line = err ? NULL : strtok_r(text.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (!strncmp(line, "file ", 5))
			snprintf(file, PATH_MAX, "%s", line + 5);
	text_wipe(&text);
	return file[0] ? 0 : -ENOENT;
}

void record_set_file(struct record *record, const char *file)
{
	if (!realpath(file, record->file))
		snprintf(record->file, sizeof(record->file), "%s", file);
}

static int write_all(int fd, const struct text *text)
{
	if (text->failed)
		return ENOMEM;
	errno = 0;
	if (write(fd, text->data, text->len) == (ssize_t)text->len)
		return 0;
	return errno ? errno : ENOSPC;
}

/* Opens the file at its end; a new one begins with what holds for all. */
static void append(struct record *record, struct text *line)
{
	struct text text = TEXT_EMPTY;
	struct stat st;
	int err = 0;

	if (record->fd < 0) {
		(void)mkdir(DIRECTORY, 0700);
		record->fd = open(record->path,
				  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (record->fd < 0)
			err = errno;
		else if (!fstat(record->fd, &st) && !st.st_size)
			put_header(&text, record);
	}
	text_append(&text, line->data, line->len);
	if (!err)
		err = write_all(record->fd, &text);
	if (err)
		fail(record, err);
	text_wipe(&text);
}

static void note(struct record *record, char sign, const struct plan_step *step)
{
	struct text line = TEXT_EMPTY;

	if (!record || record->failed)
		return;
	record->live += sign == '+' ? 1 : (size_t)-1;
	put_step(&line, sign, step);
	append(record, &line);
	text_wipe(&line);
}

void record_add(struct record *record, const struct plan_step *step)
{
	note(record, '+', step);
}

void record_remove(struct record *record, const struct plan_step *step)
{
	note(record, '-', step);
}

/* A new file in the place of the old one, whole or not at all. */
static int rewrite(struct record *record, const struct text *text)
{
	char path[sizeof(record->path) + 4];
	int fd, err;

	snprintf(path, sizeof(path), "%s.new", record->path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	err = write_all(fd, text);
	close(fd);
	if (!err && rename(path, record->path))
		err = errno;
	if (err)
		unlink(path);
	return err;
}

void record_replace(struct record *record, const struct plan *plan)
{
	struct text text = TEXT_EMPTY;
	int err;

	if (!record || record->failed)
		return;
	if (record->fd >= 0)
		close(record->fd);
	record->fd = -1;
	record->live = 0;
	put_header(&text, record);
	for (size_t i = 0; i < plan->count; i++) {
		if (!plan->steps[i].done)
			continue;
		put_step(&text, '+', &plan->steps[i]);
		record->live++;
	}
	err = record->live ? rewrite(record, &text) : 0;
	if (!record->live)
		(void)unlink(record->path);
	if (err)
		fail(record, err);
	text_wipe(&text);
}

void record_close(struct record *record)
{
	if (!record)
		return;
	if (record->fd >= 0)
		close(record->fd);
	if (!record->live)
		(void)unlink(record->path);
	free(record);
}
