#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the engine gives up, what works all the same, and what it does where a piece is missing.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
}

teardown() {
	finish
}

network=$((1 << 12 | 1 << 10)) # CAP_NET_ADMIN and CAP_NET_BIND_SERVICE

status() { awk -v "key=$2:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$1/status"; } # PID KEY
opener_pid() { pgrep -P "$(engine_pids "$1")"; }
said() { sed -n 's/^wgengine: [^ ]*: sandbox: //p' "$1.log" | sed 's/no capabilities but CAP_IPC_LOCK/no capabilities/'; }
# The capabilities of a task in a set (CapEff ...), as a number: without the one that it keeps, and says so, where it may lock its memory by that alone.
capabilities() {
	local kept=0

	! grep -q 'no capabilities but CAP_IPC_LOCK' a.log || kept=$((1 << 14))
	echo $((0x$(status "$1" "$2") & ~kept))
}

# by SIDE COMMAND...: starts the side's engine by way of COMMAND.
by() {
	local side=$1
	shift
	on "$side" "$@" "$WGENGINE" "$(iface "$side")" </dev/null >>"$side.log" 2>&1 3>&-
}

# Whatever is off: packets pass, and port and mark can be changed.
works() {
	start b
	configure a
	configure b
	befriend a b 4
	befriend b a
	ping_to a b 4
	wg_set a listen-port 53 fwmark 77
	equal "$(on a ss -Hlune 'sport = :53' | grep -c 'fwmark:0x4d')" "$(on a ss -Hlun | wc -l)"
	wg_set a listen-port 51820 fwmark 0
	ping_to a b 4
	halt a
	wait_for 5 no_socket a
}

sides() {
	make_sides a b
	join a b
	make_keys a b
}

@test "it says what is on" {
	make_sides a
	start a
	if sanitized; then
		equal "$(said a)" "no capabilities, no new privileges; off: another user, Landlock and seccomp (built with a sanitizer)"
		return
	fi
	contains "$(said a)" '^user (wgengine|nobody), no capabilities, no new privileges, Landlock [0-9]+, seccomp$'
	halt a
	: >a.log
	LOG_LEVEL=error start a
	equal "$(cat a.log)" ""
}

@test "all its threads are without rights" {
	local pid thread

	make_sides a
	start a
	pid=$(engine_pids a)
	for thread in "/proc/$pid/task"/*; do
		thread=$pid/task/${thread##*/}
		# A sanitizer has threads of its own from the start.
		! sanitized || [ "${thread##*/}" = "$pid" ] || continue
		equal "$(capabilities "$thread" CapEff) $(capabilities "$thread" CapPrm)" "0 0"
		equal "$(status "$thread" NoNewPrivs)" 1
		if ! sanitized; then
			equal "$(status "$thread" Seccomp)" 2
			refute contains "$(status "$thread" Uid)" '(^| )0( |$)'
			refute contains "$(status "$thread" Gid)" '(^| )0( |$)'
			equal "$(status "$thread" Groups)" ""
		fi
	done
}

@test "what the caller left open is closed" {
	local pid

	make_sides a
	exec 7</etc/shadow 9<"$PWD"
	start a
	exec 7<&- 9<&-
	for pid in $(engine_pids a) $(opener_pid a); do
		refute contains "$(readlink "/proc/$pid/fd"/*)" "^(/etc/shadow|$PWD)$"
	done
}

@test "others of its user cannot look into it" {
	local pid file

	make_sides a
	start a
	pid=$(engine_pids a)
	# A sanitizer's leak check has to.
	! sanitized || return 0
	for file in mem maps environ fd/0; do
		run -1 setpriv --reuid "$(status "$pid" Uid | cut -d ' ' -f 1)" --regid 65534 --clear-groups head -c 1 "/proc/$pid/$file"
		contains "$output" 'Permission denied'
	done
}

@test "the opener has two capabilities and nothing open, and ends with the engine in every way" {
	local way opener

	make_sides a
	for way in TERM KILL; do
		start a
		opener=$(opener_pid a)
		equal $((0x$(status "$opener" CapPrm))) "$network"
		equal "$(status "$opener" NoNewPrivs)" 1
		sanitized || equal "$(status "$opener" Seccomp)" 2
		equal "$(readlink "/proc/$opener/fd"/* | sed 's/socket:.*/socket/')" $'/dev/null\n/dev/null\n/dev/null\nsocket'
		kill -TERM "$opener" # which is the engine's business
		uapi a $'get=1\n' | grep -q '^errno=0$'
		kill -s "$way" "$(engine_pids a)"
		wait_for 5 no_engines "$opener"
		wait_for 5 no_iface a
	done
}

@test "ports, also below 1024, and marks can be changed later" {
	sides
	start a
	works
}

@test "the interface that an endpoint names is still found" {
	make_sides a
	start a
	contains "$(uapi a "$(printf 'set=1\npublic_key=%064x\nendpoint=[fe80::1%%lo]:4000\n' 7)"$'\n')" '^errno=0$'
	contains "$(uapi a $'get=1\n')" '^endpoint=\[fe80::1%lo\]:4000$'
	contains "$(uapi a "$(printf 'set=1\npublic_key=%064x\nendpoint=[fe80::1%%nowhere]:4000\n' 7)"$'\n')" '^errno=-22$'
}

