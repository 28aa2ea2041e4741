#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The interface up and down, its MTU, cryptokey routing, keepalives, what is counted and what is dropped.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
}

teardown() {
	finish
}

@test "ten echoes are counted to the byte" {
	local far

	for far in "$WGENGINE" wireguard-go; do
		finish
		tunnel "$WGENGINE" "$far"
		ping_to a b 4 -c 10 -i 0.01
		# An initiation of 148 bytes, ten datagrams of 128, and perhaps a keepalive of 32; a response of 92.
		contains "$(sent a)" '^14(28|60)$'
		equal "$(received a)" 1372
		finish
		tunnel "$far" "$WGENGINE"
		ping_to a b 4 -c 10 -i 0.01
		contains "$(received b)" '^14(28|60)$'
		equal "$(sent b)" 1372
	done
}

# costs SIDE OTHER SIZE BYTES: what an echo of that many bytes adds to what was sent.
costs() {
	local before
	before=$(sent "$1")
	ping_to "$1" "$2" 4 -M "do" -s "$3"
	[ $(($(sent "$1") - before)) = "$4" ]
}

@test "padding is to 16 bytes, but never past the MTU, which is followed" {
	tunnel
	ping_to a b 4
	# 28 bytes of headers inside, 32 of the tunnel.
	costs a b 56 128
	costs a b 68 128
	costs a b 69 144
	costs a b 1391 1452
	costs a b 1392 1452
	refute costs a b 1393 1453
	ip_on a link set "$(iface a)" mtu 1413
	wait_for 5 costs a b 1385 1445
	costs a b 1384 1445
	costs a b 1380 1440
	refute costs a b 1386 1446
	ip_on a link set "$(iface a)" mtu 1280
	wait_for 5 costs a b 1251 1312
	refute costs a b 1253 1313
	# More than the outer link takes in one piece.
	ip_on a link set "$(iface a)" mtu 9001
	ip_on b link set "$(iface b)" mtu 9001
	wait_for 5 costs a b 8973 9033
	wait_for 5 costs b a 8973 9033
	# In the answer to a packet of the full size, too, nothing is added.
	no_faults a
	no_faults b
}

@test "link down closes the port and forgets the session, link up makes a new one" {
	local before

	tunnel "$WGENGINE" wireguard-go
	ping_to a b 4
	before=$(show a latest-handshakes)
	port_open a
	ip_on a link set "$(iface a)" down
	wait_for 5 port_closed a
	equal "$(show a latest-handshakes)" "$before"
	equal "$(show a endpoints)" "$(outer b 4):51820"
	refute ping_to b a 4
	wait_for 5 clock_after "$before"
	ip_on a link set "$(iface a)" up
	wait_for 5 port_open a
	equal "$(show a listen-port)" 51820
	# Only what is sent makes a session.
	equal "$(show a latest-handshakes)" "$before"
	ping_to a b 4
	ping_to b a 4
	handshake_after a "$before"
}

@test "a TCP stream goes on after link down and up of either side" {
	tunnel
	befriend b a 4
	stream_begin a b
	ip_on a link set "$(iface a)" down
	address_again a
	stream_moves a b
	ip_on b link set "$(iface b)" down
	address_again b
	stream_moves a b
	stream_end a b
}

address_again() {
	ip_on "$1" link set "$(iface "$1")" up
	wait_for 5 port_open "$1"
}

@test "with a persistent keepalive, link up sends at once" {
	tunnel
	wait_for 5 port_open a
	# As long as there is none, nothing is sent that nobody wanted to send.
	equal "$(sent a)" 0
	ip_on a link set "$(iface a)" down
	wait_for 5 port_closed a
	wg_set a peer "$(public b)" persistent-keepalive 3600
	equal "$(sent a)" 0
	ip_on a link set "$(iface a)" up
	wait_for 3 handshaken a
	wait_for 3 handshaken b
}

@test "a persistent keepalive that is switched on sends at once, and then every interval" {
	local began

	tunnel
	wait_for 5 port_open b
	equal "$(sent a)" 0
	wg_set a peer "$(public b)" persistent-keepalive 3600
	wait_for 3 handshaken b
	began=${EPOCHREALTIME/[.,]/}
	wg_set a peer "$(public b)" persistent-keepalive 1
	# The first came with the handshake. Of the three after it, 32 bytes each, the last takes three seconds.
	wait_for 6 received_more b $((148 + 32 + 2 * 32))
	((${EPOCHREALTIME/[.,]/} - began > 1900000))
	equal "$(received b)" $((148 + 32 + 3 * 32))
	# Of keepalives nothing reaches the system, and no keepalive is answered.
	equal "$(ip_on b -s -j link show dev "$(iface b)" | "$python" -c 'import json, sys
print(json.load(sys.stdin)[0]["stats64"]["rx"]["packets"])')" 0
	equal "$(sent b)" 92
	wg_set a peer "$(public b)" persistent-keepalive 0
	equal "$(show a persistent-keepalive)" off
}

