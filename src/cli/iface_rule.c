/* SPDX-License-Identifier: MIT
 * What rtnetlink(7) knows about rules. */
#include "cli/iface_rule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include "cli/iface.h"
#include "cli/netlink.h"
#include "conf/array.h"

#define DUMP_TRIES 5 /* rules that change while they are read are read again */

static int change(struct iface *iface, int type, int flags, const struct iface_rule *rule,
		  struct conf_error *error)
{
	const struct fib_rule_hdr header = {
		.family = (unsigned char)rule->family,
		.table = rule->table <= UINT8_MAX ? (unsigned char)rule->table : RT_TABLE_UNSPEC,
		.action = FR_ACT_TO_TBL,
		.flags = rule->mark ? FIB_RULE_INVERT : 0,
	};
	struct nl_msg *msg = netlink_message(type, flags, &header, sizeof(header));

	netlink_put_number(&msg, FRA_PRIORITY, rule->priority);
	netlink_put_number(&msg, FRA_TABLE, rule->table);
	if (rule->mark)
		netlink_put_number(&msg, FRA_FWMARK, rule->mark);
	if (rule->skips_default)
		netlink_put_number(&msg, FRA_SUPPRESS_PREFIXLEN, 0);
	return netlink_request(iface_netlink(iface), msg, NULL, NULL, error);
}

int iface_rule_add(struct iface *iface, const struct iface_rule *rule, struct conf_error *error)
{
	return change(iface, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule, error);
}

int iface_rule_delete(struct iface *iface, const struct iface_rule *rule, struct conf_error *error)
{
	return change(iface, RTM_DELRULE, 0, rule, error);
}

struct list {
	struct iface_rule *rules;
	size_t count, size;
	bool failed;
};

static bool read_rule(struct nlmsghdr *reply, struct iface_rule *rule)
{
	const struct fib_rule_hdr *header = nlmsg_data(reply);
	struct nlattr *attrs[FRA_MAX + 1];
	uint32_t mark = 0, mask = UINT32_MAX;

	if (reply->nlmsg_type != RTM_NEWRULE ||
	    nlmsg_parse(reply, sizeof(*header), attrs, FRA_MAX, NULL) < 0)
		return false;
	*rule = (struct iface_rule){.family = header->family};
	if (attrs[FRA_PRIORITY])
		rule->priority = nla_get_u32(attrs[FRA_PRIORITY]);
	if (attrs[FRA_FWMARK])
		mark = nla_get_u32(attrs[FRA_FWMARK]);
	if (attrs[FRA_FWMASK])
		mask = nla_get_u32(attrs[FRA_FWMASK]);
	if (header->action != FR_ACT_TO_TBL || header->src_len || header->dst_len || header->tos ||
	    attrs[FRA_IIFNAME] || attrs[FRA_OIFNAME] || (mark && mask != UINT32_MAX) ||
	    !(header->flags & FIB_RULE_INVERT) != !mark)
		return true;
	rule->mark = mark;
	rule->table = attrs[FRA_TABLE] ? nla_get_u32(attrs[FRA_TABLE]) : header->table;
	if (attrs[FRA_SUPPRESS_PREFIXLEN])
		rule->skips_default = !nla_get_u32(attrs[FRA_SUPPRESS_PREFIXLEN]);
	return true;
}

static void list_rule(struct nlmsghdr *reply, void *arg)
{
	struct list *list = arg;
	struct iface_rule *rules, rule;

	if (!read_rule(reply, &rule))
		return;
	rules = array_room(list->rules, list->count, &list->size, sizeof(*rules));
	if (!rules) {
		list->failed = true;
		return;
	}
	list->rules = rules;
	list->rules[list->count++] = rule;
}

int iface_rule_list(struct iface *iface, int family, struct iface_rule **rules, size_t *count)
{
	const struct fib_rule_hdr header = {.family = (unsigned char)family};
	struct list list = {0};
	int err = -EAGAIN;

	for (int try = 0; try < DUMP_TRIES && err == -EAGAIN; try++) {
		list.count = 0;
		err = netlink_request(
			iface_netlink(iface),
			netlink_message(RTM_GETRULE, NLM_F_DUMP, &header, sizeof(header)),
			list_rule, &list, NULL);
	}
	if (err == -EAFNOSUPPORT || err == -EOPNOTSUPP)
		err = 0;
	if (list.failed)
		err = -ENOMEM;
	*rules = list.rules;
	*count = list.count;
	if (err) {
		free(list.rules);
		*rules = NULL;
		*count = 0;
	}
	return err;
}
