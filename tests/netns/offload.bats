#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Super-packets and trains: not a byte is wrong and nothing is out of order, with them, without, and with them at one end only.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
	amount=${WGCTL_STREAM_BYTES:-40000000}
}

teardown() {
	finish
}

# with_offload A B ENGINE_B: a tunnel whose ends use super-packets (on) or not (off).
with_offload() {
	make_sides a b
	join a b
	make_keys a b
	WG_OFFLOAD=$1 start a
	WG_OFFLOAD=$2 start b "$3"
	configure a
	configure b
	befriend a b 4
	befriend b a
	wait_for 5 ping_to a b 4
}

# Both directions at once, TCP over IPv4 and IPv6.
tcp_is_right() {
	local family address

	for family in 4 6; do
		address=$(inner b $family)
		on b "$python" "$here/stream.py" listen "$address" 4000 in.b --bytes "$amount" --rate 1000000000 </dev/null >listen.log 2>&1 3>&- &
		wait_for 5 listens b 4000
		on a "$python" "$here/stream.py" connect "$address" 4000 in.a --bytes "$amount" --rate 1000000000 3>&-
		wait $!
		equal "$(cat in.a)" "$amount"
		equal "$(cat in.b)" "$amount"
	done
}

listens() { on "$1" ss -Hltn "sport = :$2" | grep -q .; }

udp_is_right() {
	local family size from to address

	for family in 4 6; do
		for size in 64 500 1352; do
			for from in a b; do
				to=$([ $from = a ] && echo b || echo a)
				address=$(inner $to $family)
				rm -f ready
				on $to "$python" "$here/datagrams.py" receive "$address" 4001 ready 4000 </dev/null >received.log 2>&1 3>&- &
				wait_for 5 test -e ready
				on $from "$python" "$here/datagrams.py" send "$address" 4001 4000 $size
				wait $! || fail "$(cat received.log)"
			done
		done
	done
}

for_ends() {
	with_offload "$1" "$2" "${3:-$WGENGINE}"
	tcp_is_right
	udp_is_right
	no_faults a
	[ "${3:-}" ] || no_faults b
}

@test "nothing is wrong with super-packets at both ends" {
	for_ends on on
}

@test "nothing is wrong with super-packets at one end only" {
	for_ends on off
}

@test "nothing is wrong without super-packets" {
	for_ends off off
}

@test "nothing is wrong with super-packets here and wireguard-go there" {
	for_ends on on wireguard-go
}

@test "nothing is wrong without super-packets here and wireguard-go there" {
	for_ends off on wireguard-go
}

# What an engine says of itself at start.
@test "WG_OFFLOAD=off and --no-offload do without super-packets" {
	make_sides a
	LOG_LEVEL=verbose start a
	grep -q 'super-packets: TCP yes' a.log
	halt a
	LOG_LEVEL=verbose WG_OFFLOAD=off start a
	contains "$(tail -n 3 a.log)" 'super-packets: TCP no, UDP no'
	halt a
	LOG_LEVEL=verbose on a "$WGENGINE" --no-offload "$(iface a)" </dev/null >>a.log 2>&1 3>&-
	contains "$(tail -n 3 a.log)" 'super-packets: TCP no, UDP no'
}

@test "peers come, go and move under traffic" {
	local round peer

	WG_THREADS=2
	export WG_THREADS
	tunnel
	stream_begin a b
	wg_set b listen-port 51820
	for ((round = 0; round < 60; ++round)); do
		peer=$(wg genpsk)
		wg_set a peer "$peer" allowed-ips "10.8.$round.0/24,fd08:$round::/64,$(inner b 6)/128" endpoint 192.0.2.9:9
		wg_set a peer "$(public b)" allowed-ips "$(inner b 4)/32,$(inner b 6)/128,10.8.$round.0/25"
		((round % 3)) || wg_set a peer "$peer" remove
		((round % 10)) || wg_set a peer "$(public b)" preshared-key /dev/null
	done
	stream_moves a b
	stream_end a b
	ping_to a b 6
	equal "$(on a wg show "$(iface a)" peers | wc -l)" 41
}

@test "a train that the outer link cannot split goes datagram by datagram" {
	with_offload on on "$WGENGINE"
	amount=5000000
	# Datagrams that must be fragmented: the kernel splits no such train.
	ip_on a link set lan mtu 1280
	ip_on b link set lan mtu 1280
	tcp_is_right
	# A device that cannot sum what it splits.
	on a ethtool -K lan tx off >/dev/null
	on b ethtool -K lan tx off >/dev/null
	ip_on a link set lan mtu 1500
	ip_on b link set lan mtu 1500
	tcp_is_right
	equal "$(drops a send_failed)" 0
	equal "$(drops b send_failed)" 0
}
