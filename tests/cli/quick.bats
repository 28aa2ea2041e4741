# SPDX-License-Identifier: MIT
# What wgctl up leaves in the system, beside what wg-quick up leaves for the same file.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg wg-quick jq nft
	common_setup
	new_pair
	new_keys
	record_calls
	mkdir names # ours by the name of theirs
	ln -s "$WGCTL" names/wg-quick
	export WG_QUICK_USERSPACE_IMPLEMENTATION=$WGCTL_ENGINE
}

teardown() {
	common_teardown
}

# record_calls: a resolvconf in PATH that notes what it is told, after how it was called.
record_calls() {
	mkdir -p bin
	cat >bin/resolvconf <<-END
		#!/bin/sh
		{ echo "resolvconf \$*"; case " \$* " in *" -a "*) cat ;; esac; } >>"$PWD/calls"
	END
	chmod +x bin/resolvconf
	export PATH=$PWD/bin:$PATH
}

# state WHO: what is there when the interface is up, into files of that name.
state() {
	interface_state "$left" "$A" >"$1"
	world_state "$left" >>"$1"
	left sysctl net.ipv4.conf.all.src_valid_mark >>"$1"
	wg show "$A" dump | sort >"$1.dump"
}

# one WHO COMMAND...: up, look, down, and look whether all is as before.
one() {
	local who=$1
	shift
	: >calls
	world_state "$left" >before
	left sysctl -q net.ipv4.conf.all.src_valid_mark=0
	left "$@" up "./$A.conf"
	state "$who"
	left "$@" down "./$A.conf"
	assert_gone "$left" "$A"
	world_state "$left" >after
	diff before after
	mv calls "$who.calls"
}

# compare LINE...: both, for a file with these lines in [Interface] and [Peer].
compare() {
	printf '%s\n' '[Interface]' "PrivateKey = $key_a" "$@" >"$A.conf"
	one theirs wg-quick
	one ours "$PWD/names/wg-quick"
	diff theirs ours
	diff theirs.dump ours.dump
	diff theirs.calls ours.calls
}

@test "one peer, both families" {
	compare 'ListenPort = 51820' 'Address = 10.9.0.1/24, fd09::1/64' \
		'[Peer]' "PublicKey = $pub_b" "PresharedKey = $psk" 'Endpoint = 192.0.2.2:51821' \
		'AllowedIPs = 10.9.0.2/32, fd09::2/128, 10.77.0.0/16, fd77::/48' 'PersistentKeepalive = 21'
}

@test "addresses of every length" {
	compare 'ListenPort = 51820' 'Address = 10.9.0.1, 10.8.0.1/31, 10.7.0.1/8, 172.16.5.4/12' \
		'Address = fd09::1, fd08::1/127, fd07::9/3' \
		'[Peer]' "PublicKey = $pub_b" \
		'AllowedIPs = 10.9.0.1/32, 10.9.0.2/32, 10.8.0.0/31, 10.7.0.0/16, 11.0.0.0/8, 172.16.0.0/12' \
		'AllowedIPs = fd09::1/128, fd09::2/128, fd08::/127, fd08::/126, 2001:db8:77::/48'
}

@test "prefixes in each other, in any order, and twice" {
	compare 'ListenPort = 51820' 'Address = 10.9.0.1/32, fd09::1/128' \
		'[Peer]' "PublicKey = $pub_b" \
		'AllowedIPs = 10.0.0.0/8, 10.1.0.0/16, 10.1.1.0/24, 10.1.1.1/32, 10.1.0.0/16, 10.0.0.0/7' \
		'AllowedIPs = fd00::/8, fd00::/16, fd01:1::/32, fe80::5/128'
}

@test "host bits in AllowedIPs" {
	compare 'ListenPort = 51820' 'Address = 10.9.0.1/32' \
		'[Peer]' "PublicKey = $pub_b" 'AllowedIPs = 10.1.2.3/16, fd01::5/64'
}