@test "a port that is in use is still noticed, and the present one stays" {
	local holder

	make_sides a
	make_keys a
	start a
	configure a 1234
	on a "$python" -c 'import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 53))
time.sleep(60)' 3>&- &
	holder=$!
	wait_for 5 port_open a 53
	contains "$(uapi a $'set=1\nlisten_port=53\n')" '^errno=-98$'
	kill "$holder"
	equal "$(show a listen-port)" 1234
	port_open a 1234
}

@test "without the opener packets pass, and what needs it fails" {
	sides
	start a
	start b
	configure a
	configure b
	befriend a b 4
	befriend b a
	kill -KILL "$(opener_pid a)"
	ping_to a b 4
	contains "$(uapi a $'set=1\nlisten_port=53\n')" '^errno=-32$'
	contains "$(uapi a $'set=1\nfwmark=1\n')" '^errno=-32$'
	equal "$(show a listen-port) $(show a fwmark)" "51820 off"
	ping_to a b 4
	halt a
}

@test "its own account is preferred to nobody's" {
	make_sides a
	! sanitized || return 0
	cp /etc/passwd passwd
	grep -v '^wgengine:' /etc/passwd >passwd || true
	echo 'wgengine:x:4711:4712::/nonexistent:/usr/sbin/nologin' >>passwd
	by a unshare -m sh -c 'mount --bind passwd /etc/passwd && exec "$@"' sh
	contains "$(said a)" '^user wgengine, '
	equal "$(status "$(engine_pids a)" Uid | cut -d ' ' -f 1)" 4711
	equal "$(status "$(engine_pids a)" Gid | cut -d ' ' -f 1)" 4712
}

@test "without any account it is the kernel's nobody" {
	make_sides a
	! sanitized || return 0
	by a unshare -m sh -c 'mount -t tmpfs none /etc && exec "$@"' sh
	contains "$(said a)" '^user nobody, '
	equal "$(status "$(engine_pids a)" Uid | cut -d ' ' -f 1)" 65534
}

@test "started as a user with the capability to make interfaces, it stays that user" {
	local copy

	make_sides a
	copy=$(mktemp -d)
	cp "$WGENGINE" "$copy/wgengine"
	chmod -R a+rx "$copy"
	WGENGINE=$copy/wgengine by a unshare -m sh -c 'mount -t tmpfs -o uid=4711,mode=755 none /run/wireguard && exec "$@"' sh \
		setpriv --reuid 4711 --regid 4711 --clear-groups --inh-caps +net_admin,+net_bind_service \
		--ambient-caps +net_admin,+net_bind_service
	rm -r "$copy"
	sanitized || contains "$(said a)" '^user 4711, no capabilities, .*, seccomp$'
	equal "$(capabilities "$(engine_pids a)" CapPrm)" 0
	equal $((0x$(status "$(opener_pid a)" CapPrm))) "$network"
}

# says TEXT: in a build with a sanitizer some pieces are off anyway.
says() {
	sanitized || equal "$(said a | sed 's/Landlock [0-9][0-9]*/Landlock/')" "$1"
}

@test "without the right to change the user" {
	sides
	by a setpriv --bounding-set -setuid,-setgid
	says "no capabilities, no new privileges, Landlock, seccomp; off: user nobody (no CAP_SETUID and CAP_SETGID)"
	works
}

@test "in a user namespace that has only root" {
	local owner

	# The namespace of the network has to belong to it.
	unshare -Urn sleep 60 </dev/null >/dev/null 2>&1 3>&- &
	owner=$!
	wait_for 5 grep -q '^ *0 ' "/proc/$owner/uid_map"
	ip netns attach "$(ns a)" $owner
	ip_on a link set lo up
	make_sides b
	join a b
	make_keys a b
	by a nsenter --user --preserve-credentials --target $owner
	says "no capabilities, no new privileges, Landlock, seccomp; off: user nobody (not mapped in this user namespace)"
	works
	kill $owner
}

@test "on a kernel without Landlock, or where it is switched off" {
	sides
	by a "$here/without.py" landlock_create_ruleset=EOPNOTSUPP
	says "user nobody, no capabilities, no new privileges, seccomp; off: Landlock (switched off in this kernel)"
	halt a
	: >a.log
	by a "$here/without.py" landlock_create_ruleset=ENOSYS
	says "user nobody, no capabilities, no new privileges, seccomp; off: Landlock (not in this kernel)"
	works
}

@test "where seccomp is refused" {
	sides
	by a "$here/without.py" seccomp=EPERM
	says "user nobody, no capabilities, no new privileges, Landlock; off: seccomp (Operation not supported)"
	works
}

@test "where all of it is refused" {
	sides
	by a "$here/without.py" setresuid=EPERM capset=EPERM landlock_create_ruleset=ENOSYS seccomp=EPERM
	says "no new privileges; off: user nobody (no CAP_SETUID and CAP_SETGID), giving up capabilities (Operation not permitted), Landlock (not in this kernel), seccomp (Operation not supported)"
	works
}
