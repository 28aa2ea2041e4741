#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# wgengine and the kernel's own WireGuard at the two ends of a tunnel. Side a is the engine, in a network namespace of the
# host; side b is the guest; between them is the guest's virtual Ethernet.

# shellcheck disable=SC2030,SC2031,SC2034,SC2154 # variables that the helpers share

bats_require_minimum_version 1.5.0
load ../netns/helpers
load helpers

needs_root=yes
ns() { echo "$machine_ns"; }

setup_file() {
	[ -z "$(missing)" ] || return 0
	export machine_ns=wgk$$
	ip netns add "$machine_ns"
	ip_on a link set lo up
	ip_on a tuntap add mode tap name lan
	ip_on a link set lan up
	boot -netdev tap,id=lan,ifname=lan,script=no,downscript=no -device virtio-net-pci,netdev=lan,romfile=
}

teardown_file() {
	stop_machine
	[ -z "${machine_ns:-}" ] || ip netns del "$machine_ns"
}

setup() {
	need_machine
	begin
	ip_on a addr add "$(outer a 4)/24" dev lan
	ip_on a addr add "$(outer a 6)/64" dev lan nodad
	guest <<-END
		ip link set eth0 up
		ip addr add $(outer b 4)/24 dev eth0
		ip -6 addr add $(outer b 6)/64 dev eth0
		ip link add wg0 type wireguard
	END
	make_keys a b
	wg genpsk >psk.key
}

teardown() {
	[ -z "$(missing)" ] || return 0
	halt a
	ip_on a addr flush dev lan scope global
	guest 'ip link del wg0; ip addr flush dev eth0'
	rm -f "$sockets/$(iface a).sock"
}

# connect A_KNOWS_B B_KNOWS_A [psk]: each is yes, over IPv4 or IPv6 (4, 6), or no (-).
connect() {
	local psk=${3:+psk.key}
	start a
	configure a
	befriend a b "$1"
	guest_befriend "$2" "${3:-}"
	guest <<-END
		ip addr add $(inner b 4)/24 dev wg0
		ip -6 addr add $(inner b 6)/64 dev wg0
		ip link set wg0 up
	END
}

# guest_befriend 4|6|- [psk]: the guest's key and its one peer, with an endpoint if a family is named.
guest_befriend() {
	{
		echo 'device_set wg0 <<-END'
		echo "private_key=$(hex_of b.key)"
		echo listen_port=51820
		echo replace_peers=true
		echo "public_key=$(hex_of a.pub)"
		[ -z "${2:-}" ] || echo "preshared_key=$(hex_of psk.key)"
		case $1 in
		4) echo "endpoint=$(outer a 4):51820" ;;
		6) echo "endpoint=[$(outer a 6)]:51820" ;;
		esac
		echo "allowed_ip=$(inner a 4)/32"
		echo "allowed_ip=$(inner a 6)/128"
		echo END
	} | guest
}

hex_of() { base64 -d "$1" | xxd -p -c 32; }

guest_pings() { guest "ping -q -c ${2:-1} -W 2 $(inner a "$1")"; } # 4|6 [COUNT]

guest_shows() { guest "wgctl show wg0 $1" | cut -f 2-; }

guest_handshake_after() { [ "$(guest_shows latest-handshakes)" -gt "$1" ]; }

guest_endpoint_is() { [ "$(guest_shows endpoints)" = "$1" ]; }

# talk 4|6: both ways, small and large, over both families; a stream over the one that is named.
talk() {
	local family size
	for family in 4 6; do
		for size in 0 1371 1372 1373 1392 4000; do
			ping_to a b $family -W 5 -s $size
		done
	done
	guest "for address in $(inner a 4) $(inner a 6); do ping -q -c 3 -W 5 \$address; done"
	transfer "$1"
	no_faults a
}

