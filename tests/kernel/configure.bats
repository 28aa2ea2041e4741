#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What wgctl sets on an interface of the kernel, as the real wg shows it, and both side by side.
# shellcheck disable=SC2154 # set by the helpers, and by bats' run

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
	boot
	[ -n "$(missing)" ] || guest <<-'END'
		umask 077
		wg genkey >/tmp/private
		for name in psk peer1 peer2 peer3; do wg genpsk >/tmp/$name; done
	END
}

setup() {
	need_machine
	cd "$BATS_TEST_TMPDIR" || return
	guest 'ip link add wg0 type wireguard; ip link add wg1 type wireguard'
}

teardown() {
	[ -n "$(missing)" ] || guest 'ip link del wg0; ip link del wg1'
}

@test "set: every argument, alone and together" {
	guest <<-'END'
		peer1=$(cat /tmp/peer1) peer2=$(cat /tmp/peer2) private=$(cat /tmp/private) psk=$(cat /tmp/psk)
		tab=$(printf '\t')
		row() { local IFS=$tab; echo "$*"; }
		wgctl set wg0 listen-port 1234 fwmark 0xcafe private-key /tmp/private \
			peer $peer1 preshared-key /tmp/psk endpoint 192.0.2.1:66 persistent-keepalive 25 allowed-ips 10.0.0.0/8,fd00::/64 \
			peer $peer2 endpoint '[2001:db8::5]:99'
		equal "$(wg show wg0 dump)" "$(
			row $private $(wg pubkey </tmp/private) 1234 0xcafe
			row $peer1 $psk 192.0.2.1:66 10.0.0.0/8,fd00::/64 0 0 0 25
			row $peer2 '(none)' '[2001:db8::5]:99' '(none)' 0 0 0 off
		)"
		# What is not named stays.
		wgctl set wg0 peer $peer1 allowed-ips +10.9.0.0/16,+192.0.2.0/24
		wgctl set wg0 peer $peer2 remove
		wgctl set wg0 fwmark off
		equal "$(wg show wg0 dump)" "$(
			row $private $(wg pubkey </tmp/private) 1234 off
			row $peer1 $psk 192.0.2.1:66 10.0.0.0/8,fd00::/64,10.9.0.0/16,192.0.2.0/24 0 0 0 25
		)"
		wgctl set wg0 listen-port 0 private-key /dev/null peer $peer1 preshared-key /dev/null persistent-keepalive off \
			allowed-ips '' endpoint 192.0.2.9:7
		equal "$(wg show wg0 dump)" "$(
			row '(none)' '(none)' 0 off
			row $peer1 '(none)' 192.0.2.9:7 '(none)' 0 0 0 off
		)"
		same wg0
	END
}

@test "set: a prefix that this kernel cannot take away" {
	guest <<-'END'
		wg set wg0 peer $(cat /tmp/peer1) allowed-ips 10.1.0.0/16,10.2.0.0/16
		refuted "Unable to modify interface: this kernel cannot take single allowed IPs away (-), as Linux 6.16 and newer can: give all that shall stay instead" \
			wgctl set wg0 peer $(cat /tmp/peer1) allowed-ips -10.1.0.0/16
		equal "$(wg show wg0 allowed-ips | cut -f 2)" '10.1.0.0/16 10.2.0.0/16'
	END
}

