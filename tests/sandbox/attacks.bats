#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An engine that was taken over. Needs a build with --enable-test-hooks: on SIGUSR1 the thread that it is sent to tries what
# an attacker would, and says how each attempt ended (src/engine/attack.c).

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load ../netns/helpers

lines() { [ "$(grep -c "^$1 " "$2.log")" -ge "$3" ]; } # BEGINNING RUN NUMBER

# turn RUN SIGNAL WORD LINES: sends it to each thread in turn, and waits for LINES lines from it that begin with WORD. The
# control thread, which has the number of the process, is the last, in case that the engine becomes another program.
turn() {
	local pid thread

	pid=$(engine_pids a)
	ls "/proc/$pid/task" >"$1.threads"
	for thread in $(sort -rn "$1.threads"); do
		"$python" -c 'import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.tgkill(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])):
    sys.exit(f"tgkill {sys.argv[1:]}: errno {ctypes.get_errno()}")' "$pid" "$thread" "$(kill -l "$2")"
		wait_for 10 lines "$3 $thread" "$1" "$4"
	done
}

# launch RUN COMMAND...: the engine, by way of COMMAND. It is armed before it is sealed, and says so.
launch() {
	local name=$1
	shift
	make_sides a
	on a "$@" "$WGENGINE" -f --threads 2 "$(iface a)" </dev/null >"$name.log" 2>&1 3>&- &
	wait_for 10 grep -q 'sandbox: ' "$name.log"
}

land() {
	uapi a $'get=1
' | grep -q '^errno=0$' && : >"$1.answers"
	kill -TERM "$(engine_pids a)"
	wait_for 5 no_engine a
	ip netns del "$(ns a)"
}

# attack RUN COMMAND...
attack() {
	launch "$@"
	ip_on a route >"$1.routes"
	turn "$1" USR1 attack 32
	ip_on a route | diff "$1.routes" - >"$1.changed" || true
	land "$1"
}

setup_file() {
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	begin
	attack full env
	attack bare "$here/without.py" seccomp=EPERM
}

# Ends and removes what is left of this process's.
sweep() {
	local name pid

	for name in $(ip netns list | awk -v "p=wgt$$" 'index($1, p) == 1 { print $1 }'); do
		for pid in $(ip netns pids "$name"); do
			kill -KILL "$pid" 2>/dev/null || true
		done
		ip netns del "$name"
	done
	rm -f "$sockets/wg$$"?.sock
}

teardown_file() {
	sweep
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return
}

teardown() {
	sweep
}

# ends RUN NAME ERRNO: so ended the attempt in each thread of that run.
ends() {
	equal "$(sed -nE "s/^attack [0-9]+ $2 //p" "$1.log" | sort | uniq -c | awk '{ print $2, $1 }')" "$3 $(wc -l <"$1.threads")"
}

@test "the control thread and both workers were turned" {
	contains "$(cat full.log)" 'sandbox: .*seccomp$'
	contains "$(cat bare.log)" 'off: seccomp'
	equal "$(wc -l <full.threads)" 3
	equal "$(grep -o '^attack [0-9]*' full.log | sort -u | wc -l)" 3
}

@test "the heap of every thread grows and shrinks by what is allowed" {
	WG_TEST_KILL=1 launch work env
	turn work USR2 work 1
	land work
	test -e work.answers
}

@test "refused: opening a file to read" {
	ends full read_file EPERM
}

@test "refused: opening a file of root's" {
	ends full read_secret EPERM
}

@test "refused: opening the memory of another process" {
	ends full read_memory EPERM
}

@test "refused: making a file" {
	ends full write_file EPERM
}

@test "refused: making a directory" {
	ends full make_directory EPERM
}

@test "refused: removing a file" {
	ends full remove_file EPERM
}

@test "refused: executing a program" {
	ends full execute EPERM
}

@test "refused: making a process" {
	ends full fork EPERM
}

@test "refused: connecting a TCP socket" {
	ends full connect_tcp EPERM
}

@test "refused: binding another UDP port" {
	ends full bind_udp EPERM
}

@test "refused: connecting a UNIX socket" {
	ends full connect_unix EPERM
}

