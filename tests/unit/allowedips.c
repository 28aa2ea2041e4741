/* SPDX-License-Identifier: MIT
 * The trie against a list of prefixes that is searched from end to end. The unit is compiled into
 * this test, so that it can see the nodes and make memory run out. */
#include "stingy.h"

#include "engine/allowedips.c"
#undef calloc

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "draw.h"

#define OWNERS 12u
#define MODEL_MAX 400u

/* In the order of insertion; taking a prefix from another owner is a new insertion. */
struct model {
	struct {
		struct prefix prefix;
		struct allowedips_owner *owner;
	} rows[MODEL_MAX];
	size_t count;
	struct allowedips table;
	struct allowedips_owner owners[OWNERS];
};

static bool holds(const struct prefix *prefix, const uint8_t *addr)
{
	unsigned whole = prefix->cidr / 8, rest = prefix->cidr % 8;

	if (memcmp(prefix->addr, addr, whole) != 0)
		return false;
	return rest == 0 || (prefix->addr[whole] ^ addr[whole]) >> (8 - rest) == 0;
}

static struct allowedips_owner *model_lookup(const struct model *model, int family,
					     const uint8_t *addr)
{
	struct allowedips_owner *owner = NULL;
	int longest = -1;

	for (size_t i = 0; i < model->count; i++) {
		const struct prefix *prefix = &model->rows[i].prefix;

		if (prefix->family == family && prefix->cidr > longest && holds(prefix, addr)) {
			longest = prefix->cidr;
			owner = model->rows[i].owner;
		}
	}
	return owner;
}

static size_t model_find(const struct model *model, const struct prefix *prefix)
{
	size_t at = 0;

	while (at < model->count && (model->rows[at].prefix.family != prefix->family ||
				     model->rows[at].prefix.cidr != prefix->cidr ||
				     !holds(prefix, model->rows[at].prefix.addr)))
		at++;
	return at;
}

static void model_remove(struct model *model, size_t at)
{
	model->count--;
	memmove(&model->rows[at], &model->rows[at + 1], (model->count - at) * sizeof(*model->rows));
}

static void model_insert(struct model *model, const struct prefix *prefix,
			 struct allowedips_owner *owner)
{
	size_t at = model_find(model, prefix);

	if (at < model->count && model->rows[at].owner == owner)
		return;
	if (at < model->count)
		model_remove(model, at);
	assert_true(model->count < MODEL_MAX);
	model->rows[model->count].prefix = *prefix;
	model->rows[model->count].owner = owner;
	model->count++;
}

/* Addresses that differ in few places, so that prefixes nest, part at every kind of place, and meet
 * again. */
static void some_addr(int family, uint8_t addr[16])
{
	static const uint8_t places[] = {0, 1, 2, 7, 8, 30, 31, 32, 33, 63, 64, 65, 96, 126, 127};

	memset(addr, 0, 16);
	for (size_t i = 0; i < sizeof(places); i++) {
		if (places[i] < prefix_max(family) && draw(3) == 0)
			addr[places[i] / 8] |= (uint8_t)(0x80 >> places[i] % 8);
	}
	if (draw(50) == 0) {
		for (unsigned i = 0; i < prefix_max(family) / 8; i++)
			addr[i] = (uint8_t)draw(256);
	}
}

static void some_prefix(struct prefix *prefix)
{
	static const uint8_t lengths[] = {0, 1, 2, 3, 8, 9, 31, 32, 33, 34, 64, 65, 66, 127, 128};

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = draw(2) ? AF_INET : AF_INET6;
	some_addr(prefix->family, prefix->addr);
	prefix->cidr = draw(2) ? lengths[draw(sizeof(lengths))] : (uint8_t)draw(129);
	if (prefix->cidr > prefix_max(prefix->family))
		prefix->cidr = (uint8_t)draw(33);
}

/* At an odd address, in a block without a byte to spare. */
static struct allowedips_owner *lookup_odd(const struct allowedips *table, int family,
					   const uint8_t *addr)
{
	size_t len = prefix_max(family) / 8;
	uint8_t *block = malloc(len + 1);
	struct allowedips_owner *owner;

	assert_non_null(block);
	memcpy(block + 1, addr, len);
	owner = family == AF_INET ? allowedips_lookup4(table, block + 1)
				  : allowedips_lookup6(table, block + 1);
	free(block);
	return owner;
}

static void check_lookups(const struct model *model, unsigned times)
{
	uint8_t addr[16];

	for (unsigned i = 0; i < times; i++) {
		int family = draw(2) ? AF_INET : AF_INET6;

		some_addr(family, addr);
		assert_ptr_equal(lookup_odd(&model->table, family, addr),
				 model_lookup(model, family, addr));
	}
}