@test "an MTU, a mark, no peers" {
	compare 'ListenPort = 51820' 'Address = 10.9.0.1/24' 'MTU = 1333' 'FwMark = 0x1234'
}

@test "no address at all" {
	compare 'ListenPort = 51820' '[Peer]' "PublicKey = $pub_b" 'AllowedIPs = 10.9.0.2/32'
}

@test "the automatic MTU from the endpoint's link, and from its route" {
	ip -n "$left" link set cable mtu 1444
	compare 'ListenPort = 51820' '[Peer]' "PublicKey = $pub_b" 'Endpoint = 192.0.2.2:1'
	compare 'ListenPort = 51820' '[Peer]' "PublicKey = $pub_b" 'Endpoint = [2001:db8::2]:1'
	ip -n "$left" route add 198.51.100.0/24 via 192.0.2.2 mtu 1404
	compare 'ListenPort = 51820' '[Peer]' "PublicKey = $pub_b" 'Endpoint = 198.51.100.9:1'
	compare 'ListenPort = 51820' '[Peer]' "PublicKey = $pub_b" 'Endpoint = 203.0.113.9:1'
	ip -n "$left" route add default via 192.0.2.2
	compare 'ListenPort = 51820' '[Peer]' "PublicKey = $pub_b" 'Endpoint = 203.0.113.9:1'
	compare 'ListenPort = 51820' '[Peer]' "PublicKey = $pub_b"
}

# (An older wg-quick runs PreUp before there is a link; what the kernel gives it the default routes below compare.)
@test "packets from strangers: rules for all that the link has, also by a hook or the kernel, and after a reload" {
	rules() {
		left nft list table "$1" "wg-quick-$A" | grep -o 'daddr [^ ]*' | sed 's/fe80:.*/fe80::x/' | sort | xargs
	}
	printf '%s\n' '[Interface]' "PrivateKey = $key_a" 'Address = 10.9.0.1/24, 10.9.1.1/24, fd09::1/64' \
		'PreUp = ip address add 10.5.5.5/32 dev %i && ip address add fd55::5/128 dev %i' \
		'PostUp = ip address add 10.6.6.6/32 dev %i' \
		'[Peer]' "PublicKey = $pub_b" 'AllowedIPs = 0.0.0.0/0, ::/0' >"$A.conf"
	left "$WGCTL" up -q "./$A.conf"
	assert_equal "$(rules ip)" 'daddr 10.5.5.5 daddr 10.9.0.1 daddr 10.9.1.1'
	assert_equal "$(rules ip6)" 'daddr fd09::1 daddr fd55::5 daddr fe80::x'
	sed -i 's/10.9.1.1/10.9.2.1/' "$A.conf"
	left "$WGCTL" reload -q "./$A.conf"
	assert_equal "$(rules ip)" 'daddr 10.5.5.5 daddr 10.6.6.6 daddr 10.9.0.1 daddr 10.9.2.1'
	assert_equal "$(rules ip6)" 'daddr fd09::1 daddr fd55::5 daddr fe80::x'
	left "$WGCTL" down -q "$A"
	run ! left nft list table ip "wg-quick-$A"
}

@test "wg-quick down takes down what wgctl up brought up, and the other way round" {
	printf '%s\n' '[Interface]' "PrivateKey = $key_a" 'Address = 10.9.0.1/24' >"$A.conf"
	left "$WGCTL" up "./$A.conf"
	left wg-quick down "./$A.conf"
	assert_gone "$left" "$A"
	left wg-quick up "./$A.conf"
	left "$WGCTL" down "./$A.conf"
	assert_gone "$left" "$A"
}

# everything PREFIX...: a peer behind which these are.
everything() {
	echo '[Peer]'
	echo "PublicKey = $pub_b"
	echo 'Endpoint = 192.0.2.2:51821'
	printf 'AllowedIPs = %s\n' "$@"
}

# compare_all LINE... -- PREFIX...: with a peer that these prefixes lead to.
compare_all() {
	local -a lines=() peer
	while [[ $1 != -- ]]; do
		lines+=("$1")
		shift
	done
	shift
	mapfile -t peer < <(everything "$@")
	compare 'ListenPort = 51820' "${lines[@]}" "${peer[@]}"
}

