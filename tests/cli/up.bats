# SPDX-License-Identifier: MIT
# up and down on real network namespaces.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg ping
	common_setup
}

teardown() {
	common_teardown
}

# The engine of $A dies, and has nothing left open.
@test "two ends talk, IPv4 and IPv6, and go without a trace" {
	new_pair
	new_tunnel
	left "$WGCTL" up "$A.conf"
	right "$WGCTL" up "./$B.conf"
	ping_through "$left" 10.9.0.2
	ping_through "$left" fd09::2
	ping_through "$right" 10.9.0.1
	ping_through "$right" fd09::1
	left "$WGCTL" down "$A.conf"
	right "$WGCTL" down "$B"
	assert_gone "$left" "$A"
	assert_gone "$right" "$B"
}

@test "each step is shown on stderr as wg-quick shows it" {
	new_pair
	new_tunnel
	run --separate-stderr left "$WGCTL" up "$A.conf"
	assert_success
	assert_equal "$output" ""
	assert_equal "$(grep '^\[#\]' <<<"$stderr")" "[#] $WGCTL_ENGINE $A
[#] wg setconf $A <(wg-quick strip $A.conf)
[#] ip -4 address add 10.9.0.1/24 dev $A
[#] ip -6 address add fd09::1/64 dev $A
[#] ip link set mtu 1420 up dev $A
[#] ip -4 route add 10.77.0.0/16 dev $A"
	run --separate-stderr left "$WGCTL" down "$A"
	assert_success
	assert_equal "$output" ""
	assert_equal "$stderr" "[#] ip link delete dev $A"
}

@test "--quiet shows no steps" {
	new_pair
	new_tunnel
	run left "$WGCTL" up --quiet "$A.conf"
	assert_success
	refute_output --partial "[#]"
	run left "$WGCTL" down -q "$A"
	assert_success
	assert_output ""
}

@test "a name is enough where WGCTL_PATH leads to the file" {
	new_pair
	new_tunnel
	mkdir etc
	mv "$A.conf" etc/
	export WGCTL_PATH=/nonexistent:$PWD/etc
	left "$WGCTL" up "$A"
	link_exists "$left" "$A"
	left "$WGCTL" down "$A"
	assert_gone "$left" "$A"
}

@test "a second up is refused, and changes nothing" {
	new_pair
	new_tunnel
	left "$WGCTL" up -q "$A.conf"
	before=$(addresses "$left" "$A")
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_output "wgctl: $A already exists; \`wgctl down $A' takes a tunnel of that name down"
	assert_equal "$(addresses "$left" "$A")" "$before"
	wg show "$A" >/dev/null
}

@test "a link of that name that is no tunnel: up and down leave it alone" {
	new_pair
	new_tunnel
	ip -n "$left" link add "$A" type veth peer name "${A}x"
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_output --partial "$A already exists"
	run left "$WGCTL" down "$A"
	assert_failure 1
	assert_output "wgctl: $A is not a WireGuard interface"
	link_exists "$left" "$A"
}

@test "an engine of that name in another network namespace" {
	new_pair
	new_tunnel
	left "$WGCTL" up -q "$A.conf"
	run right "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_output --partial "already answers on $SOCKETS/$A.sock"
	run right "$WGCTL" down "$A"
	assert_failure 1
	assert_output "wgctl: the interface of $A is not in this network namespace; take it down there"
	link_exists "$left" "$A"
}

@test "down of what is not there" {
	new_namespace left l
	run left "$WGCTL" down "$A"
	assert_failure 1
	assert_output "wgctl: $A is not a WireGuard interface: there is none of that name"
}

@test "down needs no file, and not one that can be read" {
	new_pair
	new_tunnel
	for spoil in rm truncate; do
		left "$WGCTL" up -q "$A.conf"
		cp "$A.conf" kept
		[[ $spoil == rm ]] && rm "$A.conf" || echo nonsense >"$A.conf"
		left "$WGCTL" down -q "$A.conf"
		assert_gone "$left" "$A"
		cp kept "$A.conf"
	done
	left "$WGCTL" up -q "$A.conf"
	left "$WGCTL" down -q "/nonexistent/$A.conf"
	assert_gone "$left" "$A"
}

@test "the engine is killed: down clears its socket, then up works" {
	new_pair
	new_tunnel
	left "$WGCTL" up -q "$A.conf"
	kill_engine
	[[ -S $SOCKETS/$A.sock ]]
	run left "$WGCTL" down "$A"
	assert_success
	assert_output "wgctl: the engine of $A is gone; clearing what it left behind
[#] ip link delete dev $A"
	assert_gone "$left" "$A"
	run left "$WGCTL" down "$A"
	assert_failure 1
	left "$WGCTL" up -q "$A.conf"
	right "$WGCTL" up -q "$B.conf"
	ping_through "$left" 10.9.0.2
}

@test "the engine is killed: up alone works too" {
	new_pair
	new_tunnel
	left "$WGCTL" up -q "$A.conf"
	kill_engine
	left "$WGCTL" up -q "$A.conf"
	right "$WGCTL" up -q "$B.conf"
	ping_through "$left" fd09::2
}

@test "a TUN that was made to stay, without an engine: down takes it away" {
	new_namespace left l
	ip -n "$left" tuntap add dev "$A" mode tun
	run left "$WGCTL" down "$A"
	assert_success
	assert_line "wgctl: the engine of $A is gone; clearing what it left behind"
	assert_gone "$left" "$A"
}

@test "down and up again at once, with the same port, ten times" {
	new_pair
	new_tunnel
	for _ in {1..10}; do
		left "$WGCTL" up -q "$A.conf"
		left "$WGCTL" down -q "$A.conf"
	done
	assert_gone "$left" "$A"
}

@test "what is excluded has no route, and is no peer's" {
	new_pair
	new_tunnel
	sed -i 's|10.77.0.0/16|10.77.0.0/16, !10.77.0.0/18, !10.77.128.0/17|' "$A.conf"
	left "$WGCTL" up -q "$A.conf"
	assert_equal "$(wg show "$A" allowed-ips)" "$pub_b	10.9.0.2/32 fd09::2/128 10.77.64.0/18"
	assert_equal "$(ip -n "$left" route show dev "$A" | grep -o '^10[.]77[^ ]*')" 10.77.64.0/18
	left "$WGCTL" down -q "$A.conf"
}

@test "exclusions that leave too much: it is said once, with or without routes" {
	local table
	new_pair
	new_tunnel
	awk 'BEGIN { printf "AllowedIPs = ::/0"; for (i = 0; i < 12000; i++) printf ", !%x::1", 8192 + i; print "" }' >>"$A.conf"
	for table in off auto; do
		sed -i "/^Table/d; /^Address/a Table = $table" "$A.conf"
		run --separate-stderr left "$WGCTL" up -q "$A.conf"
		assert_failure 1
		assert_equal "$stderr" "wgctl: AllowedIPs come to too many prefixes: exclude less"
		assert_gone "$left" "$A"
	done
}

@test "an explicit MTU" {
	new_pair
	new_tunnel
	sed -i '/^Address/a MTU = 1380' "$A.conf"
	left "$WGCTL" up -q "$A.conf"
	assert_equal "$(in_ns "$left" cat "/sys/class/net/$A/mtu")" 1380
}

@test "the automatic MTU: the narrowest way to an endpoint" {
	new_pair
	new_tunnel
	mtu() { in_ns "$left" cat "/sys/class/net/$A/mtu"; }
	ip -n "$left" link set cable mtu 1400
	left "$WGCTL" up -q "$A.conf"
	assert_equal "$(mtu)" 1320
	left "$WGCTL" down -q "$A"
	ip -n "$left" link set cable mtu 1500
	ip -n "$left" route add 198.51.100.0/24 via 192.0.2.2 mtu 1390
	printf '[Peer]\nPublicKey = %s\nEndpoint = 198.51.100.7:1\n' "$pub_a" >>"$A.conf"
	sed -i "s,^PrivateKey.*,PrivateKey = $(wg genkey)," "$A.conf"
	left "$WGCTL" up -q "$A.conf"
	assert_equal "$(mtu)" 1310
}

@test "the automatic MTU without endpoints: the default route's, else 1500" {
	new_pair
	new_tunnel
	mtu() { in_ns "$left" cat "/sys/class/net/$A/mtu"; }
	sed -i '/^Endpoint/d' "$A.conf"
	left "$WGCTL" up -q "$A.conf"
	assert_equal "$(mtu)" 1420
	left "$WGCTL" down -q "$A"
	ip -n "$left" link set cable mtu 1400
	ip -n "$left" route add default via 192.0.2.2
	left "$WGCTL" up -q "$A.conf"
	assert_equal "$(mtu)" 1320
}

@test "all that the file says reaches the engine" {
	new_pair
	new_tunnel
	sed -i '/^ListenPort/a FwMark = 0x77' "$A.conf"
	left "$WGCTL" up -q "$A.conf"
	run wg show "$A" dump
	assert_line --index 0 "$key_a	$pub_a	51820	0x77"
	assert_line --index 1 "$pub_b	$psk	192.0.2.2:51821	10.9.0.2/32,fd09::2/128,10.77.0.0/16	0	0	0	off"
}

@test "the program leaves no engine of its own behind on its standard streams" {
	new_pair
	new_tunnel
	left timeout 20 bash -c '"$1" up -q "$2" | cat' - "$WGCTL" "$A.conf"
	link_exists "$left" "$A"
}
