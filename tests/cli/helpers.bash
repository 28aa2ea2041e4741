# SPDX-License-Identifier: MIT
# What the tests of wgctl share. Each test makes its own network namespaces, interface names and folder, and takes away
# what it made.

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

unset WGCTL_PATH WG_COLOR_MODE WG_HIDE_KEYS WG_ENDPOINT_RESOLUTION_RETRIES WG_QUICK_USERSPACE_IMPLEMENTATION LOG_LEVEL

build_dir=$(cd "${top_builddir:-$BATS_TEST_DIRNAME/../..}" && pwd)
WGCTL=${WGCTL:-$build_dir/wgctl}
export WGCTL_ENGINE=${WGCTL_ENGINE:-$build_dir/wgengine}
SOCKETS=/var/run/wireguard

# leave REASON: skips the test; where CI promised everything, fails it.
leave() {
	[[ ${CI:-} == true ]] && fail "$1"
	skip "$1"
}

need_tun() {
	[[ $EUID -eq 0 && -c /dev/net/tun ]] || leave "needs root and /dev/net/tun"
	ip netns list >/dev/null || leave "needs network namespaces"
}

need() {
	local command
	for command; do
		command -v "$command" >/dev/null || leave "needs $command"
	done
}

# For every test: a folder of its own and a short word that no other test uses.
common_setup() {
	umask 077
	cd "$BATS_TEST_TMPDIR" || return
	id=$((BASHPID % 1000000))
	namespaces=()
	started=()
	inside=()
	A=w${id}a # interface names
	B=w${id}b
}

# Ends what the test started, and nothing else: processes by their number.
common_teardown() {
	local ns pid socket
	[[ -n ${id:-} ]] || return 0 # skipped before it began
	for pid in "${started[@]}"; do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	for ns in "${namespaces[@]}"; do
		for pid in $(ip netns pids "$ns"); do
			kill -KILL "$pid" 2>/dev/null
		done
		ip netns delete "$ns"
		rm -rf "/etc/netns/$ns"
	done
	for socket in "$SOCKETS/w$id"[ab]*.sock; do
		[[ ! -S $socket ]] || rm -f "$socket"
	done
	rm -f "/run/wgctl/w$id"[ab]*.{lock,record} # of one that was killed
	rm -f "$SOCKETS/w$id"[ab]*.clock
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS <= end)) || fail "waited in vain for: $*"
		sleep 0.02
	done
}

# new_namespace VARIABLE LETTER
new_namespace() {
	local ns=wgctl-$id-$2
	ip netns add "$ns"
	namespaces+=("$ns")
	ip -n "$ns" link set lo up
	printf -v "$1" %s "$ns"
}

# Two namespaces, $left and $right, with a cable between them: 192.0.2.1 and 192.0.2.2, 2001:db8::1 and ::2.
# shellcheck disable=SC2154 # set by new_namespace
new_pair() {
	new_namespace left l
	new_namespace right r
	ip -n "$left" link add cable type veth peer name cable netns "$right"
	ip -n "$left" address add 192.0.2.1/24 dev cable
	ip -n "$right" address add 192.0.2.2/24 dev cable
	ip -n "$left" address add 2001:db8::1/64 dev cable nodad
	ip -n "$right" address add 2001:db8::2/64 dev cable nodad
	ip -n "$left" link set cable up
	ip -n "$right" link set cable up
}

# in_ns NAMESPACE COMMAND... (bats' own file descriptor is not for daemons)
in_ns() {
	ip netns exec "$@" 3>&-
}

left() { in_ns "$left" "$@"; }
right() { in_ns "$right" "$@"; }

kill_engine() {
	engine_pids "$left" "$A" | xargs kill -KILL
	wait_for 5 no_engine "$left" "$A"
	wait_for 5 no_link "$left" "$A"
}

# Without what time alone changes: whether the kernel still looks for another owner of an address.
addresses() {
	ip -n "$1" address show dev "$2" | sed 's/ tentative//'
}

new_keys() {
	key_a=$(wg genkey) key_b=$(wg genkey) psk=$(wg genpsk)
	pub_a=$(wg pubkey <<<"$key_a") pub_b=$(wg pubkey <<<"$key_b")
}

