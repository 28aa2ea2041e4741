#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Addresses and links that change under a TCP stream, which must come through whole.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
}

teardown() {
	finish
}

# move SIDE 4|6: the side's outer address gives way to another one.
move() {
	if [ "$2" = 4 ]; then
		ip_on "$1" addr del "$(outer "$1" 4)/24" dev lan
		ip_on "$1" addr add "$(moved "$1" 4)/24" dev lan
	else
		ip_on "$1" addr del "$(outer "$1" 6)/64" dev lan
		ip_on "$1" addr add "$(moved "$1" 6)/64" dev lan nodad
	fi
}

moved() { # SIDE 4|6
	if [ "$2" = 4 ]; then echo "192.0.2.$(($(number_of "$1") + 100))"; else echo "2001:db8::$(number_of "$1"):1"; fi
}

moved_endpoint() { # SIDE 4|6
	if [ "$2" = 4 ]; then echo "$(moved "$1" 4):51820"; else echo "[$(moved "$1" 6)]:51820"; fi
}

roam() { # ENGINE_A ENGINE_B 4|6
	tunnel "$1" "$2" "$3"
	stream_begin a b
	move a "$3"
	wait_for 30 endpoint_is b "$(moved_endpoint a "$3")"
	stream_moves a b
	move b "$3"
	if [ "$2 $3" = "wireguard-go 4" ]; then
		# On newer kernels it does not understand the error of an address that is gone, and goes on sending from there
		# until its next handshake fails. To be told of the endpoint again makes it forget the address.
		wg_set b peer "$(public a)" endpoint "$(moved_endpoint a 4)"
	fi
	wait_for 30 endpoint_is a "$(moved_endpoint b "$3")"
	stream_moves a b
	stream_end a b
}

@test "wgengine and then wireguard-go change their IPv4 addresses under a TCP stream" {
	roam "$WGENGINE" wireguard-go 4
	no_faults a
}

@test "wgengine and then wireguard-go change their IPv6 addresses under a TCP stream" {
	roam "$WGENGINE" wireguard-go 6
	no_faults a
}

@test "wgengine changes its IPv4 address, then its far end, also a wgengine" {
	roam "$WGENGINE" "$WGENGINE" 4
	no_faults a
	no_faults b
}

@test "wgengine changes its IPv6 address, then its far end, also a wgengine" {
	roam "$WGENGINE" "$WGENGINE" 6
	no_faults a
	no_faults b
}

@test "the endpoint is set from IPv4 to IPv6 and back under a TCP stream" {
	tunnel "$WGENGINE" wireguard-go 4
	stream_begin a b
	wait_for 10 retarget a b "[$(outer b 6)]:51820" "[$(outer a 6)]:51820"
	stream_moves a b
	wait_for 10 retarget a b "$(outer b 4):51820" "$(outer a 4):51820"
	stream_moves a b
	stream_end a b
}

# What still comes from the old endpoint moves it right back, so it may take more than one attempt.
retarget() { # SIDE OTHER WANTED RESULT
	endpoint_is "$1" "$3" || wg_set "$1" peer "$(public "$2")" endpoint "$3"
	endpoint_is "$1" "$3" && endpoint_is "$2" "$4"
}

@test "the outer link goes down and comes back under a TCP stream" {
	tunnel "$WGENGINE" wireguard-go 4
	stream_begin a b
	ip_on a link set lan down
	# Long enough for something to be lost: the stream has stopped when a count did not change for half a second.
	wait_for 5 stalled a b
	ip_on a link set lan up
	stream_moves a b
	stream_end a b
}

stalled() {
	local before
	before=$(cat "stream.$1$2.in")
	sleep 0.5
	[ "$(cat "stream.$1$2.in")" = "$before" ]
}

# A second link, and an address of b's that is reached over either. b takes no address on the other's link, as most networks do
# not: else what leaves with the old source by the new link, in the moment before the news of the route, makes a pair of both
# that works and stays.
join_twice() {
	on b sysctl -qw net.ipv4.conf.all.rp_filter=1
	ip_on a link add lan2 type veth peer name lan2 netns "$(ns b)"
	ip_on a addr add 198.51.100.1/24 dev lan2
	ip_on b addr add 198.51.100.2/24 dev lan2
	ip_on a link set lan2 up
	ip_on b link set lan2 up
	ip_on b addr add 203.0.113.2/32 dev lo
	ip_on a route add 203.0.113.2/32 via 192.0.2.2
	wg_set a peer "$(public b)" endpoint 203.0.113.2:51820
}

@test "the link to the peer is removed under a TCP stream, and the route is over another" {
	tunnel "$WGENGINE" wireguard-go 4
	join_twice
	stream_begin a b
	equal "$(show b endpoints)" "$(outer a 4):51820"
	ip_on a link del lan
	ip_on a route replace 203.0.113.2/32 via 198.51.100.2
	wait_for 30 endpoint_is b 198.51.100.1:51820
	stream_moves a b
	stream_end a b
	equal "$(show a endpoints)" 203.0.113.2:51820
}

