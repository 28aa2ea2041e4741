/* SPDX-License-Identifier: MIT
 * From lists of AllowedIPs to routes: order, what comes twice, what is taken back, exclusions. */
#include "cli/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>
#include "conf/model.h"
#include "conf/prefix.h"
#include "conf/text.h"

/* The peers' lists: "10.0.0.0/8 -10.0.0.0/8 !10.1.0.0/16 | ::/0". */
static void build(struct model *model, const char *lists)
{
	struct model_peer *peer = model_add_peer(model);
	char *copy = strdup(lists), *rest = NULL;

	assert_non_null(copy);
	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		enum model_allowed_op op = *word == '!'   ? MODEL_ALLOWED_EXCLUDE
					   : *word == '-' ? MODEL_ALLOWED_REMOVE
							  : MODEL_ALLOWED_ADD;
		struct prefix prefix;

		if (*word == '|') {
			peer = model_add_peer(model);
			continue;
		}
		word += op != MODEL_ALLOWED_ADD;
		assert_non_null(peer);
		assert_int_equal(prefix_parse(&prefix, word, strlen(word)), 0);
		assert_int_equal(model_peer_add_allowed(peer, &prefix, op), 0);
	}
	free(copy);
}

static void expect(struct prefix *routes, size_t count, const char *wanted)
{
	struct text found = TEXT_EMPTY;
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		text_printf(&found, "%s%s", i ? " " : "", prefix_format(text, &routes[i]));
	assert_string_equal(found.len ? found.data : "", wanted);
	text_wipe(&found);
	free(routes);
}

static const struct {
	const char *lists;
	const char *routes; /* NULL: too many to list */
	const char *without_defaults;
	const char *defaults; /* the families that have one: "4", "6" */
	const char *out_of_4; /* exclusions, IPv4 */
} CASES[] = {
	{"", "", "", "", ""},
	{"10.0.0.1/8 10.1.2.3/32 | ::/0 10.0.0.0/8", "10.1.2.3/32 10.0.0.0/8 ::/0",
	 "10.1.2.3/32 10.0.0.0/8", "6", ""},
	{"10.0.0.0/8 -10.0.0.0/8 | 10.1.0.0/16", "10.1.0.0/16", "10.1.0.0/16", "", ""},
	{"0.0.0.0/0 -0.0.0.0/0", "", "", "", ""},
	{"0.0.0.0/0 !0.0.0.0/0", "", "", "", ""},
	{"0.0.0.0/0 !128.0.0.9/1", "0.0.0.0/1", "", "4", "128.0.0.0/1"},
	{"10.0.0.0/8 !10.128.0.0/9 ::/0", "10.0.0.0/9 ::/0", "10.0.0.0/9", "6", ""},
	{"10.0.0.0/8 !10.128.0.0/9 0.0.0.0/0 !64.0.0.0/2", NULL, "10.0.0.0/9", "4",
	 "10.128.0.0/9 64.0.0.0/2"},
	/* Nobody but the one with the default route leaves out for all. */
	{"10.0.0.0/15 !10.1.0.0/16 | 0.0.0.0/0", NULL, "10.0.0.0/16", "4", ""},
	{"0.0.0.0/0 !10.1.0.0/16 | 0.0.0.0/0", NULL, "", "4", ""},
	{"0.0.0.0/0 !10.1.0.0/16 | 0.0.0.0/0 !10.0.0.0/8", NULL, "", "4", "10.1.0.0/16"},
};

static void from_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct model model = MODEL_EMPTY;
		struct prefix *routes;
		size_t count;

		build(&model, CASES[i].lists);
		assert_int_equal(routes_collect(&model, true, &routes, &count), 0);
		expect(routes, count, CASES[i].without_defaults);
		if (CASES[i].routes) {
			assert_int_equal(routes_collect(&model, false, &routes, &count), 0);
			expect(routes, count, CASES[i].routes);
		}
		assert_int_equal(routes_has_default(&model, AF_INET),
				 strchr(CASES[i].defaults, '4') != NULL);
		assert_int_equal(routes_has_default(&model, AF_INET6),
				 strchr(CASES[i].defaults, '6') != NULL);
		assert_int_equal(routes_collect_exclusions(&model, AF_INET, &routes, &count), 0);
		expect(routes, count, CASES[i].out_of_4);
		model_wipe(&model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(from_lists)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
