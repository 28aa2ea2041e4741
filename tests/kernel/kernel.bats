#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# wgctl and interfaces of the kernel's own WireGuard, beside the real wg.

bats_require_minimum_version 1.5.0
load helpers

setup() {
	need_machine
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	[ -n "$(missing)" ] || guest 'for name in wg0 wg1; do ip link del $name 2>/dev/null || true; done'
}

# The number as the key of a peer: any 32 bytes will do.
hex() { printf '%056x%08x' 1 "$1"; }
key() { printf '%b' "$(hex "$1" | sed 's/../\\x&/g')" | base64; }

# peer NUMBER [LINE...]: the lines of the UAPI about a peer.
peer() {
	echo "public_key=$(hex "$1")"
	shift
	printf '%s\n' "$@"
}

# give NAME: the interface what lines of the UAPI on stdin say.
give() {
	{
		echo "device_set $1 <<-'END'"
		cat
		echo END
	} | guest
}

@test "an interface without anything, and one with everything, as wg shows them" {
	guest <<-END
		ip link add wg0 type wireguard
		ip link add wg1 type wireguard
		umask 077
		wg genkey >/tmp/private
		wg genpsk >/tmp/psk
		wg set wg1 private-key /tmp/private listen-port 1234 fwmark 0xcafe \
			peer $(key 1) preshared-key /tmp/psk endpoint 192.0.2.1:66 allowed-ips 10.0.0.0/8,fd00::/64,0.0.0.0/0,::/0 \
			peer $(key 2) endpoint '[2001:db8::5]:99' persistent-keepalive 65535 \
			peer $(key 3) endpoint '[fe80::1%1]:1' allowed-ips 10.1.2.3/32
		same wg0 wg1
		equal "\$(wg show nothing 2>&1)" "\$(wgctl show nothing 2>&1)"
		equal "\$(wg show lo 2>&1)" "\$(wgctl show lo 2>&1)"
		equal "\$(wg show all dump)" "\$(wgctl show all dump)"
		equal "\$(wg show)" "\$(wgctl show)"
		equal "\$(wg show interfaces)" "\$(wgctl show interfaces)"
		equal "\$(wgctl show wg1 peers | wc -l)" 3
	END
}

@test "what is set is what wg shows" {
	guest 'ip link add wg0 type wireguard'
	give wg0 <<-END
		private_key=5043dba6d0c3ebd9c1c5af3e4d2be2b6e5ec8a8e6b9dbb7a0a7ac5a6ae1fd55a
		listen_port=1234
		fwmark=51966
		$(peer 1 preshared_key="$(hex 77)" endpoint=192.0.2.1:66 persistent_keepalive_interval=25 allowed_ip=10.1.2.3/8 allowed_ip=::/0)
		$(peer 2 endpoint='[2001:db8::5]:99')
	END
	guest <<-END
		equal "\$(wg show wg0 dump | tail -n +2)" "$(
			printf '%s\t' "$(key 1)" "$(key 77)" 192.0.2.1:66 10.0.0.0/8,::/0 0 0 0
			echo 25
			printf '%s\t' "$(key 2)" '(none)' '[2001:db8::5]:99' '(none)' 0 0 0
			echo off
		)"
		equal "\$(wg show wg0 private-key | base64 -d | xxd -p -c 32)" \
			5043dba6d0c3ebd9c1c5af3e4d2be2b6e5ec8a8e6b9dbb7a0a7ac5a6ae1fd55a
		equal "\$(wg show wg0 listen-port) \$(wg show wg0 fwmark)" "1234 0xcafe"
	END
	# Only what is said changes.
	give wg0 <<-END
		fwmark=0
		$(peer 1 preshared_key="$(hex 0 | tr 1 0)" persistent_keepalive_interval=0 replace_allowed_ips=true allowed_ip=10.9.0.0/16)
		$(peer 2 remove=true)
		$(peer 3 update_only=true allowed_ip=10.8.0.0/16)
		$(peer 4 allowed_ip=10.7.0.0/16)
	END
	guest <<-END
		equal "\$(wg show wg0 dump | tail -n +2)" "$(
			printf '%s\t' "$(key 1)" '(none)' 192.0.2.1:66 10.9.0.0/16 0 0 0
			echo off
			printf '%s\t' "$(key 4)" '(none)' '(none)' 10.7.0.0/16 0 0 0
			echo off
		)"
		equal "\$(wg show wg0 listen-port) \$(wg show wg0 fwmark)" "1234 off"
	END
	give wg0 <<-END
		private_key=$(hex 0 | tr 1 0)
		replace_peers=true
		$(peer 5)
	END
	guest <<-END
		equal "\$(wg show wg0 private-key) \$(wg show wg0 peers)" "(none) $(key 5)"
	END
}

# many PEER FIRST LAST: a peer with as many allowed IPs, of both families, unlike all others.
many() {
	local i
	peer "$1" replace_allowed_ips=true
	for ((i = $2; i <= $3; i++)); do
		if ((i % 2)); then
			echo "allowed_ip=10.$((i >> 16)).$((i >> 8 & 255)).$((i & 255))/32"
		else
			printf 'allowed_ip=fd00::%x/128\n' "$i"
		fi
	done
}

