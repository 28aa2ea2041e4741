/* SPDX-License-Identifier: MIT
 * One nftables table a family, of wg-quick(8)'s name, so that its `down' finds it too. A step's
 * text is "ip ADDRESS... ip6 ADDRESS...", with the families that have a default route and the
 * addresses of the file. The rules are about all that the link has: hooks and the kernel give it
 * some, too. */
#include "config.h"

#include "cli/firewall.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#ifdef HAVE_NFTABLES
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <unistd.h>
#endif
#include "cli/iface.h"
#include "cli/plan.h"
#include "cli/policy.h"
#include "cli/say.h"
#include "cli/tunnel.h"
#include "conf/file.h"
#include "conf/prefix.h"
#include "conf/text.h"

#define MISSED                                                                                     \
	"so packets from strangers to the tunnel's addresses are not dropped, where the system's " \
	"own filter lets them in"

/* Deleting what is not there would fail; so it is made first. */
static void put_removal(struct text *out, const char *family, const char *name)
{
	text_printf(out, "add table %s wg-quick-%s\ndelete table %s wg-quick-%s\n", family, name,
		    family, name);
}

static void put_table(struct text *out, const char *family, const char *name, uint32_t mark)
{
	static const struct {
		const char *chain, *hook;
		int priority;
	} CHAINS[] = {{"preraw", "prerouting", -300},
		      {"premangle", "prerouting", -150},
		      {"postmangle", "postrouting", -150}};

	text_printf(out, "add table %s wg-quick-%s\n", family, name);
	for (size_t i = 0; i < sizeof(CHAINS) / sizeof(*CHAINS); i++)
		text_printf(out,
			    "add chain %s wg-quick-%s %s { type filter hook %s priority %d; }\n",
			    family, name, CHAINS[i].chain, CHAINS[i].hook, CHAINS[i].priority);
	text_printf(out,
		    "add rule %s wg-quick-%s postmangle meta l4proto udp mark %" PRIu32
		    " ct mark set mark\n",
		    family, name, mark);
	text_printf(out,
		    "add rule %s wg-quick-%s premangle meta l4proto udp meta mark set ct mark\n",
		    family, name);
}

static void put_address(struct text *out, const char *family, const char *name, const char *address)
{
	text_printf(out,
		    "add rule %s wg-quick-%s preraw iifname != \"%s\" %s daddr %s fib saddr type "
		    "!= local drop\n",
		    family, name, name, family, address);
}

/* Without its length. Returns word. */
static char *bare(char word[PREFIX_TEXT_MAX], const struct prefix *address)
{
	prefix_format(word, address);
	word[strcspn(word, "/")] = '\0';
	return word;
}

static bool has_word(const char *words, const char *word)
{
	const size_t len = strlen(word);

	for (size_t at; *words; words += at + (words[at] == ' ')) {
		at = strcspn(words, " ");
		if (at == len && !memcmp(words, word, len))
			return true;
	}
	return false;
}

/* What the link has of the family; but on a change not what it is about to lose: what we gave it
 * and the step does not name any more. false: there is no link yet, or it cannot be asked. */
static bool put_link(struct text *out, const char *family, const struct tunnel *tunnel,
		     const struct plan_step *step)
{
	const int number = family[2] ? AF_INET6 : AF_INET;
	struct prefix *addresses = NULL;
	char word[PREFIX_TEXT_MAX];
	size_t count = 0;
	bool ok = tunnel->index &&
		  !iface_list_addresses(tunnel->iface, tunnel->index, number, &addresses, &count);

	for (size_t i = 0; i < count && ok; i++)
		if (has_word(step->text, bare(word, &addresses[i])) ||
		    !tunnel_gives(tunnel->recorded, &addresses[i]))
			put_address(out, family, tunnel->name, word);
	free(addresses);
	return ok;
}