# Writes $A.conf and $B.conf, the two ends of one tunnel over the cable.
new_tunnel() {
	new_keys
	cat >"$A.conf" <<-END
		[Interface]
		PrivateKey = $key_a
		ListenPort = 51820
		Address = 10.9.0.1/24, fd09::1/64

		[Peer]
		PublicKey = $pub_b
		PresharedKey = $psk
		Endpoint = 192.0.2.2:51821
		AllowedIPs = 10.9.0.2/32, fd09::2/128, 10.77.0.0/16
	END
	cat >"$B.conf" <<-END
		[Interface]
		PrivateKey = $key_b
		ListenPort = 51821
		Address = 10.9.0.2/24, fd09::2/64

		[Peer]
		PublicKey = $pub_a
		PresharedKey = $psk
		Endpoint = [2001:db8::1]:51820
		AllowedIPs = 10.9.0.1/32, fd09::1/128
		PersistentKeepalive = 25
	END
}

ping_through() {
	wait_for 10 in_ns "$1" ping -c 1 -W 1 "$2"
}

# engine_pids NAMESPACE INTERFACE
engine_pids() {
	local pid
	for pid in $(ip netns pids "$1"); do
		[[ $(tr '\0' ' ' <"/proc/$pid/cmdline") == *" $2 " ]] && echo "$pid"
	done
	return 0
}

no_engine() {
	[[ -z $(engine_pids "$@") ]]
}

link_exists() {
	ip -n "$1" link show dev "$2"
}

no_link() {
	! link_exists "$@"
}

# Nothing of the interface is left: no link, no socket, no process.
assert_gone() {
	refute link_exists "$1" "$2"
	[[ ! -e $SOCKETS/$2.sock ]] || fail "$SOCKETS/$2.sock is still there"
	wait_for 5 no_engine "$1" "$2"
}

# All that an interface shows to the rest of the system, without what is new each time.
interface_state() {
	local ns=$1 name=$2
	ip -j -n "$ns" link show dev "$name" | jq -S '.[0] | {mtu, flags, operstate}'
	ip -j -n "$ns" address show dev "$name" |
		jq -S '[.[0].addr_info[] | select(.scope != "link")]'
	ip -j -4 -n "$ns" route show dev "$name" table all | jq -S .
	ip -j -6 -n "$ns" route show dev "$name" table all |
		jq -S '[.[] | select(.dst | startswith("fe80") | not)]'
}

# All of the namespace's network that a tunnel may change, but for the link itself.
world_state() {
	local ns=$1 family table
	for family in -4 -6; do
		echo "rules and routes $family"
		ip "$family" -n "$ns" rule show
		ip -j "$family" -n "$ns" route show table all |
			jq -S '[.[] | select((.dst | startswith("fe80") or startswith("ff00")) | not)]'
	done
	echo firewall
	# The link's own fe80:: address is new each time.
	ip netns exec "$ns" nft list tables | sort | while read -r table; do
		# shellcheck disable=SC2086 # "table ip NAME"
		ip netns exec "$ns" nft list $table | sed 's/ip6 daddr fe80:[0-9a-f:]*/ip6 daddr fe80::x/'
	done
}

# From here on wgctl, wg, and the engines that the test starts, have a directory of sockets to themselves: for commands that ask
# all the interfaces there are, while other tests' come, go and hang. (wg waits for ever for an engine that does not answer.)
private_sockets() {
	local pid program
	unshare --mount sh -c 'mkdir -p /run/wireguard && mount -t tmpfs none /run/wireguard && : >private && exec sleep infinity' 3>&- &
	pid=$!
	started+=("$pid")
	wait_for 5 test -e private
	SOCKETS=/proc/$pid/root/run/wireguard
	for program in "$WGCTL" "$WGCTL_ENGINE"; do
		printf '#!/bin/sh\nexec nsenter --mount=/proc/%s/ns/mnt --wd="$PWD" %s "$@"\n' "$pid" "$program" >"${program##*/}"
		chmod +x "${program##*/}"
	done
	export WGCTL=$PWD/wgctl WGCTL_ENGINE=$PWD/wgengine
	inside=(nsenter "--mount=/proc/$pid/ns/mnt" --wd="$PWD")
	wg() { "${inside[@]}" wg "$@"; }
}

# stub_engine NAME FILE: something on NAME's socket that answers every request with the file.
stub_engine() {
	mkdir -p "$SOCKETS"
	perl "$BATS_TEST_DIRNAME/stub-engine.pl" "$SOCKETS/$1.sock" "$2" 3>&- &
	started+=($!)
	wait_for 5 test -S "$SOCKETS/$1.sock"
}