static void check_owner(const struct model *model, const struct allowedips_owner *owner)
{
	const struct allowedips_node *node = NULL;
	struct prefix prefix;
	size_t count = 0;

	for (size_t i = 0; i < model->count; i++) {
		if (model->rows[i].owner != owner)
			continue;
		node = allowedips_next(owner, node, &prefix);
		assert_non_null(node);
		assert_int_equal(prefix.family, model->rows[i].prefix.family);
		assert_int_equal(prefix.cidr, model->rows[i].prefix.cidr);
		assert_int_equal(model_find(model, &prefix), i);
		count++;
	}
	assert_int_equal(owner->count, count);
	if (count == 0)
		assert_null(owner->first);
	assert_null(allowedips_next(owner, node, &prefix));
	assert_ptr_equal(owner->last, node);
}

/* Returns how many have an owner. */
static size_t check_nodes(const struct allowedips_node *node, const struct allowedips_node *parent)
{
	uint32_t masked[WORDS6];

	if (!node)
		return 0;
	assert_ptr_equal(node->parent, parent);
	assert_true(node->owner || (node->child[0] && node->child[1]));
	memcpy(masked, node->bits, node->words * sizeof(*masked));
	mask_bits(masked, node->words, node->cidr);
	assert_memory_equal(masked, node->bits, node->words * sizeof(*masked));
	for (unsigned bit = 0; bit < 2; bit++) {
		const struct allowedips_node *child = node->child[bit];

		if (!child)
			continue;
		assert_int_equal(child->words, node->words);
		assert_true(child->cidr > node->cidr);
		assert_int_equal(common_bits(child->bits, node->bits, node->cidr), node->cidr);
		assert_int_equal(bit_at(child->bits, node->cidr), bit);
	}
	return (node->owner != NULL) + check_nodes(node->child[0], node) +
	       check_nodes(node->child[1], node);
}

static void check_all(const struct model *model)
{
	assert_int_equal(check_nodes(model->table.root4, NULL) +
				 check_nodes(model->table.root6, NULL),
			 model->count);
	for (unsigned i = 0; i < OWNERS; i++)
		check_owner(model, &model->owners[i]);
}

static void insert(struct model *model)
{
	struct allowedips_owner *owner = &model->owners[draw(OWNERS)];
	struct prefix prefix, masked;
	int err;

	some_prefix(&prefix);
	/* Host bits must not matter: the model gets them masked, by its own code. */
	masked = prefix;
	for (unsigned bit = masked.cidr; bit < 128; bit++)
		masked.addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	calloc_left = draw(10) == 0 ? (int)draw(2) : -1;
	err = allowedips_insert(&model->table, &prefix, owner);
	calloc_left = -1;
	if (err == 0)
		model_insert(model, &masked, owner);
	else
		assert_int_equal(err, -ENOMEM);
}

static void remove_one(struct model *model)
{
	struct allowedips_owner *owner = &model->owners[draw(OWNERS)];
	struct prefix prefix;
	size_t at;

	some_prefix(&prefix);
	if (model->count && draw(8) != 0)
		prefix = model->rows[draw(model->count)].prefix;
	at = model_find(model, &prefix);
	if (at < model->count && draw(4) != 0)
		owner = model->rows[at].owner;
	allowedips_remove(&model->table, &prefix, owner);
	if (at < model->count && model->rows[at].owner == owner)
		model_remove(model, at);
}

static void remove_owner(struct model *model)
{
	struct allowedips_owner *owner = &model->owners[draw(OWNERS)];

	allowedips_remove_owner(&model->table, owner);
	assert_null(owner->first);
	for (size_t i = model->count; i-- > 0;) {
		if (model->rows[i].owner == owner)
			model_remove(model, i);
	}
}

static void against_model(unsigned rounds, unsigned fill)
{
	struct model *model = calloc(1, sizeof(*model));

	assert_non_null(model);
	for (unsigned i = 0; i < rounds; i++) {
		if (draw(200) == 0)
			remove_owner(model);
		else if (draw(2 * fill) < fill * 2 - model->count && draw(5) < 3)
			insert(model);
		else
			remove_one(model);
		check_lookups(model, 3);
		if (i % 50 == 0)
			check_all(model);
	}
	check_all(model);
	allowedips_free(&model->table);
	assert_null(model->table.root4);
	assert_null(model->table.root6);
	free(model);
}

static void test_model(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		seed = 500 + i;
		against_model(15000, 150); /* dense */
		against_model(15000, 12);  /* often nearly empty */
	}
}

static void set_prefix(struct prefix *prefix, int family, const char *addr, uint8_t cidr)
{
	memset(prefix, 0, sizeof(*prefix));
	prefix->family = family;
	memcpy(prefix->addr, addr, prefix_max(family) / 8);
	prefix->cidr = cidr;
}

