#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What can go wrong around an engine, with traffic on it: afterwards the traffic resumes by itself and whole, and nothing
# has leaked or spun. (Restarts as the only fault: restart.bats; links and addresses that change: link.bats, roaming.bats.)

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers
load ../faults/faults

setup() {
	begin
	rate=200000
}

teardown() {
	local pid

	# Else they could not end.
	for pid in $(engine_pids a) $(engine_pids b); do
		kill -CONT "$pid"
	done
	finish
}

# The processor time of a side's engine so far, in ms.
cpu() {
	awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000 / tick) }' "/proc/$(engine_pids "$1")/stat"
}

descriptors() { find "/proc/$(engine_pids "$1")/fd" -mindepth 1 | wc -l; }
resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$(engine_pids "$1")/status"; } # KiB

# idle_for SIDE SECONDS: of this time it needs less than a tenth of a processor.
idle_for() {
	local before
	before=$(cpu "$1")
	sleep "$2"
	(($(cpu "$1") - before < $2 * 100)) || fail "side $1 took $(($(cpu "$1") - before)) ms in $2 s"
}

stalled() {
	local before
	before=$(cat "stream.$1$2.in")
	sleep 0.5
	[ "$(cat "stream.$1$2.in")" = "$before" ]
}

# write_conf SIDE OTHER: the side's tunnel as a file for wgctl.
write_conf() {
	cat >"$(iface "$1").conf" <<-END
		[Interface]
		PrivateKey = $(cat "$1.key")
		ListenPort = 51820
		Address = $(inner "$1" 4)/24, $(inner "$1" 6)/64

		[Peer]
		PublicKey = $(public "$2")
		Endpoint = $(outer "$2" 4):51820
		AllowedIPs = $(inner "$2" 4)/32, $(inner "$2" 6)/128
	END
}

kill_engine() {
	kill -KILL "$(engine_pids "$1")"
	wait_for 5 no_engine "$1"
}

@test "an engine is killed under a TCP stream, and wgctl up brings it back, on either side" {
	local side

	tunnel
	write_conf a b
	write_conf b a
	stream_begin a b
	for side in a b; do
		kill_engine "$side"
		on "$side" env WGCTL_ENGINE="$WGENGINE" "$WGCTL" up "./$(iface "$side").conf" 3>&-
		stream_moves a b
	done
	stream_end a b
	no_faults a
	no_faults b
}

@test "an engine is stopped for a while under a TCP stream, on either side" {
	local side

	tunnel "$WGENGINE" wireguard-go
	stream_begin a b
	for side in a b; do
		kill -STOP "$(engine_pids "$side")"
		wait_for 10 stalled a b
		# Longer than the far end waits before it takes the session for dead.
		sleep 16
		kill -CONT "$(engine_pids "$side")"
		stream_moves a b
	done
	stream_end a b
	no_faults a
}

@test "the outer address is removed under a TCP stream, and given back" {
	local side

	tunnel "$WGENGINE" wireguard-go
	stream_begin a b
	for side in a b; do
		ip_on "$side" addr del "$(outer "$side" 4)/24" dev lan
		wait_for 10 stalled a b
		ip_on "$side" addr add "$(outer "$side" 4)/24" dev lan
		stream_moves a b
	done
	stream_end a b
}

@test "the outer link goes down for a while under a TCP stream, and nothing spins" {
	tunnel
	stream_begin a b
	ip_on b link set lan down
	wait_for 10 stalled a b
	idle_for a 3
	ip_on b link set lan up
	stream_moves a b
	stream_end a b
}

@test "no buffers for sending: drops are counted, and a TCP stream comes through whole" {
	local failed

	faults_wrap faulty faults "$WGENGINE"
	tunnel "$PWD/faulty" wireguard-go
	stream_begin a b
	faults_set faults send 7
	stream_moves a b
	# None at all: it neither spins nor forgets.
	faults_set faults send 1
	wait_for 10 stalled a b
	idle_for a 3
	faults_set faults send 0
	stream_moves a b
	stream_end a b
	failed=$(faults_get faults sends_failed)
	((failed > 10))
	# A call may have sent more than one datagram.
	(($(drops a send_failed) >= failed)) || fail "$(drops a send_failed) drops of $failed"
	no_faults a
}

# tunnel_limited: as tunnel, but the engine of a can open just a few descriptors more than it has.
tunnel_limited() {
	tunnel "$WGENGINE" wireguard-go
	printf '%s\n' '#!/bin/sh' "ulimit -n $(($(descriptors a) + 12))" "exec '$WGENGINE' \"\$@\"" >limited
	chmod +x limited
	halt a
	start a "$PWD/limited"
	configure a
	befriend a b 4
	ping_to a b 4
}

