#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An interface has no owner yet when it appears, and anybody may attach to it. Here somebody does, at the very moment.

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

# start_beside_squatters NUMBER: each time that the interface is made somebody tries to get in, NUMBER times in all.
start_beside_squatters() {
	cat >squat <<-END
		#!/bin/sh
		[ "\$(cat squats 2>/dev/null | wc -l)" -ge $1 ] || "$python" "$here/tun.py" squat "$(iface a)" >>squats 2>&1
	END
	chmod +x squat
	make_sides a
	FAULTS_UNOWNED=$PWD/squat on a ./faulty --threads 3 "$(iface a)" 2>said.log 3>&-
}

described() { ip_on a -d link show dev "$(iface a)"; }

@test "somebody who gets a queue before the interface has an owner loses it" {
	start_beside_squatters 4
	equal "$(cat squats)" $'in\nin\nin\nin'
	contains "$(described)" 'multi_queue.* numqueues 3 numdisabled 0 '
	refute grep worker said.log
	contains "$(uapi a $'get=1\n')" '^errno=0$'
}

@test "against somebody who gets a queue each time, the interface has one that cannot be shared" {
	start_beside_squatters 100
	equal "$(grep -c '^in$' squats)" 10
	equal "$(wc -l <squats)" 11
	refute grep -q multi_queue <<<"$(described)"
	contains "$(cat said.log)" "$(iface a): one worker instead of 3: another user's program keeps attaching to"
	contains "$(uapi a $'get=1\n')" '^errno=0$'
	run -0 on a "$python" "$here/tun.py" attach "$(iface a)"
}
