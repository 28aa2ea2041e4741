#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Debian's wg as the client of wgengine: set, setconf, addconf, syncconf, show in all its forms, showconf.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
}

teardown() {
	finish
}

# alone: side a with an engine, and keys for peers b and c that need no engines.
alone() {
	make_sides a
	make_keys a b c
	wg genpsk >psk
	start a
}

# wg_on SIDE COMMAND ARGUMENT...: COMMAND IFACE ARGUMENT...
wg_on() {
	local side=$1 command=$2
	shift 2
	on "$side" wg "$command" "$(iface "$side")" "$@"
}

full() {
	wg_set a private-key a.key listen-port 51820 fwmark 0xca6c \
		peer "$(public b)" preshared-key psk endpoint 192.0.2.9:1234 persistent-keepalive 25 \
		allowed-ips 10.1.2.3/16,fd00:1::/64 \
		peer "$(public c)" endpoint "[2001:db8::9]:4321" allowed-ips 0.0.0.0/0,::/0
}

@test "wg set, and wg show of each field" {
	alone
	full
	equal "$(show a private-key)" "$(cat a.key)"
	equal "$(show a public-key)" "$(public a)"
	equal "$(show a listen-port)" 51820
	equal "$(show a fwmark)" 0xca6c
	equal "$(wg_on a show peers)" "$(public b)
$(public c)"
	equal "$(wg_on a show preshared-keys)" "$(public b)	$(cat psk)
$(public c)	(none)"
	equal "$(wg_on a show endpoints)" "$(public b)	192.0.2.9:1234
$(public c)	[2001:db8::9]:4321"
	equal "$(wg_on a show allowed-ips)" "$(public b)	10.1.0.0/16 fd00:1::/64
$(public c)	0.0.0.0/0 ::/0"
	equal "$(wg_on a show latest-handshakes)" "$(public b)	0
$(public c)	0"
	equal "$(wg_on a show transfer)" "$(public b)	0	0
$(public c)	0	0"
	equal "$(wg_on a show persistent-keepalive)" "$(public b)	25
$(public c)	off"
	equal "$(wg_on a show dump)" "$(cat a.key)	$(public a)	51820	0xca6c
$(public b)	$(cat psk)	192.0.2.9:1234	10.1.0.0/16,fd00:1::/64	0	0	0	25
$(public c)	(none)	[2001:db8::9]:4321	0.0.0.0/0,::/0	0	0	0	off"
}

@test "wg show of an engine that was told nothing" {
	alone
	equal "$(wg_on a show dump)" "(none)	(none)	0	off"
	equal "$(wg_on a show peers)" ""
	equal "$(WG_COLOR_MODE=never wg_on a show | head -n 1)" "interface: $(iface a)"
	equal "$(wg_on a showconf)" "[Interface]"
}

@test "wg show for people" {
	alone
	full
	equal "$(WG_COLOR_MODE=never wg_on a show)" "interface: $(iface a)
  public key: $(public a)
  private key: (hidden)
  listening port: 51820
  fwmark: 0xca6c

peer: $(public b)
  preshared key: (hidden)
  endpoint: 192.0.2.9:1234
  allowed ips: 10.1.0.0/16, fd00:1::/64
  persistent keepalive: every 25 seconds

peer: $(public c)
  endpoint: [2001:db8::9]:4321
  allowed ips: 0.0.0.0/0, ::/0"
}

# Of other tests there may be interfaces too.
@test "wg show all, in each form, and wg show interfaces" {
	local name
	name=$(iface a)

	alone
	full
	contains "$(on a wg show interfaces | tr ' ' '\n')" "^$name\$"
	equal "$(on a wg show all dump | grep "^$name	")" "$(wg_on a show dump | sed "s/^/$name	/")"
	equal "$(on a wg show all latest-handshakes | grep "^$name	")" "$(wg_on a show latest-handshakes | sed "s/^/$name	/")"
	equal "$(on a wg show all public-key | grep "^$name	")" "$name	$(public a)"
	contains "$(WG_COLOR_MODE=never on a wg show all)" "^interface: $name\$"
	contains "$(WG_COLOR_MODE=never on a wg)" "^interface: $name\$"
}