@test "data that is not answered is answered with a keepalive, after ten seconds" {
	local began sent_a sent_b

	tunnel
	ping_to a b 4
	# Nobody there to answer.
	ip_on b addr del "$(inner b 4)/24" dev "$(iface b)"
	refute ping_to a b 4 -W 0.1
	began=${EPOCHREALTIME/[.,]/}
	sent_a=$(sent a)
	sent_b=$(sent b)
	wait_for 12 sent_more b "$sent_b"
	((${EPOCHREALTIME/[.,]/} - began > 9500000)) || fail "too early"
	equal "$(sent b)" $((sent_b + 32))
	wait_for 1 received_all a b
	equal "$(sent a)" "$sent_a"
}

received_all() { [ "$(received "$1")" = "$(sent "$2")" ]; }

@test "what is for nobody is dropped and counted" {
	local before

	tunnel
	ping_to a b 4
	before=$(drops a no_peer)
	refute on a ping -q -c 1 -W 0.2 10.7.0.77
	wait_for 5 dropped_more a no_peer "$before"
	equal "$(drops a no_endpoint)" 0
	ping_to a b 4
}

@test "what is for a peer without an endpoint is dropped and counted" {
	tunnel
	refute ping_to b a 4 -W 0.2
	wait_for 5 dropped_more b no_endpoint 0
	equal "$(sent b)" 0
	ping_to a b 4
	ping_to b a 4
}

@test "a source that is not the peer's is dropped and counted, and does not hurt the session" {
	tunnel
	ip_on a addr add 10.7.0.55/32 dev "$(iface a)"
	ip_on a addr add fd07::55/128 dev "$(iface a)" nodad
	ping_to a b 4
	equal "$(drops b inner_source)" 0
	refute ping_to a b 4 -W 0.2 -I 10.7.0.55
	wait_for 5 dropped_more b inner_source 0
	refute ping_to a b 6 -W 0.2 -I fd07::55
	wait_for 5 dropped_more b inner_source 1
	wg_set b peer "$(public a)" allowed-ips 10.7.0.1/32,fd07::1/128,10.7.0.55/32
	ping_to a b 4 -I 10.7.0.55
	ping_to a b 4
}

@test "of nested prefixes the longest decides" {
	tunnel
	# Side c on a link of its own.
	make_sides c
	make_keys c
	ip_on a link add lan2 type veth peer name lan netns "$(ns c)"
	ip_on a addr add 198.51.100.1/24 dev lan2
	ip_on c addr add 198.51.100.3/24 dev lan
	ip_on a link set lan2 up
	ip_on c link set lan up
	start c
	configure c
	befriend c a
	ip_on b addr add 10.7.0.3/32 dev "$(iface b)"
	ip_on b addr add fd07::3/128 dev "$(iface b)" nodad
	wg_set a peer "$(public b)" allowed-ips 10.7.0.0/24,fd07::/64 \
		peer "$(public c)" allowed-ips 10.7.0.3/32,fd07::3/128 endpoint 198.51.100.3:51820
	ping_to a b 4
	ping_to a c 4
	ping_to a c 6
	# Both have that address, and this is who answered.
	received_more c 0
	wg_set a peer "$(public c)" remove
	equal "$(on c wg show "$(iface c)" latest-handshakes | grep -c .)" 1
	ip_on c link set lan down
	ping_to a c 4
	ping_to a c 6
	# And the other way: the inner source of the longer prefix is not b's.
	wg_set a peer "$(public c)" allowed-ips 10.7.0.3/32
	refute on b ping -q -c 1 -W 0.2 -I 10.7.0.3 10.7.0.1
	wait_for 5 dropped_more a inner_source 0
}

@test "what waits for a handshake is sent, the newest 128 packets of it and in order" {
	local receiver

	tunnel
	ip_on b link set "$(iface b)" down
	wait_for 5 port_closed b
	on b "$python" -u -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 4000))
s.settimeout(30)
open("bound", "w").close()
for i in range(128):
    print(s.recv(64).decode())' </dev/null >got 2>receiver.log 3>&- &
	receiver=$!
	wait_for 5 test -e bound
	on a "$python" -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(150):
    s.sendto(b"%d" % i, ("10.7.0.2", 4000))'
	wait_for 5 dropped_more a staged_full 21
	equal "$(drops a staged_full)" 22
	ip_on b link set "$(iface b)" up
	# The next attempt at a handshake comes within 5.3 seconds of the first.
	wait $receiver
	equal "$(cat got)" "$(seq 22 149)"
}

@test "an idle engine with one peer takes less than 8 MiB" {
	local pid resident limit=8192

	# A sanitizer's own memory comes on top.
	if sanitized; then
		limit=65536
	fi
	tunnel
	ping_to a b 4
	pid=$(engine_pids a)
	resident=$(awk '$1 == "VmRSS:" { print $2 }' "/proc/$pid/status")
	((resident > 0 && resident < limit)) || fail "$resident KiB"
}
