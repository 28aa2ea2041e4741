#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The wall clock of an engine is set back and forth. The machine's own is left alone: a library that is loaded before the
# others shifts what the engine reads of it.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers
load ../faults/faults

setup() {
	begin
	faults_wrap faulty faults "$WGENGINE"
}

teardown() {
	finish
}

set_clock() { faults_set faults clock "$1"; }

# The interface forgets its session, so that the next packet initiates.
forget() {
	ip_on "$1" link set "$(iface "$1")" down
	wait_for 5 port_closed "$1"
	ip_on "$1" link set "$(iface "$1")" up
	wait_for 5 port_open "$1"
}

# Within one attempt: the next would come after five seconds.
initiates() {
	local before
	before=$(received b)
	ping_to a b 4 -W 3
	[ $(($(received b) - before)) -lt $((2 * 148 + 128)) ] || fail "more than one initiation"
}

again() {
	forget a
	initiates
}

restart() { # ENGINE...
	halt a KILL
	start a "$@"
	configure a
	befriend a b 4
}

@test "wireguard-go takes our initiations while the clock is set back and forth" {
	tunnel "$PWD/faulty" wireguard-go
	initiates
	set_clock -3600
	again
	set_clock 86400
	again
	set_clock 0
	again
	set_clock -100000000
	again
	no_faults a
}

@test "wireguard-go takes our initiations after we were killed and the clock was set back" {
	tunnel "$PWD/faulty" wireguard-go
	set_clock 7200
	initiates
	for _ in 1 2 3; do
		set_clock -3600
		restart "$PWD/faulty"
		initiates
	done
	# The other way it stays as it is: without the file, wireguard-go would not have.
	set_clock 0
	rm "$sockets/$(iface a).clock"
	restart "$PWD/faulty"
	refute ping_to a b 4 -W 2
}

# start_boot ID: as after a new start of the machine, with the file on a disk.
boot() {
	echo "$1" >boot_id
	printf '%s\n' '#!/bin/sh' 'exec unshare -m sh -c "mount --bind boot_id /proc/sys/kernel/random/boot_id &&
		exec \"\$@\"" - ./faulty --state-file disk "$@"' >booted
	chmod +x booted
}

@test "a machine without a clock starts after what its state file reserved" {
	boot 1
	tunnel "$PWD/booted" wireguard-go
	initiates
	for id in 2 3; do
		boot $id
		# 1970.
		set_clock -"$EPOCHSECONDS"
		restart "$PWD/booted"
		initiates
	done
	refute test -e "$sockets/$(iface a).clock"
	equal "$(stat -c %a disk)" 600
}

@test "a clock that is behind keeps no peer from initiating with us" {
	local clock

	tunnel wireguard-go "$PWD/faulty"
	for clock in -100000000 100000000 -100000000; do
		set_clock $clock
		initiates
		wg_set a peer "$(public b)" remove
		befriend a b 4
	done
	no_faults b
}

@test "a state file that cannot be written is spoken of once, and the tunnel works" {
	local small=$PWD/small

	mkdir small
	printf '%s\n' '#!/bin/sh' "exec unshare -m sh -c \"mount -t tmpfs -o size=4k none $small && head -c 4096 /dev/zero >$small/fill
		exec ./faulty --state-file $small/clock \\\"\\\$@\\\"\" - \"\$@\" 2>>said" >full
	chmod +x full
	export LOG_LEVEL=error
	tunnel "$PWD/full" wireguard-go
	initiates
	again
	equal "$(grep -c . said)" 1
	contains "$(cat said)" 'small/clock: No space left on device'
}