@test "wg showconf and wg setconf are each other's reverse" {
	alone
	full
	wg_on a showconf >first
	contains "$(cat first)" '^ListenPort = 51820$'
	contains "$(cat first)" '^FwMark = 0xca6c$'
	halt a
	start a
	wg_on a setconf first
	wg_on a showconf >second
	equal "$(cat second)" "$(cat first)"
	# What a file does not have is taken away.
	printf '[Interface]\n[Peer]\nPublicKey = %s\n' "$(public c)" >third
	wg_on a setconf third
	equal "$(wg_on a show dump)" "(none)	(none)	0	off
$(public c)	(none)	(none)	(none)	0	0	0	off"
	echo '[Interface]' >fourth
	wg_on a setconf fourth
	equal "$(wg_on a show peers)" ""
}

@test "wg addconf leaves what it does not name" {
	alone
	full
	make_keys d
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.9.0.0/16\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.8.0.0/16\n' \
		"$(public b)" "$(public d)" >extra
	wg_on a addconf extra
	equal "$(wg_on a show dump)" "$(cat a.key)	$(public a)	51820	0xca6c
$(public b)	$(cat psk)	192.0.2.9:1234	10.9.0.0/16	0	0	0	25
$(public c)	(none)	[2001:db8::9]:4321	0.0.0.0/0,::/0	0	0	0	off
$(public d)	(none)	(none)	10.8.0.0/16	0	0	0	off"
}

@test "an allowed IP moves to the peer that was given it last" {
	alone
	wg_set a peer "$(public b)" allowed-ips 10.1.0.0/16,10.2.0.0/16 peer "$(public c)" allowed-ips 10.1.0.0/24
	wg_set a peer "$(public c)" allowed-ips 10.2.0.0/16
	equal "$(wg_on a show allowed-ips)" "$(public b)	10.1.0.0/16
$(public c)	10.2.0.0/16"
	wg_set a peer "$(public b)" allowed-ips ""
	equal "$(wg_on a show allowed-ips)" "$(public b)	(none)
$(public c)	10.2.0.0/16"
}

@test "peers, keys and intervals are taken away" {
	alone
	full
	wg_set a private-key /dev/null fwmark 0 peer "$(public b)" preshared-key /dev/null persistent-keepalive off
	equal "$(wg_on a show dump | head -n 2)" "(none)	(none)	51820	off
$(public b)	(none)	192.0.2.9:1234	10.1.0.0/16,fd00:1::/64	0	0	0	off"
	wg_set a peer "$(public b)" remove
	equal "$(wg_on a show peers)" "$(public c)"
	wg_set a peer "$(public b)" remove
	wg_set a peer "$(public c)" remove
	equal "$(wg_on a show peers)" ""
}

@test "peers keep the order in which they came" {
	local i keys=()

	alone
	for i in 1 2 3 4 5 6 7 8 9 10; do
		keys+=("$(head -c 32 /dev/urandom | base64)")
		wg_set a peer "${keys[-1]}"
	done
	equal "$(wg_on a show peers)" "$(printf '%s\n' "${keys[@]}")"
	# One that is named again stays where it was, one that was removed comes last.
	wg_set a peer "${keys[4]}" persistent-keepalive 1
	wg_set a peer "${keys[2]}" remove
	wg_set a peer "${keys[2]}"
	equal "$(wg_on a show peers)" "$(printf '%s\n' "${keys[@]:0:2}" "${keys[@]:3}" "${keys[2]}")"
}

@test "5000 peers by one wg setconf, and wg show dump has them all in order" {
	alone
	"$python" - >many <<'END'
import base64, os
print("[Interface]\nListenPort = 51820")
for i in range(5000):
    print(f"[Peer]\nPublicKey = {base64.b64encode(os.urandom(32)).decode()}")
    print(f"AllowedIPs = 10.{i >> 8}.{i & 255}.0/24, fd00:{i + 1:x}::/64")
END
	wg_on a setconf many
	wg_on a show dump | tail -n +2 | awk '{ print "[Peer]"; print "PublicKey = " $1; sub(",", ", ", $4); print "AllowedIPs = " $4 }' >shown
	cmp shown <(tail -n +3 many)
	# Not a second time, and not a peer less.
	wg_on a syncconf many
	equal "$(wg_on a show peers | wc -l)" 5000
	echo '[Interface]' >none
	wg_on a setconf none
	equal "$(wg_on a show peers)" ""
}

@test "the port changes under a TCP stream" {
	tunnel "$WGENGINE" wireguard-go
	stream_begin a b
	wg_set a listen-port 51999
	equal "$(show a listen-port)" 51999
	wait_for 10 endpoint_is b "$(outer a 4):51999"
	refute port_open a 51820
	stream_moves a b
	# 0: one that is free.
	wg_set a listen-port 0
	refute port_open a 51999
	refute equal "$(show a listen-port)" 0 2>/dev/null
	wait_for 10 endpoint_is b "$(outer a 4):$(show a listen-port)"
	stream_moves a b
	stream_end a b
}