@test "refused: binding a UNIX socket" {
	ends full bind_unix EPERM
}

@test "refused: binding a socket that is there" {
	ends full bind_again EPERM
}

@test "refused: a packet socket" {
	ends full sniff EPERM
}

@test "refused: a socket to the firewall" {
	ends full firewall EPERM
}

@test "refused: setting a mark" {
	ends full set_mark EPERM
}

@test "refused: changing a route, over the engine's own netlink socket" {
	ends full change_route EPERM
}

@test "refused: other ioctls on the TUN device" {
	ends full keep_interface EPERM
}

@test "refused: ptrace" {
	ends full trace EPERM
}

@test "refused: reading another process" {
	ends full read_process EPERM
}

@test "refused: signalling another process" {
	ends full signal EPERM
}

@test "refused: becoming root" {
	ends full become_root EPERM
}

@test "refused: mounting" {
	ends full mount EPERM
}

@test "refused: changing the root directory" {
	ends full change_root EPERM
}

@test "refused: making a namespace" {
	ends full new_namespace EPERM
}

@test "refused: io_uring" {
	ends full io_uring EPERM
}

@test "refused: bpf" {
	ends full bpf EPERM
}

@test "refused: keyrings" {
	ends full keyring EPERM
}

@test "refused: a file in memory" {
	ends full memory_file EPERM
}

@test "refused: mapping executable memory" {
	ends full map_code EPERM
}

@test "refused: making memory executable" {
	ends full make_code EPERM
}

@test "refused: raising a limit" {
	ends full raise_limit EPERM
}

@test "refused without seccomp too: opening a file to read" {
	ends bare read_file EACCES
}

@test "refused without seccomp too: opening a file of root's" {
	ends bare read_secret EACCES
}

@test "refused without seccomp too: opening the memory of another process" {
	ends bare read_memory EACCES
}

@test "refused without seccomp too: making a file" {
	ends bare write_file EACCES
}

@test "refused without seccomp too: making a directory" {
	ends bare make_directory EACCES
}

@test "refused without seccomp too: removing a file" {
	ends bare remove_file EACCES
}

@test "refused without seccomp too: executing a program" {
	ends bare execute EACCES
}

@test "refused without seccomp too: connecting a TCP socket" {
	ends bare connect_tcp EACCES
}

@test "refused without seccomp too: binding a UNIX socket" {
	ends bare bind_unix EACCES
}

@test "refused without seccomp too: connecting a UNIX socket" {
	ends bare connect_unix EACCES
}

@test "refused without seccomp too: a packet socket" {
	ends bare sniff EPERM
}

@test "refused without seccomp too: setting a mark" {
	ends bare set_mark EPERM
}

@test "refused without seccomp too: changing a route, over the engine's own netlink socket" {
	ends bare change_route EPERM
}

@test "refused without seccomp too: ptrace" {
	ends bare trace EPERM
}

@test "refused without seccomp too: reading another process" {
	ends bare read_process EPERM
}

@test "refused without seccomp too: signalling another process" {
	ends bare signal EPERM
}

@test "refused without seccomp too: becoming root" {
	ends bare become_root EPERM
}

@test "refused without seccomp too: mounting" {
	ends bare mount EPERM
}

@test "refused without seccomp too: changing the root directory" {
	ends bare change_root EPERM
}

@test "refused without seccomp too: making a namespace" {
	ends bare new_namespace EPERM
}

@test "refused without seccomp too: bpf" {
	ends bare bpf EPERM
}

@test "refused without seccomp too: raising a limit" {
	ends bare raise_limit EPERM
}

@test "no attempt is left out" {
	local known

	known=$(grep -oE '^	ends full [a-z_]+' "$BATS_TEST_FILENAME" | awk '{ print $3 }' | sort)
	equal "$(sed -nE 's/^attack [0-9]+ ([a-z_]+) .*/\1/p' full.log | sort -u)" "$known"
}

@test "the routes are as they were, and the engine still answers" {
	equal "$(cat full.changed bare.changed)" ""
	test -e full.answers
	test -e bare.answers
}