@test "setconf, addconf, syncconf and showconf" {
	guest <<-'END'
		file() { # NUMBER...: a file with these peers
			printf '[Interface]\nListenPort = 1234\nFwMark = 0x7\nPrivateKey = %s\n' $(cat /tmp/private)
			for i; do
				printf '\n[Peer]\nPublicKey = %s\nPresharedKey = %s\nAllowedIPs = 10.%s.0.0/16, fd00:%s::/32\nEndpoint = [2001:db8::%s]:5\nPersistentKeepalive = %s\n' \
					$(cat /tmp/peer$i) $(cat /tmp/psk) $i $i $i $i
			done
		}
		file 1 2 >/tmp/12
		file 3 >/tmp/3
		file 3 1 >/tmp/31
		file 1 2 3 >/tmp/123
		wgctl setconf wg0 /tmp/12
		equal "$(wg showconf wg0)" "$(cat /tmp/12)"
		equal "$(wgctl showconf wg0)" "$(cat /tmp/12)"
		wgctl addconf wg0 /tmp/3
		equal "$(wg showconf wg0)" "$(cat /tmp/123)"
		wg setconf wg1 /tmp/123
		wg syncconf wg1 /tmp/31
		wgctl syncconf wg0 /tmp/31
		equal "$(wg showconf wg0)" "$(wg showconf wg1)"
		wgctl showconf wg0 >/tmp/own
		wgctl setconf wg1 /tmp/own
		equal "$(wg showconf wg1)" "$(cat /tmp/own)"
		# The file's peers only, in its order.
		wgctl setconf wg0 /tmp/31
		equal "$(wg showconf wg0)" "$(cat /tmp/31)"
		printf '[Peer]\nPublicKey = %s\n' $(cat /tmp/peer2) >/tmp/bare
		wgctl syncconf wg0 /tmp/bare
		equal "$(wg show wg0 peers) $(wg show wg0 listen-port) $(wg show wg0 fwmark) $(wg show wg0 private-key)" \
			"$(cat /tmp/peer2) 1234 0x7 $(cat /tmp/private)"
	END
}

@test "sixty peers stay in the order of the file" {
	guest <<-'END'
		peers() { # FIRST STEP LAST
			for i in $(seq $1 $2 $3); do printf '[Peer]\nPublicKey = %042dE=\n' $i; done
		}
		peers 41 -2 1 >/tmp/odd
		peers 1 1 60 >/tmp/all
		sed -n 's/^PublicKey = //p' /tmp/odd >/tmp/odd.order
		sed -n 's/^PublicKey = //p' /tmp/all | grep -vxFf /tmp/odd.order | cat /tmp/odd.order - >/tmp/all.order
		for tool in wg wgctl; do
			$tool setconf wg0 /tmp/odd
			wgctl show wg0 peers | diff /tmp/odd.order - || fail "$tool setconf"
			# What there was keeps its place, the others follow.
			$tool addconf wg0 /tmp/all
			wgctl show wg0 peers | diff /tmp/all.order - || fail "$tool addconf"
			$tool setconf wg0 /tmp/odd
			$tool syncconf wg0 /tmp/all
			wg show wg0 peers | diff /tmp/all.order - || fail "$tool syncconf"
		done
	END
}

@test "show --json" {
	guest <<-'END' >shown
		wg set wg1 private-key /tmp/private listen-port 1234 fwmark 0xcafe \
			peer $(cat /tmp/peer1) preshared-key /tmp/psk endpoint '[2001:db8::5]:99' allowed-ips 10.0.0.0/8,fd00::/64 persistent-keepalive 25 \
			peer $(cat /tmp/peer2)
		wg show all dump
		wgctl show --json all dump
	END
	# The JSON, written as wg does.
	"$python" -c '
import json, sys
lines = open("shown").read().splitlines()
dump = lines[:4]
got = []
for device in json.loads("\n".join(lines[4:]))["interfaces"]:
    got.append([device["name"], device["private_key"] or "(none)", device["public_key"] or "(none)", device["listen_port"] or 0,
                hex(device["fwmark"]) if device["fwmark"] else "off"])
    for peer in device["peers"]:
        got.append([device["name"], peer["public_key"], peer["preshared_key"] or "(none)", peer["endpoint"] or "(none)",
                    ",".join(peer["allowed_ips"]) or "(none)", peer["latest_handshake"] or 0, peer["rx_bytes"], peer["tx_bytes"],
                    peer["persistent_keepalive"] or "off"])
got = ["\t".join(map(str, line)) for line in got]
if sorted(got) != sorted(dump): sys.exit("wg:   %s\njson: %s" % (dump, got))'
}

@test "wg and wgctl side by side: words, files, whole command lines" {
	run "$python" "$kernel_tests/compare.py" "$BATS_FILE_TMPDIR/scripts" kept set/2 other/6 files/15
	[ "$status" = 0 ] || fail "$(grep -A 40 '^not ok\|^Bail' <<<"$output")"
	[ "$(grep -c '^ok' <<<"$output")" -ge 135 ] || fail "too few cases" "$output"
}
