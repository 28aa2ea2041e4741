/* SPDX-License-Identifier: MIT
 * Prints findings in the manner of a compiler, or as JSON. They are the result: on standard output.
 */
#include "cli/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "cli/args.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/say.h"
#include "conf/file.h"
#include "conf/findings.h"
#include "conf/source.h"
#include "conf/text.h"

struct report {
	struct text out;
	struct json json;
	bool is_json, is_portable;
	size_t errors, warnings;
};

static void put_json(struct report *report, const char *path, const struct finding *finding)
{
	struct json *json = &report->json;

	json_open(json, NULL, '{');
	json_string(json, "file", path);
	json_number_if(json, "line", finding->at.line, finding->at.line);
	json_number_if(json, "column", finding->at.column, finding->at.column);
	json_string(json, "severity", finding->is_error ? "error" : "warning");
	json_string(json, "code", finding->code);
	json_string(json, "message", finding->at.what);
	json_close(json, '}');
}

static void put(struct report *report, const char *path, const struct finding *finding)
{
	if (finding->is_error)
		report->errors++;
	else
		report->warnings++;
	if (report->is_json) {
		put_json(report, path, finding);
		return;
	}
	text_puts(&report->out, path);
	if (finding->at.line)
		text_printf(&report->out, ":%u", finding->at.line);
	if (finding->at.line && finding->at.column)
		text_printf(&report->out, ":%u", finding->at.column);
	text_printf(&report->out, ": %s: %s [%s]\n", finding->is_error ? "error" : "warning",
		    finding->at.what, finding->code);
}

/* A name, or a file whatever it is called. */
static const char *find(struct paths *paths, const char *word, struct conf_error *error)
{
	const char *dot = strrchr(word, '.');

	if (strchr(word, '/') || (dot && !strcmp(dot, ".conf")))
		return word;
	return paths_find(paths, word, error) ? NULL : paths->file;
}

/* 0 or -ENOMEM. */
static int collect(struct findings *findings, const char *path, bool is_portable)
{
	struct text text = TEXT_EMPTY;
	struct conf_error error = {0};
	int err = source_read(&text, path, FILE_SIZE_MAX, &error);

	if (err)
		FINDINGS_ERROR(findings, "unreadable", 0, 0, "%s", error.what);
	else
		err = findings_collect(findings, path, text.data, text.len, is_portable);
	text_wipe(&text);
	return err == -ENOMEM ? err : 0;
}

static int check_file(struct report *report, const char *word)
{
	struct findings findings = FINDINGS_EMPTY;
	struct conf_error error = {0};
	struct paths paths;
	const char *path = find(&paths, word, &error);
	int err = 0;

	if (!path)
		FINDINGS_ERROR(&findings, "unreadable", 0, 0, "%s", error.what);
	else if (source_is_exposed(path))
		FINDINGS_WARNING(&findings, "exposed-file", 0, 0,
				 "accessible to other users; `chmod 600' keeps its keys secret");
	if (path)
		err = collect(&findings, path, report->is_portable);
	for (size_t i = 0; i < findings.count && !err; i++)
		put(report, path ? path : word, &findings.items[i]);
	findings_free(&findings);
	return err;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void end(struct report *report)
{
	if (report->is_json) {
		json_close(&report->json, ']');
		json_number(&report->json, "errors", report->errors);
		json_number(&report->json, "warnings", report->warnings);
		json_close(&report->json, '}');
		text_puts(&report->out, "\n");
	} else if (report->errors || report->warnings) {
		text_printf(&report->out, "%zu error%s, %zu warning%s\n", report->errors,
			    plural(report->errors), report->warnings, plural(report->warnings));
	}
}

enum command_result check_run(int argc, char **argv)
{
	struct report report = {.json.out = &report.out};
	struct args args;
	int err = 0;

	if (args_parse(&args, argc, argv, ARGS_JSON | ARGS_PORTABLE) || !args.count)
		return COMMAND_USAGE;
	report.is_json = args.json;
	report.is_portable = args.portable;
	if (report.is_json) {
		json_open(&report.json, NULL, '{');
		json_open(&report.json, "findings", '[');
	}
	for (int i = 0; i < args.count && !err; i++)
		err = check_file(&report, args.words[i]);
	end(&report);
	if (err)
		say_error("out of memory");
	else
		err = output_write(&report.out);
	text_wipe(&report.out);
	return err || report.errors ? COMMAND_FAILED : COMMAND_OK;
}