@test "the route to the peer moves to another link under a TCP stream, with the old link still there" {
	tunnel "$WGENGINE" wireguard-go 4
	join_twice
	stream_begin a b
	equal "$(show b endpoints)" "$(outer a 4):51820"
	# The peer goes on sending to the old address, which must not make us keep to the old link. More than once, as luck
	# can do it too.
	for _ in 1 2 3; do
		ip_on a route replace 203.0.113.2/32 via 198.51.100.2
		wait_for 30 endpoint_is b 198.51.100.1:51820
		ip_on a route replace 203.0.113.2/32 via 192.0.2.2
		wait_for 30 endpoint_is b "$(outer a 4):51820"
	done
	stream_moves a b
	stream_end a b
	equal "$(show a endpoints)" 203.0.113.2:51820
}

@test "a rule moves the peer to another link under a TCP stream, and its end moves it back" {
	tunnel "$WGENGINE" wireguard-go 4
	join_twice
	ip_on a route add 203.0.113.2/32 via 198.51.100.2 table 77
	stream_begin a b
	equal "$(show b endpoints)" "$(outer a 4):51820"
	for _ in 1 2 3; do
		ip_on a rule add to 203.0.113.2 table 77
		wait_for 30 endpoint_is b 198.51.100.1:51820
		ip_on a rule del to 203.0.113.2 table 77
		wait_for 30 endpoint_is b "$(outer a 4):51820"
	done
	stream_moves a b
	stream_end a b
}

@test "an engine with several addresses answers from the one that was asked" {
	local engine

	for engine in "$WGENGINE" wireguard-go; do
		finish
		tunnel "$engine" "$WGENGINE" 4
		ip_on b addr add 192.0.2.22/24 dev lan
		ip_on b addr add 2001:db8::22/64 dev lan nodad
		# The handshake and data: an answer from elsewhere would move the endpoint.
		wg_set a peer "$(public b)" endpoint 192.0.2.22:51820
		ping_to a b 4 -c 3 -i 0.01
		equal "$(show a endpoints)" 192.0.2.22:51820
		ping_to b a 4 -c 3 -i 0.01
		equal "$(show a endpoints)" 192.0.2.22:51820
		wg_set a peer "$(public b)" endpoint "[2001:db8::22]:51820"
		ping_to a b 4 -c 3 -i 0.01
		equal "$(show a endpoints)" "[2001:db8::22]:51820"
		# The address goes away: from now on the other one.
		wg_set a peer "$(public b)" endpoint 192.0.2.22:51820
		ping_to a b 4
		ip_on b addr del 192.0.2.22/24 dev lan
		ping_to b a 4 -c 3 -i 0.01
		equal "$(show a endpoints)" "$(outer b 4):51820"
	done
}

@test "an engine with several addresses keeps to the one that was asked when others change" {
	tunnel wireguard-go "$WGENGINE" 4
	ip_on b addr add 192.0.2.22/24 dev lan
	wg_set a peer "$(public b)" endpoint 192.0.2.22:51820
	ping_to a b 4
	equal "$(show a endpoints)" 192.0.2.22:51820
	# Nothing to do with us. Whatever b sends next must not come from elsewhere.
	ip_on b addr add 203.0.113.2/32 dev lo
	ip_on b route add 198.51.100.0/24 via 192.0.2.9
	ping_to b a 4
	equal "$(show a endpoints)" 192.0.2.22:51820
}

@test "datagrams that are forged, replayed or old do not move the endpoint" {
	local sniffer

	tunnel "$WGENGINE" "$WGENGINE" 4
	ip_on a addr add 192.0.2.66/24 dev lan
	on a "$python" "$here/forge.py" lan 192.0.2.66 "$(outer b 4)" 51820 ready </dev/null >forge.log 2>&1 3>&- &
	sniffer=$!
	wait_for 5 test -e ready
	ping_to a b 4
	wait $sniffer || fail "$(cat forge.log)"
	# All of it has been taken in when each kind was counted in full.
	wait_for 5 dropped_all b replayed 3
	wait_for 5 dropped_all b old_initiation 3
	wait_for 5 dropped_all b forged 20
	wait_for 5 dropped_all b bad_mac1 80
	wait_for 5 dropped_all b unknown_index 80
	wait_for 5 dropped_all b malformed 140
	equal "$(show b endpoints)" "$(outer a 4):51820"
	ping_to b a 4
	ping_to a b 4
	equal "$(show b endpoints)" "$(outer a 4):51820"
}

dropped_all() { # SIDE REASON COUNT
	[ "$(drops "$1" "$2")" = "$3" ]
}