@test "a default route, IPv4" {
	compare_all 'Address = 10.9.0.1/24' -- 0.0.0.0/0
}

@test "a default route, IPv6" {
	compare_all 'Address = fd09::1/64' -- ::/0
}

@test "a default route, both" {
	compare_all 'Address = 10.9.0.1/24, 10.9.1.1/32, fd09::1/64' -- '0.0.0.0/0, ::/0' 10.77.0.0/16 fd77::/48
}

@test "a default route with a mark of its own" {
	compare_all 'Address = 10.9.0.1/24' 'FwMark = 0x4242' -- 0.0.0.0/0
}

@test "a default route where the first table is in use" {
	ip -n "$left" route add 203.0.113.0/24 dev cable table 51820
	ip -n "$left" -6 route add 2001:db8:9::/48 dev cable table 51821
	compare_all 'Address = 10.9.0.1/24' -- 0.0.0.0/0
}

@test "half a default route is none" {
	compare_all 'Address = 10.9.0.1/24' -- 0.0.0.0/1,128.0.0.0/1
}

@test "no table" {
	compare_all 'Address = 10.9.0.1/24' 'Table = off' -- 0.0.0.0/0,10.77.0.0/16
}

@test "a table by number, with a default route in it" {
	compare_all 'Address = 10.9.0.1/24, fd09::1/64' 'Table = 1234' -- 0.0.0.0/0,::/0,10.77.0.0/16,fd77::/48
}

@test "a table by name" {
	compare_all 'Address = 10.9.0.1/24' 'Table = default' -- 0.0.0.0/0,10.77.0.0/16
	mkdir -p "/etc/netns/$left/iproute2"
	printf '%s\n' '# 70 office' '201	other # office' '0x12c office # ours' >"/etc/netns/$left/iproute2/rt_tables"
	compare_all 'Address = 10.9.0.1/24' 'Table = office' -- 0.0.0.0/0,10.77.0.0/16
	grep -A 3 '"table": "office"' ours
}

@test "the table main, by name and as what is meant anyway" {
	compare_all 'Address = 10.9.0.1/24' 'Table = main' -- 10.77.0.0/16
	compare_all 'Address = 10.9.0.1/24' 'Table = auto' -- 10.77.0.0/16
}

@test "servers and domains of names" {
	compare_all 'Address = 10.9.0.1/24' 'DNS = 10.9.0.2, fd09::2' 'DNS = example.org, corp.example' -- 10.77.0.0/16
	grep -x 'nameserver 10.9.0.2' ours.calls
}

@test "domains of names alone" {
	compare_all 'Address = 10.9.0.1/24' 'DNS = example.org' -- 10.77.0.0/16
}

@test "servers of names with a default route and an MTU" {
	compare_all 'Address = 10.9.0.1/24' 'DNS = 10.9.0.2' 'MTU = 1280' -- 0.0.0.0/0
}

@test "hooks, in their order, with the interface's name, among what else is done" {
	local note="{ echo; ip -br link show dev %i; ip route show dev %i; } >>$PWD/calls 2>&1; echo"
	compare_all 'Address = 10.9.0.1/24' 'DNS = 10.9.0.2' \
		'PreUp = true' "PreUp = echo pre-up 1 %i >>$PWD/calls" "PreUp = echo pre-up 2 >>$PWD/calls" \
		"PostUp = $note post-up 1 %i%i >>$PWD/calls" "PostUp = echo \"post-up 2\" && echo a,b >>$PWD/calls" \
		"PreDown = $note pre-down 1 >>$PWD/calls" "PreDown = echo pre-down 2 >>$PWD/calls" \
		"PostDown = echo post-down 1 >>$PWD/calls" "PostDown = echo post-down 2 %i >>$PWD/calls" \
		-- 10.77.0.0/16
	assert_equal "$(grep -c -e ^pre -e ^post ours.calls)" 7
}
