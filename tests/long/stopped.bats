#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Engines that are stopped for longer than a key lives, 180 seconds of real time, under TCP streams.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load ../netns/helpers

setup() {
	begin
	rate=200000
}

teardown() {
	local side pid

	# Else they could not end.
	for side in a b c d e f; do
		for pid in $(engine_pids "$side"); do
			kill -CONT "$pid"
		done
	done
	finish
}

stop_engine() { kill -STOP "$(engine_pids "$1")"; }
resume_engine() { kill -CONT "$(engine_pids "$1")"; }

@test "a TCP stream goes on after an engine was stopped for longer than a key lives" {
	local name side
	local -A before

	# The initiator is stopped, the responder, and the other engine.
	pair a b "$WGENGINE" wireguard-go 4
	pair c d wireguard-go "$WGENGINE" 6
	pair e f wireguard-go "$WGENGINE" 4
	for name in ab cd ef; do
		stream_begin "${name:0:1}" "${name:1:1}"
	done
	for side in a d f; do
		before[$side]=$(show "$side" latest-handshakes)
	done
	stop_engine a
	stop_engine d
	stop_engine e
	sleep 190
	resume_engine a
	resume_engine d
	resume_engine e
	for name in ab cd ef; do
		stream_moves "${name:0:1}" "${name:1:1}"
		stream_end "${name:0:1}" "${name:1:1}"
	done
	for side in a d f; do
		handshake_after "$side" $((before[$side] + 180))
		# What waited in the socket for longer than its keys lived was refused, and nothing else.
		refute contains "$(uapi "$side" $'get=1\n')" '^drop_(malformed|bad_handshake|forged|replayed|inner_source|no_memory)='
	done
}
