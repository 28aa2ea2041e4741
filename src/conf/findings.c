/* SPDX-License-Identifier: MIT
 * The list, in order, and what the reader of files says, with the words for scripts. */
#include "conf/findings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "conf/array.h"
#include "conf/file.h"
#include "conf/inspect.h"
#include "conf/outline.h"
#include "conf/portable.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct conf_error *findings_add(struct findings *findings, bool is_error, const char *code)
{
	struct finding *finding =
		array_room(findings->items, findings->count, &findings->size, sizeof(*finding));

	if (!finding) {
		findings->failed = true;
		return NULL;
	}
	findings->items = finding;
	finding += findings->count++;
	*finding = (struct finding){.is_error = is_error, .code = code};
	return &finding->at;
}

static const char *value_code(enum keyword key)
{
	static const char *const codes[KEYWORD_COUNT] = {
		[KEYWORD_PRIVATE_KEY] = "bad-private-key",
		[KEYWORD_LISTEN_PORT] = "bad-listen-port",
		[KEYWORD_FWMARK] = "bad-fwmark",
		[KEYWORD_ADDRESS] = "bad-address",
		[KEYWORD_MTU] = "bad-mtu",
		[KEYWORD_DNS] = "bad-dns",
		[KEYWORD_TABLE] = "bad-table",
		[KEYWORD_PRE_UP] = "bad-hook",
		[KEYWORD_POST_UP] = "bad-hook",
		[KEYWORD_PRE_DOWN] = "bad-hook",
		[KEYWORD_POST_DOWN] = "bad-hook",
		[KEYWORD_SAVE_CONFIG] = "bad-save-config",
		[KEYWORD_PRIVATE_KEY_FILE] = "bad-private-key-file",
		[KEYWORD_KILL_SWITCH] = "bad-kill-switch",
		[KEYWORD_PUBLIC_KEY] = "bad-public-key",
		[KEYWORD_PRESHARED_KEY] = "bad-preshared-key",
		[KEYWORD_ALLOWED_IPS] = "bad-allowed-ips",
		[KEYWORD_ENDPOINT] = "bad-endpoint",
		[KEYWORD_KEEPALIVE] = "bad-persistent-keepalive",
		[KEYWORD_NAME] = "bad-name",
		[KEYWORD_PRESHARED_KEY_FILE] = "bad-preshared-key-file",
	};

	return codes[key] ? codes[key] : "bad-value";
}

static const char *error_code(const struct file_warning *warning)
{
	switch (warning->fault) {
	case LINES_FAULT_BYTES:
		return "bad-text";
	case LINES_FAULT_SECTION:
		return "unknown-section";
	case LINES_FAULT_KEY:
		return "unknown-key";
	case LINES_FAULT_VALUE:
		break;
	}
	return value_code(warning->key);
}

static const char *warning_code(const struct file_warning *warning)
{
	if (warning->key == KEYWORD_ALLOWED_IPS)
		return "host-bits";
	if (warning->key == KEYWORD_MTU)
		return "mtu-too-small";
	if (keyword_may_be_empty(warning->key))
		return "empty-value";
	return warning->key == KEYWORD_NAME ? "shared-name" : "exposed-key-file";
}

static void add_warnings(struct findings *findings, const struct file *file)
{
	for (size_t i = 0; i < file->warning_count; i++) {
		const struct file_warning *warning = &file->warnings[i];
		const char *code = warning->is_error ? error_code(warning) : warning_code(warning);
		struct conf_error *at = findings_add(findings, warning->is_error, code);

		if (!at)
			return;
		at->line = warning->line;
		at->column = warning->column;
		memcpy(at->what, warning->what, sizeof(at->what));
	}
}

static int compare(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;

	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	if (a->at.column != b->at.column)
		return a->at.column < b->at.column ? -1 : 1;
	return strcmp(a->code, b->code);
}

int findings_collect(struct findings *findings, const char *path, const char *text, size_t len,
		     bool is_portable)
{
	const bool has_mark = len >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0;
	struct outline outline = OUTLINE_EMPTY;
	struct file file;
	int rc = file_check(&file, path, text, len);

	if (rc == 0) {
		add_warnings(findings, &file);
		rc = outline_read(&outline, text, len);
	}
	if (rc == 0)
		inspect_all(findings, &file, &outline);
	if (rc == 0 && is_portable)
		portable_check(findings, &outline, has_mark);
	outline_free(&outline);
	file_wipe(&file);
	if (rc == -ENOMEM || findings->failed)
		return -ENOMEM;
	if (findings->count)
		qsort(findings->items, findings->count, sizeof(*findings->items), compare);
	return 0;
}

void findings_free(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings)FINDINGS_EMPTY;
}
