#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# One side ends and is started again, with its peer still holding the old session. The interface goes with the engine,
# and is made anew; the TCP stream over it must come through whole.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
}

teardown() {
	finish
}

# restart SIDE SIGNAL ENGINE
restart() {
	halt "$1" "$2"
	start "$1" "$3"
	configure "$1"
}

# The side that was restarted knows where the other is, and initiates as soon as it has something to send.
restart_initiator() { # ENGINE_A ENGINE_B SIGNAL 4|6
	local before

	tunnel "$1" "$2" "$4"
	stream_begin a b
	before=$(show b latest-handshakes)
	wait_for 5 clock_after "$before"
	restart a "$3" "$1"
	befriend a b "$4"
	stream_moves a b
	handshake_after b "$before"
	stream_end a b
}

@test "wgengine as the initiator is killed and started again" {
	restart_initiator "$WGENGINE" wireguard-go KILL 4
	no_faults a
}

@test "wgengine as the initiator is terminated and started again" {
	restart_initiator "$WGENGINE" wireguard-go TERM 6
	no_faults a
}

@test "wireguard-go as the initiator is killed and started again" {
	restart_initiator wireguard-go "$WGENGINE" KILL 4
	no_faults b
}

# The side that was restarted does not know where the other is: that one has to notice that nothing comes back, which
# takes 15 seconds. Two pairs at once.
@test "either as the responder is killed and started again" {
	local before_a before_c

	pair a b wireguard-go "$WGENGINE" 4
	pair c d "$WGENGINE" wireguard-go 6
	stream_begin a b
	stream_begin c d
	before_a=$(show a latest-handshakes)
	before_c=$(show c latest-handshakes)
	restart b KILL "$WGENGINE"
	befriend b a
	restart d KILL wireguard-go
	befriend d c
	stream_moves a b
	stream_moves c d
	handshake_after a "$before_a"
	handshake_after c "$before_c"
	stream_end a b
	stream_end c d
	no_faults b
	no_faults c
}
