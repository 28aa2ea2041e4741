#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Traffic with wireguard-go at the far end, in both roles, over both families, with and without a preshared key.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
}

teardown() {
	finish
}

# Side a initiates.
talk() { # ENGINE_A ENGINE_B 4|6 psk|plain
	local family size

	if [ "$4" = psk ]; then
		wg genpsk >psk
		psk=psk
	fi
	tunnel "$1" "$2" "$3"
	for family in 4 6; do
		ping_to a b $family -i 0.01 -c 5
		ping_to b a $family -i 0.01 -c 5
		# Around the padding, around the MTU (1420 less the headers of IP and ICMP), and in fragments.
		for size in 0 4 5 1371 1372 1373 1391 1392 1393 4000 65000; do
			ping_to a b $family -s $size
		done
		# Datagrams of every size up to the MTU and a little more.
		on b "$python" "$here/echo.py" serve "$(inner b $family)" 5000 "echo.$family" </dev/null >echo.log 2>&1 3>&- &
		wait_for 5 test -e "echo.$family"
		on a "$python" "$here/echo.py" send "$(inner b $family)" 5000
		transfer a b $family
	done
	handshaken a
	handshaken b
	equal "$(show a endpoints)" "$(endpoint_text b "$3")"
	equal "$(show b endpoints)" "$(endpoint_text a "$3")"
}

endpoint_text() { # SIDE 4|6
	if [ "$2" = 4 ]; then echo "$(outer "$1" 4):51820"; else echo "[$(outer "$1" 6)]:51820"; fi
}

# 8 MiB each way at once.
transfer() { # SIDE OTHER 4|6
	local listener address
	address=$(inner "$2" "$3")

	rm -f progress
	on "$2" "$python" "$here/stream.py" listen "$address" 4000 progress --bytes 8388608 </dev/null >listen.log 2>&1 3>&- &
	listener=$!
	wait_for 5 test -s progress
	on "$1" "$python" "$here/stream.py" connect "$address" 4000 progress.other --bytes 8388608 >connect.log 2>&1
	wait $listener
	equal "$(cat listen.log connect.log)" $'right 8388608\nright 8388608'
}

@test "wgengine initiates to wireguard-go over IPv4" {
	talk "$WGENGINE" wireguard-go 4 plain
	no_faults a
}

@test "wgengine initiates to wireguard-go over IPv6" {
	talk "$WGENGINE" wireguard-go 6 plain
	no_faults a
}

@test "wgengine initiates to wireguard-go over IPv4 with a preshared key" {
	talk "$WGENGINE" wireguard-go 4 psk
	no_faults a
}

@test "wgengine initiates to wireguard-go over IPv6 with a preshared key" {
	talk "$WGENGINE" wireguard-go 6 psk
	no_faults a
}

@test "wgengine responds to wireguard-go over IPv4" {
	talk wireguard-go "$WGENGINE" 4 plain
	no_faults b
}

@test "wgengine responds to wireguard-go over IPv6" {
	talk wireguard-go "$WGENGINE" 6 plain
	no_faults b
}

@test "wgengine responds to wireguard-go over IPv4 with a preshared key" {
	talk wireguard-go "$WGENGINE" 4 psk
	no_faults b
}

@test "wgengine responds to wireguard-go over IPv6 with a preshared key" {
	talk wireguard-go "$WGENGINE" 6 psk
	no_faults b
}

@test "wgengine with wgengine over IPv4" {
	talk "$WGENGINE" "$WGENGINE" 4 plain
	no_faults a
	no_faults b
}

@test "wgengine with wgengine over IPv6 with a preshared key" {
	talk "$WGENGINE" "$WGENGINE" 6 psk
	no_faults a
	no_faults b
}

@test "a wrong preshared key lets nothing through" {
	tunnel "$WGENGINE" wireguard-go
	wg genpsk >psk
	wg_set b peer "$(public a)" preshared-key psk
	refute ping_to a b 4
	refute handshaken a
	received_more b 0
	wg_set a peer "$(public b)" preshared-key psk
	wait_for 15 ping_to a b 4
	handshaken a
}

all_come() { ping_to "$1" "$2" 4 -i 0.01 -c 20 | grep -F ' 20 received'; }

@test "both sides initiate at once" {
	tunnel "$WGENGINE" wireguard-go
	befriend b a 4
	ping_to a b 4 -i 0.01 -c 5 >a.ping &
	ping_to b a 4 -i 0.01 -c 5 >b.ping || true
	wait $! || true
	# Where the initiations cross, each side has answered the other's and forgotten its own: the next attempt, five
	# seconds and a little later, decides it.
	wait_for 15 ping_to a b 4
	# Another one may be under way then, and a packet with it.
	wait_for 15 all_come a b
	wait_for 15 all_come b a
	no_faults a
}