/* The commands of nft(8) that undo the step, do it, or both. */
static void put_commands(struct text *out, const struct tunnel *tunnel,
			 const struct plan_step *step, bool removes, bool makes)
{
	const char *family = "ip", *word;
	char *rest = NULL, *words = strdup(step->text);
	bool is_put = false; /* the family's addresses are */

	for (word = words ? strtok_r(words, " ", &rest) : NULL; word;
	     word = strtok_r(NULL, " ", &rest)) {
		bool is_family = !strcmp(word, "ip") || !strcmp(word, "ip6");

		if (is_family)
			family = word[2] ? "ip6" : "ip";
		if (is_family && removes)
			put_removal(out, family, tunnel->name);
		if (is_family && makes)
			put_table(out, family, tunnel->name, step->number);
		if (is_family && makes)
			is_put = put_link(out, family, tunnel, step);
		if (!is_family && makes && !is_put)
			put_address(out, family, tunnel->name, word);
	}
	out->failed = out->failed || !words;
	free(words);
}

static void describe(const void *world, const struct plan_step *step, enum plan_phrase phrase,
		     struct text *out)
{
	const struct tunnel *tunnel = world;
	struct text commands = TEXT_EMPTY;

	if (phrase == PLAN_GOAL) {
		text_printf(out, "filter packets to %s", tunnel->name);
		return;
	}
	put_commands(&commands, tunnel, step, phrase == PLAN_UNDO, phrase == PLAN_DO);
	text_printf(out, "nft -f - <<<'");
	for (size_t i = 0; i + 1 < commands.len; i++)
		text_append(out, commands.data[i] == '\n' ? "; " : &commands.data[i],
			    commands.data[i] == '\n' ? 2 : 1);
	text_printf(out, "'");
	text_wipe(&commands);
}

#ifdef HAVE_NFTABLES
/* Where the kernel has no such socket, libnftables ends the process. */
static bool has_netfilter(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* false, with one line of what went wrong. */
static bool run(const struct text *commands, char what[128])
{
	struct nft_ctx *nft;
	bool ok = false;

	if (!has_netfilter()) {
		snprintf(what, 128, "netfilter: %s", strerror(errno));
		return false;
	}
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	snprintf(what, 128, "out of memory");
	if (nft && !commands->failed && !nft_ctx_buffer_output(nft) && !nft_ctx_buffer_error(nft)) {
		ok = !nft_run_cmd_from_buffer(nft, commands->data);
		snprintf(what, 128, "%s", nft_ctx_get_error_buffer(nft));
		what[strcspn(what, "\n")] = '\0';
	}
	if (nft)
		nft_ctx_free(nft);
	return ok;
}
#else
static bool run(const struct text *commands, char what[128])
{
	(void)commands;
	snprintf(what, 128, "this wgctl was built without libnftables");
	return false;
}
#endif

/* Nothing leaks without it. */
static int act(void *world, const struct plan_step *step, struct conf_error *why)
{
	const struct tunnel *tunnel = world;
	struct text commands = TEXT_EMPTY;
	char what[128];

	(void)why;
	put_commands(&commands, tunnel, step, true, true);
	if (!run(&commands, what))
		say_warning("no packet filter for %s: %s; " MISSED, tunnel->name, what);
	text_wipe(&commands);
	return 0;
}

/* What could not be made is not there to be removed, so that nothing is said. */
static int undo(void *world, const struct plan_step *step, struct conf_error *why)
{
	struct text commands = TEXT_EMPTY;
	char what[128];

	(void)why;
	put_commands(&commands, world, step, true, false);
	(void)run(&commands, what);
	text_wipe(&commands);
	return 0;
}

static const struct plan_verb firewall_verb = {
	.name = "firewall", .is_single = true, .describe = describe, .act = act, .undo = undo};

const struct plan_verb *const firewall_verbs[] = {&firewall_verb, NULL};

int firewall_plan(struct plan *plan, const struct policy *policy, const struct file *file)
{
	struct text text = TEXT_EMPTY;
	char address[PREFIX_TEXT_MAX];
	int err = 0;

	for (size_t i = 0; i < 2 && policy->mark; i++) {
		const struct policy_family *family = &policy->families[i];

		if (!family->has_default)
			continue;
		text_printf(&text, "%s%s", text.len ? " " : "",
			    family->family == AF_INET ? "ip" : "ip6");
		for (size_t j = 0; j < file->address_count; j++) {
			if (file->addresses[j].family != family->family)
				continue;
			text_printf(&text, " %s", bare(address, &file->addresses[j]));
		}
	}
	if (text.failed)
		err = -ENOMEM;
	else if (text.len)
		plan_add(plan, &firewall_verb, NULL, policy->mark, text.data);
	text_wipe(&text);
	return err;
}