/* One family's default route is not the other's, and one owner's prefix not another's to remove. */
static void test_edges(void **state)
{
	static const uint8_t low[16], high[16] = "\xff\xff\xff\xff\xff\xff\xff\xff"
						 "\xff\xff\xff\xff\xff\xff\xff\xff";
	struct allowedips table = ALLOWEDIPS_EMPTY;
	struct allowedips_owner a = {0}, b = {0};
	struct prefix prefix;

	(void)state;
	assert_null(allowedips_lookup4(&table, low));
	assert_null(allowedips_lookup6(&table, low));
	set_prefix(&prefix, AF_INET, "\1\2\3\4", 0);
	assert_int_equal(allowedips_insert(&table, &prefix, &a), 0);
	assert_ptr_equal(allowedips_lookup4(&table, low), &a);
	assert_ptr_equal(allowedips_lookup4(&table, high), &a);
	assert_null(allowedips_lookup6(&table, low));
	set_prefix(&prefix, AF_INET, "\xff\xff\xff\xff", 32);
	assert_int_equal(allowedips_insert(&table, &prefix, &b), 0);
	assert_ptr_equal(allowedips_lookup4(&table, high), &b);
	assert_ptr_equal(allowedips_lookup4(&table, low), &a);
	set_prefix(&prefix, AF_INET6, (const char *)high, 128);
	assert_int_equal(allowedips_insert(&table, &prefix, &b), 0);
	assert_ptr_equal(allowedips_lookup6(&table, high), &b);
	assert_null(allowedips_lookup6(&table, low));
	allowedips_remove(&table, &prefix, &a);
	assert_ptr_equal(allowedips_lookup6(&table, high), &b);
	allowedips_remove(&table, &prefix, &b);
	assert_null(table.root6);

	prefix.cidr = 129;
	assert_int_equal(allowedips_insert(&table, &prefix, &a), -EINVAL);
	prefix.family = AF_INET;
	prefix.cidr = 33;
	assert_int_equal(allowedips_insert(&table, &prefix, &a), -EINVAL);
	allowedips_remove(&table, &prefix, &a);
	assert_int_equal(a.count, 1);
	assert_int_equal(b.count, 1);
	allowedips_free(&table);
}

static void number_prefix(struct prefix *prefix, uint32_t number)
{
	uint32_t scattered = htobe32(number * UINT32_C(2654435761)); /* odd: no two alike */

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = number % 2 ? AF_INET : AF_INET6;
	prefix->cidr = number % 2 ? 32 : 64;
	memcpy(prefix->addr, &scattered, sizeof(scattered));
	if (number % 2 == 0)
		prefix->addr[7] = (uint8_t)number;
}

static void test_million(void **state)
{
	struct allowedips table = ALLOWEDIPS_EMPTY;
	struct allowedips_owner owners[4] = {0};
	struct prefix prefix;

	(void)state;
	for (uint32_t i = 0; i < 1000000; i++) {
		number_prefix(&prefix, i);
		assert_int_equal(allowedips_insert(&table, &prefix, &owners[i % 4]), 0);
	}
	for (uint32_t i = 0; i < 1000000; i++) {
		number_prefix(&prefix, i);
		prefix.addr[15] = 1;
		assert_ptr_equal(prefix.family == AF_INET ? allowedips_lookup4(&table, prefix.addr)
							  : allowedips_lookup6(&table, prefix.addr),
				 &owners[i % 4]);
	}
	assert_int_equal(owners[3].count, 250000);
	allowedips_remove_owner(&table, &owners[0]);
	allowedips_remove_owner(&table, &owners[1]);
	allowedips_remove_owner(&table, &owners[2]);
	assert_null(table.root6);
	assert_int_equal(check_nodes(table.root4, NULL), 250000);
	allowedips_free(&table);
}

/* 33 and 129 prefixes on one line: the deepest that it gets. */
static void test_depth(void **state)
{
	struct allowedips table = ALLOWEDIPS_EMPTY;
	struct allowedips_owner owners[129] = {0};
	struct prefix prefix = {.family = AF_INET6};

	(void)state;
	for (unsigned cidr = 0; cidr <= 128; cidr++) {
		prefix.cidr = (uint8_t)cidr;
		assert_int_equal(allowedips_insert(&table, &prefix, &owners[cidr]), 0);
	}
	for (unsigned cidr = 0; cidr <= 128; cidr++) {
		uint8_t addr[16] = {0};

		if (cidr < 128)
			addr[cidr / 8] = (uint8_t)(0x80 >> cidr % 8);
		assert_ptr_equal(allowedips_lookup6(&table, addr), &owners[cidr]);
	}
	for (unsigned cidr = 0; cidr <= 128; cidr += 2)
		allowedips_remove_owner(&table, &owners[cidr]);
	assert_int_equal(check_nodes(table.root6, NULL), 64);
	allowedips_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