@test "a port that is in use is refused, and the old one stays" {
	tunnel
	on a "$python" -c 'import socket, time
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 7000))
open("taken", "w").close()
time.sleep(60)' </dev/null >/dev/null 2>&1 3>&- &
	wait_for 5 test -e taken
	run wg_set a listen-port 7000
	refute equal "$status" 0 2>/dev/null
	contains "$output" 'Address already in use'
	equal "$(show a listen-port)" 51820
	port_open a 51820
	ping_to a b 4
	ping_to b a 4
}

@test "a port that is in use when the interface comes up is taken when it is free" {
	local holder

	tunnel
	ip_on a link set "$(iface a)" down
	wait_for 5 port_closed a 51820
	on a "$python" -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 51820))
open("taken", "w").close()
time.sleep(60)' </dev/null >/dev/null 2>&1 3>&- &
	holder=$!
	wait_for 5 test -e taken
	ip_on a link set "$(iface a)" up
	refute ping_to a b 4
	# Another one.
	wg_set a listen-port 51821
	port_open a 51821
	wait_for 10 ping_to a b 4
	ip_on a link set "$(iface a)" down
	wait_for 5 port_closed a 51821
	# And the same one again, when it can be had.
	wg_set a listen-port 51820
	ip_on a link set "$(iface a)" up
	wait_for 5 engine_answers a
	pkill -P $holder || kill $holder
	wait $holder || true
	wg_set a listen-port 51820
	port_open a 51820
	wait_for 10 ping_to a b 4
}

engine_answers() { wg_on "$1" show; }

@test "fwmark is on what is sent" {
	tunnel
	ip_on a rule add fwmark 0x1234 unreachable
	ping_to a b 4
	wg_set a fwmark 0x1234
	equal "$(show a fwmark)" 0x1234
	refute ping_to a b 4
	wg_set a fwmark 0x1235
	ping_to a b 4
	# Sockets that are opened later have it too.
	wg_set a fwmark 0x1234 listen-port 51821
	refute ping_to a b 4
	wg_set a fwmark off
	ping_to a b 4
	equal "$(show a fwmark)" off
}

@test "wg syncconf keeps the session" {
	local before

	tunnel "$WGENGINE" wireguard-go
	make_keys c
	ping_to a b 4
	before=$(show a latest-handshakes)
	stream_begin a b
	wg_on a showconf >now
	wait_for 5 clock_after "$before"
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.99.0.0/16\n' "$(public c)" >>now
	wg_on a syncconf now
	stream_moves a b
	stream_end a b
	# Another handshake would have another second, and a peer made anew would have forgotten its bytes.
	equal "$(wg_on a show latest-handshakes)" "$(public b)	$before
$(public c)	0"
	equal "$(wg_on a show peers)" "$(public b)
$(public c)"
	printf '[Interface]\nPrivateKey = %s\nListenPort = 51820\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.99.0.0/16\n' \
		"$(cat a.key)" "$(public c)" >now
	wg_on a syncconf now
	equal "$(wg_on a show peers)" "$(public c)"
}

@test "the key changes under a TCP stream" {
	local before

	tunnel "$WGENGINE" wireguard-go
	stream_begin a b
	make_keys c
	wg_set b peer "$(public c)" allowed-ips "10.7.0.1/32,fd07::1/128" endpoint "$(outer a 4):51820"
	wg_set a private-key c.key
	stream_moves a b
	stream_end a b
	before=$(on b wg show "$(iface b)" latest-handshakes | awk -v "key=$(public c)" '$1 == key { print $2 }')
	[ "$before" -gt 0 ]
}

@test "a preshared key that is set on both sides is used from the next handshake on" {
	tunnel "$WGENGINE" wireguard-go
	ping_to a b 4
	wg genpsk >psk
	wg_set a peer "$(public b)" preshared-key psk
	ping_to a b 4
	wg_set b peer "$(public a)" preshared-key psk
	# The key makes a new handshake.
	ip_on a link set "$(iface a)" down
	address_again a
	ping_to a b 4
	wg_set b peer "$(public a)" preshared-key /dev/null
	ip_on a link set "$(iface a)" down
	address_again a
	refute ping_to a b 4
}

# IPv6 addresses go when the link does.
address_again() {
	ip_on "$1" link set "$(iface "$1")" up
	wait_for 5 port_open "$1" 51820
}
