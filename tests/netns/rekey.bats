#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# New keys under a TCP stream. They come after 120 seconds of real time, so this file is the one that takes long.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
}

teardown() {
	finish
}

# fresh_after SIDE TIME: the new handshake is one that the old keys' age brought about, not one for want of keys.
fresh_after() {
	local passed=$(($(show "$1" latest-handshakes) - $2))
	((passed >= 119 && passed <= 135)) || fail "side $1: new handshake after $passed seconds"
}

@test "a TCP stream goes on over a rekey, whoever initiates it" {
	local name side began
	local -A before

	rate=200000
	pair a b "$WGENGINE" wireguard-go 4
	pair c d wireguard-go "$WGENGINE" 6
	pair e f "$WGENGINE" "$WGENGINE" 4
	began=$EPOCHSECONDS
	for name in ab cd ef; do
		stream_begin "${name:0:1}" "${name:1:1}"
	done
	for side in a b c d e f; do
		before[$side]=$(show "$side" latest-handshakes)
		((before[$side] - began <= 10)) # the first ones
	done
	poll=1
	for side in a b c d e f; do
		wait_for 150 handshake_after "$side" "${before[$side]}"
	done
	for name in ab cd ef; do
		stream_moves "${name:0:1}" "${name:1:1}"
		stream_end "${name:0:1}" "${name:1:1}"
	done
	for side in a b c d e f; do
		fresh_after "$side" "${before[$side]}"
	done
	for side in a d e f; do
		no_faults "$side"
	done
}