@test "two thousand allowed IPs of one peer, among others, and again" {
	guest 'ip link add wg0 type wireguard'
	{
		many 1 1 3
		many 2 1001 3000
		many 3 5001 5010
	} >lines
	# The second time all of them are there already, and must be there once.
	give wg0 <lines
	give wg0 <lines
	guest 'wg show wg0 allowed-ips' >got
	equal "$(wc -l <got)" 3
	equal "$(cut -f 2 got | tr ' ' '\n' | sort)" "$(sed -n 's/^allowed_ip=//p' lines | sort)"
	equal "$(grep "^$(key 2)" got | cut -f 2 | wc -w)" 2000
	guest 'wgctl show wg0 dump >/tmp/a; wg show wg0 dump >/tmp/b; cmp /tmp/a /tmp/b'
	# A list that does not fit in one request is replaced all the same.
	many 2 1002 3001 | give wg0
	equal "$(guest 'wgctl show wg0 allowed-ips' | grep "^$(key 2)" | cut -f 2 | tr ' ' '\n' | sort)" \
		"$(many 2 1002 3001 | sed -n 's/^allowed_ip=//p' | sort)"
}

@test "five hundred peers, replaced by others" {
	local i
	guest 'ip link add wg0 type wireguard'
	for ((i = 1; i <= 500; i++)); do
		printf 'public_key=%056x%08x\npreshared_key=%056x%08x\nendpoint=192.0.2.1:%d\n' 1 $i 2 $i $i
		printf 'allowed_ip=10.0.%d.%d/32\nallowed_ip=fd00::%x/128\n' $((i >> 8)) $((i & 255)) $i
	done >lines
	give wg0 <lines
	equal "$(guest 'wg show wg0 peers' | wc -l)" 500
	guest 'wgctl show wg0 dump >/tmp/a; wg show wg0 dump >/tmp/b; cmp /tmp/a /tmp/b'
	{
		echo replace_peers=true
		sed 's/^public_key=0/public_key=f/' lines
	} | give wg0
	equal "$(guest 'wg show wg0 peers' | wc -l)" 500
	guest 'wgctl show wg0 allowed-ips >/tmp/a; wg show wg0 allowed-ips >/tmp/b; cmp /tmp/a /tmp/b'
	equal "$(guest 'wgctl show wg0 endpoints' | grep -cE '^8AAA.*	192.0.2.1:[0-9]+$')" 500
}

@test "single allowed IPs that this kernel cannot take away" {
	guest 'ip link add wg0 type wireguard'
	give wg0 < <(peer 1 allowed_ip=10.1.0.0/16 allowed_ip=10.2.0.0/16)
	guest <<-END
		printf '%s\n' public_key=$(hex 1) allowed_ip=-10.1.0.0/16 >/tmp/set
		refuted "this kernel cannot take single allowed IPs away (-), as Linux 6.16 and newer can: give all that shall stay instead" \
			device_set wg0 </tmp/set
		equal "\$(wg show wg0 allowed-ips)" "$(printf '%s\t10.1.0.0/16 10.2.0.0/16' "$(key 1)")"
	END
}

@test "no key stays in memory" {
	# A sanitizer's build may leave what it likes.
	! nm "$WGCTL" | grep -q __asan_ || return 0
	local private=d883c9bf4a7c0f7a3b5a6e0f16f9a2c1b8e7d6c5f4a3b2c1d0e9f8a7b6c5d47b
	guest <<-END
		ip link add wg0 type wireguard
		printf '%s\n' private_key=$private public_key=$(hex 1) preshared_key=${private//8/9} >/tmp/lines
		for key in $private ${private//8/9}; do
			residue \$key device_set wg0 </tmp/lines || fail "device_set: \$?"
			residue \$key wgctl show wg0 dump || fail "wgctl show dump: \$?"
			grep -q "\$(echo \$key | xxd -r -p | base64)" /tmp/residue
			residue \$key wgctl show || fail "wgctl show: \$?"
			# The search is one that finds.
			if residue \$key wg show wg0 dump; then fail 'nothing found'; else equal \$? 99; fi
		done
	END
}

@test "errors" {
	guest <<-'END'
		ip link add wg0 type wireguard
		echo listen_port=5 >/tmp/set
		refuted 'there is no WireGuard interface wg9' device_set wg9 </tmp/set
		refuted 'there is no WireGuard interface a-name-too-long-for-one' device_set a-name-too-long-for-one </tmp/set
		refuted 'lo is not a WireGuard interface' device_set lo </tmp/set
		chmod 644 /tmp/set
		refuted 'the kernel tells and changes wg0 only for root (with CAP_NET_ADMIN)' \
			su nobody -s /bin/sh -c 'device_set wg0 </tmp/set'
		refuted 'Unable to access interface: Operation not permitted' su nobody -s /bin/sh -c 'wgctl show wg0'
		equal "$(su nobody -s /bin/sh -c 'wgctl show interfaces')" wg0
		# A port that is taken.
		ip link add wg1 type wireguard
		ip link set wg0 up
		ip link set wg1 up
		device_set wg0 </tmp/set
		refuted 'the kernel says: Address already in use' device_set wg1 </tmp/set
	END
}

@test "down takes away an interface of the kernel, and no other" {
	guest <<-'END'
		ip link add wg0 type wireguard
		wgctl down --quiet wg0
		refuted 'Unable to access interface: No such device' wgctl show wg0
		refuted 'wgctl: lo is not a WireGuard interface' wgctl down --quiet lo
	END
}

@test "an engine goes before the kernel's interface of the same name" {
	guest <<-'END'
		ip link add wg0 type wireguard
		wg set wg0 listen-port 1000
		# In a network namespace of its own, for an interface has one name.
		unshare -n wgengine wg0
		echo listen_port=2000 | device_set wg0
		equal "$(wgctl show wg0 listen-port)" 2000
		equal "$(wgctl show interfaces)" wg0
		# The engine ends with its socket.
		rm /var/run/wireguard/wg0.sock
		equal "$(wgctl show wg0 listen-port)" 1000
	END
}