# A mebibyte to the guest, and the same back.
transfer() {
	local address
	address=$(inner b "$1")
	head -c 1048576 /dev/urandom >data
	guest <<-'END'
		(nc -l -p 4000 </dev/null >/tmp/data; nc -l -p 4001 </tmp/data) >/dev/null 2>&1 &
		until netstat -ltn | grep -q :4000; do usleep 10000; done
	END
	on a nc -N -w 20 "$address" 4000 <data
	equal "$(guest 'until netstat -ltn | grep -q :4001; do usleep 10000; done; sha256sum /tmp/data')" \
		"$(sha256sum <data | sed 's|-|/tmp/data|')"
	on a nc -w 20 "$address" 4001 </dev/null >back
	cmp data back
}

@test "wgengine initiates to the kernel over IPv4" {
	connect 4 -
	talk 4
	equal "$(guest_shows endpoints)" "$(outer a 4):51820"
}

@test "wgengine initiates to the kernel over IPv6 with a preshared key" {
	connect 6 - psk
	talk 6
	equal "$(guest_shows endpoints)" "[$(outer a 6)]:51820"
}

@test "wgengine responds to the kernel over IPv6" {
	connect - 6
	guest_pings 6
	equal "$(show a endpoints)" "[$(outer b 6)]:51820"
	talk 6
}

@test "wgengine responds to the kernel over IPv4 with a preshared key" {
	connect - 4 psk
	guest_pings 4
	equal "$(show a endpoints)" "$(outer b 4):51820"
	talk 4
}

# Traffic that waits for new keys may take as long as the next attempt.
@test "new keys as often as a side forgets the peer, whoever begins" {
	local before guest_before
	connect 4 4 psk
	ping_to a b 4 -W 5
	before=$(show a latest-handshakes)
	wait_for 5 clock_after "$before"
	guest <<-END
		device_set wg0 <<-'LINES'
			public_key=$(hex_of a.pub)
			remove=true
		LINES
		equal "\$(wgctl show wg0 peers)" ""
	END
	guest_befriend 4 psk
	guest_pings 4
	handshake_after a "$before"
	ping_to a b 6 -W 5
	before=$(show a latest-handshakes)
	wait_for 5 clock_after "$before"
	guest_before=$(guest_shows latest-handshakes)
	guest "until [ \$(date +%s) -gt $guest_before ]; do usleep 10000; done" # it has a clock of its own
	wg_set a peer "$(public b)" remove
	psk=psk.key befriend a b 6
	ping_to a b 4 -W 5
	handshake_after a "$before"
	wait_for 5 guest_handshake_after "$guest_before"
	guest_pings 6
	no_faults a
}

@test "a new private key of either side" {
	connect 4 4
	ping_to a b 4 -W 5
	wg genkey >b.key
	wg_set a peer "$(public b)" remove
	wg pubkey <b.key >b.pub
	befriend a b 4
	guest_befriend 4
	ping_to a b 4 -W 5
	wg genkey >a.key
	wg pubkey <a.key >a.pub
	wg_set a private-key a.key
	guest_befriend 4
	ping_to a b 6 -W 5
	guest_pings 6
	no_faults a
}

# roam 4|6: either side changes its outer address.
roam() {
	connect "$1" -
	ping_to a b 4 -W 5
	move "$1" a
	ping_to a b 4 -W 5
	wait_for 5 guest_endpoint_is "$(moved "$1" a):51820"
	guest_pings 6
	move "$1" b
	guest_pings 4
	wait_for 5 endpoint_is a "$(moved "$1" b):51820"
	ping_to a b 6 -W 5
	no_faults a
}

# move 4|6 SIDE: the side's outer address gives way to another one.
move() {
	local commands="ip -$1 addr"
	commands+=" del $(outer "$2" "$1")/$(bits "$1") dev lan; ${commands} add $(moved "$1" "$2" | tr -d '[]')/$(bits "$1") dev lan"
	if [ "$2" = a ]; then
		on a sh -c "$commands nodad"
	else
		guest "${commands//lan/eth0}"
	fi
}

bits() { if [ "$1" = 4 ]; then echo 24; else echo 64; fi; }
moved() { if [ "$1" = 4 ]; then echo "192.0.2.10$(number_of "$2")"; else echo "[2001:db8::$(number_of "$2"):1]"; fi; }

@test "both sides change their IPv4 addresses" {
	roam 4
}

@test "both sides change their IPv6 addresses" {
	roam 6
}
