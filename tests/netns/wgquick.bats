#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Debian's wg-quick with wgengine as its userspace implementation.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
	make_sides a b
	join a b
	make_keys a b
	wg genpsk >psk
	psk=psk
	start b
	configure b
	befriend b a
	# wg-quick falls back to userspace only where the kernel has no WireGuard. This makes it so everywhere.
	mkdir bin
	cp "$(command -v wg-quick)" bin/wg-quick
	cat >bin/ip <<-END
		#!/bin/sh
		case "\$*" in
		"link add "*" type wireguard") echo "Error: Unknown device type." >&2; exit 2 ;;
		esac
		exec $(command -v ip) "\$@"
	END
	chmod +x bin/ip bin/wg-quick
	implementation=$WGENGINE
}

teardown() {
	finish
}

# quick up|down|save|strip
quick() {
	on a sh -c '[ ! -e /sys/module/wireguard ] || mount -t tmpfs none /sys/module; exec "$@"' sh \
		env "PATH=$PWD/bin:$PATH" "WG_QUICK_USERSPACE_IMPLEMENTATION=$implementation" \
		"$PWD/bin/wg-quick" "$1" "$PWD/$(iface a).conf" </dev/null 3>&-
}

# write_conf [LINE...]: the lines go into [Interface].
write_conf() {
	cat >"$(iface a).conf" <<-END
		[Interface]
		PrivateKey = $(cat a.key)
		ListenPort = 51820
		Address = 10.7.0.1/24, fd07::1/64
		$(printf '%s\n' "$@")

		[Peer]
		PublicKey = $(public b)
		PresharedKey = $(cat psk)
		AllowedIPs = 10.7.0.2/32, fd07::2/128, 172.20.0.0/16
		AllowedIPs = fd99::/48
		Endpoint = $(outer b 4):51820
	END
	chmod 600 "$(iface a).conf"
}

state() {
	ip_on a link show dev "$(iface a)" | grep -o 'mtu [0-9]*'
	ip_on a -o addr show dev "$(iface a)" scope global | awk '{ print $4 }' | sort
	ip_on a route show dev "$(iface a)" | awk '{ print $1 }' | sort
	ip_on a -6 route show dev "$(iface a)" | awk '$1 !~ /^fe80/ { print $1 }' | sort
}

@test "wg-quick up makes addresses, MTU and split routes, and down takes all away" {
	write_conf "MTU = 1380" "PostUp = echo up %i >hook" "PreDown = echo predown %i >>hook" "PostDown = echo down %i >>hook"
	quick up
	equal "$(state)" "mtu 1380
10.7.0.1/24
fd07::1/64
10.7.0.0/24
172.20.0.0/16
fd07::/64
fd99::/48"
	equal "$(cat hook)" "up $(iface a)"
	equal "$(show a allowed-ips)" "10.7.0.2/32 fd07::2/128 172.20.0.0/16 fd99::/48"
	ping_to a b 4
	ping_to a b 6
	run quick up
	refute equal "$status" 0 2>/dev/null
	contains "$output" 'already exists'
	quick down
	wait_for 5 ended a
	equal "$(cat hook)" "up $(iface a)
predown $(iface a)
down $(iface a)"
	equal "$(ip_on a route show | awk '{ print $1 }')" 192.0.2.0/24
}

@test "wg-quick up without an MTU takes that of the outer link, and Table = off makes no routes" {
	write_conf "Table = off"
	quick up
	equal "$(state)" "mtu 1420
10.7.0.1/24
fd07::1/64
10.7.0.0/24
fd07::/64"
	ping_to a b 4
	quick down
	wait_for 5 ended a
}

@test "wg-quick up that fails leaves nothing" {
	write_conf "PostUp = false"
	refute quick up
	wait_for 5 ended a
	equal "$(ip_on a route show | awk '{ print $1 }')" 192.0.2.0/24
	# An engine that cannot start is a wg-quick that fails.
	write_conf
	ip_on a tuntap add dev "$(iface a)" mode tun
	refute quick up
	no_engine a
}

@test "wg-quick save writes what runs, and up takes it" {
	write_conf "MTU = 1400"
	quick up
	wg_set a peer "$(public b)" persistent-keepalive 25 allowed-ips 10.7.0.0/24,fd07::2/128
	quick save
	contains "$(cat "$(iface a).conf")" '^PersistentKeepalive = 25$'
	quick down
	wait_for 5 ended a
	quick up
	equal "$(show a persistent-keepalive)" 25
	equal "$(show a allowed-ips)" "10.7.0.0/24 fd07::2/128"
	ping_to a b 4
	quick down
	wait_for 5 ended a
}

@test "wgengine is found on the PATH" {
	implementation=wgengine
	ln -s "$WGENGINE" bin/wgengine
	write_conf
	quick up
	ping_to a b 4
	quick down
	wait_for 5 ended a
}