# flood SIDE: a hundred connections to its UAPI socket, held until file `enough` is there; then each asks.
flood() {
	"$python" - "$sockets/$(iface "$1").sock" <<-'END' >flood.log 2>&1 3>&- &
		import os, socket, sys, time
		clients = [socket.socket(socket.AF_UNIX) for _ in range(100)]
		for client in clients:
		    client.setblocking(False)
		    try:
		        client.connect(sys.argv[1])
		    except BlockingIOError:
		        pass
		open("flooded", "w").close()
		while not os.path.exists("enough"):
		    time.sleep(0.05)
	END
	flooding=$!
	wait_for 10 test -e flooded
}

@test "no descriptors for clients: the engine does not spin, traffic goes on, and clients are served afterwards" {
	local before flooding

	tunnel_limited
	before=$(descriptors a)
	stream_begin a b
	flood a
	stream_moves a b
	stream_end a b
	idle_for a 3
	ping_to a b 4
	# Others wait at the door, as there is no room.
	(($(descriptors a) > before && $(descriptors a) <= before + 12))
	: >enough
	wait $flooding
	wait_for 5 served a
	wait_for 5 descriptors_are a "$before"
}

served() { uapi "$1" $'get=1\n' | grep -q '^errno=0'; }
descriptors_are() { [ "$(descriptors "$1")" = "$2" ]; }

@test "no descriptors for sockets: as soon as there are, an interface that is up works" {
	local flooding

	tunnel_limited
	ip_on a link set "$(iface a)" down
	wait_for 5 port_closed a
	flood a
	ip_on a link set "$(iface a)" up
	refute ping_to a b 4 -W 0.5
	idle_for a 2
	port_closed a
	: >enough
	wait $flooding
	wait_for 5 port_open a
	ping_to a b 4
	ping_to b a 4
}

@test "another program has the port: as soon as it is free, an interface that is up works" {
	local squatter

	tunnel "$WGENGINE" wireguard-go
	ip_on a link set "$(iface a)" down
	wait_for 5 port_closed a
	on a "$python" -c 'import os, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 51820))
open("bound", "w").close()
while not os.path.exists("free"):
    time.sleep(0.02)' </dev/null >squatter.log 2>&1 3>&- &
	squatter=$!
	wait_for 5 test -e bound
	ip_on a link set "$(iface a)" up
	refute ping_to a b 4 -W 0.5
	: >free
	wait "$squatter"
	wait_for 5 port_open a
	ping_to a b 4
}

@test "a peer that never answers costs little, and works as soon as it does" {
	local before

	tunnel "$WGENGINE" wireguard-go
	ip_on b link set lan down
	before=$(resident a)
	on a "$python" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(2000):
    s.sendto(bytes(1000), ("10.7.0.2", 4000))'
	# Some may have been lost before it, in the queue of the interface.
	wait_for 5 dropped_more a staged_full 100
	# An attempt each five seconds, 148 bytes each.
	idle_for a 12
	(($(sent a) <= 4 * 148)) || fail "$(sent a) bytes sent"
	# 128 packets wait, no more. (A sanitizer keeps what was freed.)
	sanitized || (($(resident a) - before < 1024)) || fail "$before KiB, then $(resident a)"
	ip_on b link set lan up
	wait_for 8 ping_to a b 4
	# What waited was sent, too.
	equal "$(drops a given_up)" 0
}

# cycle: a session more, the link down and up, peers that come and go, a get and a connection that just closes.
cycle() {
	local other
	other=$(printf '%064x' "$1")
	ip_on a link set "$(iface a)" down
	ip_on a link set "$(iface a)" up
	uapi a $'set=1\npublic_key='"$other"$'\nendpoint=192.0.2.9:9\nallowed_ip=10.8.0.0/24\n
set=1\npublic_key='"$other"$'\nremove=true\n\nget=1\n\n' >answers
	equal "$(grep -c '^errno=0' answers)" 3
	"$python" -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.send(b"set=1\npublic_key=")' "$sockets/$(iface a).sock"
	ping_to a b 4 -W 3
}

@test "nothing leaks over links down and up, sets, connections and handshakes" {
	local i before memory

	tunnel
	for i in {1..30}; do
		cycle "$i"
	done
	before=$(descriptors a) memory=$(resident a)
	for i in {31..150}; do
		cycle "$i"
	done
	wait_for 5 descriptors_are a "$before"
	no_faults a
	# A sanitizer keeps what was freed, and finds leaks by itself.
	! sanitized || return 0
	echo "$before descriptors; $memory KiB, 120 rounds later $(resident a)" >&2
	# A page here or there; what leaks would do so 120 times.
	(($(resident a) - memory < 200))
}
