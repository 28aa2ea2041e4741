# SPDX-License-Identifier: MIT
# What wgctl up leaves in the system, beside what wg-quick up leaves for the same file.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg wg-quick jq
	common_setup
	new_pair
	new_keys
	export WG_QUICK_USERSPACE_IMPLEMENTATION=$WGCTL_ENGINE
}

teardown() {
	common_teardown
}

# compare LINE...: the state after both, for a file with these lines in [Interface] and [Peer].
compare() {
	printf '%s\n' '[Interface]' "PrivateKey = $key_a" "$@" >"$A.conf"
	left wg-quick up "./$A.conf"
	interface_state "$left" "$A" >theirs
	wg show "$A" dump | sort >theirs.dump
	left wg-quick down "./$A.conf"
	assert_gone "$left" "$A"
	left "$WGCTL" up "./$A.conf"
	interface_state "$left" "$A" >ours
	wg show "$A" dump | sort >ours.dump
	left "$WGCTL" down "./$A.conf"
	assert_gone "$left" "$A"
	diff theirs ours
	diff theirs.dump ours.dump
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

@test "wg-quick down takes down what wgctl up brought up, and the other way round" {
	printf '%s\n' '[Interface]' "PrivateKey = $key_a" 'Address = 10.9.0.1/24' >"$A.conf"
	left "$WGCTL" up "./$A.conf"
	left wg-quick down "./$A.conf"
	assert_gone "$left" "$A"
	left wg-quick up "./$A.conf"
	left "$WGCTL" down "./$A.conf"
	assert_gone "$left" "$A"
}
