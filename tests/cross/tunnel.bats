#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares
#
# The engine of another architecture (a), under qemu-user (see script/cross), with that of this machine (b).

load ../netns/helpers

setup() {
	begin
	: "${NATIVE_WGENGINE:?is set by script/cross}" "${CROSS_CC:?too}"
	engine=$WGENGINE
	if $CROSS_CC -dM -E - </dev/null | grep -q '__BYTE_ORDER__ __ORDER_BIG_ENDIAN__'; then
		$CROSS_CC -O1 -shared -fPIC -o swap.so "$BATS_TEST_DIRNAME/swap.c"
		printf '%s\n' '#!/bin/sh' "CROSS_FLAGS='-E LD_PRELOAD=$PWD/swap.so' exec '$WGENGINE' \"\$@\"" >engine
		chmod +x engine
		engine=$PWD/engine
	fi
	# They share one processor with much else, and are emulated.
	rate=200000
}

teardown() {
	finish
}

both_ways() { # FAMILY
	ping_to a b "$1" -c 3 -i 0.2 -W 10 -s 1300
	ping_to b a "$1" -c 3 -i 0.2 -W 10 -s 1
}

@test "handshakes begun there, over IPv4" {
	tunnel "$engine" "$NATIVE_WGENGINE" 4
	both_ways 4
	both_ways 6
	handshaken a
	no_faults a
	no_faults b
}

@test "handshakes begun here, over IPv6, with a preshared key" {
	make_sides a b
	join a b
	make_keys a b
	start a "$engine"
	start b "$NATIVE_WGENGINE"
	configure a
	configure b
	psk=$PWD/psk
	wg genpsk >psk
	befriend a b
	befriend b a 6
	ping_to b a 6 -W 10
	endpoint_is a "[$(outer b 6)]:51820"
	both_ways 4
	both_ways 6
	no_faults a
	no_faults b
}

@test "TCP both ways arrives unchanged" {
	tunnel "$engine" "$NATIVE_WGENGINE" 4
	ping_to a b 4 -W 10
	stream_begin a b 4
	stream_end a b
	no_faults a
	no_faults b
}

@test "another engine of its kind" {
	tunnel "$engine" "$engine" 6
	ping_to a b 6 -W 10
	both_ways 4
	no_faults a
	no_faults b
}

@test "the command shows the engine, and changes it" {
	tunnel "$engine" "$NATIVE_WGENGINE" 4
	ping_to a b 4 -W 10
	on a "$WGCTL" show "$(iface a)" allowed-ips >here
	equal "$(sort here)" "$(on a wg show "$(iface a)" allowed-ips | sort)"
	on a "$WGCTL" set "$(iface a)" peer "$(public b)" persistent-keepalive 21
	equal "$(show a persistent-keepalive)" 21
	on a "$WGCTL" showconf "$(iface a)" >shown
	on a wg showconf "$(iface a)" >expected
	diff shown expected
}

@test "it ends by a signal, and leaves nothing behind" {
	local pid

	make_sides a
	start a "$engine"
	for pid in $(ip netns pids "$(ns a)"); do
		kill -TERM "$pid"
	done
	wait_for 10 no_iface a
	wait_for 10 no_socket a
	wait_for 10 nobody a
}

nobody() { [ -z "$(ip netns pids "$(ns "$1")")" ]; }
