# SPDX-License-Identifier: MIT
# wgctl strip beside wg-quick strip, and what it makes of keys that wg does not know.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
	need wg wg-quick
	new_keys
	export WGCTL_PATH=/nonexistent
}

teardown() {
	common_teardown
}

# same NAME: reads a file from standard input, which both strip alike.
same() {
	cat >wg0.conf
	wg-quick strip ./wg0.conf >theirs
	"$WGCTL" strip wg0.conf >ours
	cmp theirs ours || fail "$1: $(diff theirs ours)"
}

@test "byte for byte what wg-quick strip prints" {
	[[ $EUID -eq 0 ]] || leave "wg-quick needs root"
	local -r interface="[Interface]\nPrivateKey = $key_a\n" peer="[Peer]\nPublicKey = $pub_b\n"

	printf '' | same "nothing"
	printf '\n\n' | same "blank lines"
	printf '# a comment\n' | same "a comment"
	printf '%b' "$interface$peer" | same "wg's keys only"
	printf '%b' "${interface}Address = 10.0.0.1/24\nMTU = 1400\nDNS = 9.9.9.9, example.org\n$peer" | same "some keys"
	printf '%b' "${interface}Table = off\nSaveConfig = true\nListenPort = 1\nFwMark = 0x1\n$peer" | same "more keys"
	printf '%b' "${interface}PreUp = a # b\nPostUp = c && d\nPreDown = e=f\nPostDown = %i\nPostUp = [x]\n" | same "hooks"
	printf '%b' "$interface# Address = 1\n  # Name = x\n#\n$peer# Name = bob\n" | same "comments"
	printf '%b' "$interface\taddress = 10.0.0.1 # one\nADDRESS=10.0.0.2\n mtu=1400\n$peer" | same "case and white space"
	printf '%b' "  [Interface]  \n \tListenPort = 1 \t\n\t \n \n$peer  Endpoint = 192.0.2.1:1\t# x \n" | same "white space at the ends"
	printf '%b' "[Interface]\r\nPrivateKey = $key_a\r\nAddress = 10.0.0.1\r\n\r\n[Peer]\r\nPublicKey = $pub_b\r\n" | same "CR LF"
	printf '%b' "$interface${peer}AllowedIPs = 10.0.0.0/8" | same "no newline at the end"
	printf '%b' "${interface}Address = 10.0.0.1" | same "no newline behind a key that is left out"
	printf '%b' "$interface$peer  " | same "white space without a newline at the end"
	printf '%b' "$peer\n${interface}MTU = 1400\n$peer" | same "the interface in the middle"
	printf '%b' "${interface}MTU = 1400\n[interface] # again\nDNS = ::1\n$peer" | same "two interfaces"
	printf '%b' "$interface${peer}AllowedIPs = 10.1.2.3/8, ::/0\nAllowedIPs = 10.0.0.0/9\n[Peer]\nPublicKey = $pub_a\n" | same "lists"
	printf '%b' "$interface# \xc3\xa4 \xff\n${peer}" | same "bytes that are no UTF-8"
}

@test "what wg setconf takes: exclusions, key files and names" {
	need_tun
	new_namespace left l
	echo "$key_a" >a.key
	echo "$psk" >psk.key
	cat >"$A.conf" <<-END
		# Office
		[Interface]
		#wgctl: PrivateKeyFile = a.key
		KillSwitch = no
		Address = 10.9.0.1/24
		[Peer] # bob's
		Name = bob
		PublicKey = $pub_b
		AllowedIPs = 10.0.0.0/30, fd00::/64
		PresharedKeyFile = psk.key # his
		AllowedIPs = !10.0.0.1, 10.9.0.0/24
		# Name = not bob
	END
	run --separate-stderr "$WGCTL" strip "$A.conf"
	assert_success
	assert_equal "$stderr" ""
	assert_output "# Office
[Interface]
PrivateKey = $key_a
[Peer] # bob's
PublicKey = $pub_b
AllowedIPs = 10.0.0.0/32, 10.0.0.2/31, fd00::/64, 10.9.0.0/24
PresharedKey = $psk
# Name = not bob"
	left "$WGCTL_ENGINE" "$A"
	left wg setconf "$A" <("$WGCTL" strip "$A.conf")
	assert_equal "$(wg show "$A" private-key)" "$key_a"
	assert_equal "$(wg show "$A" preshared-keys)" "$pub_b	$psk"
	assert_equal "$(wg show "$A" allowed-ips)" "$pub_b	10.0.0.0/32 10.0.0.2/31 fd00::/64 10.9.0.0/24"
}

@test "a list of which nothing is left, and signs" {
	cat >wg0.conf <<-END
		[Peer]
		PublicKey = $pub_b
		AllowedIPs = 10.0.0.0/30, !10.0.0.0/8
		PersistentKeepalive = 25
		[Peer]
		PublicKey = $pub_a
		AllowedIPs = +10.0.0.0/31, -10.2.0.0/16
		AllowedIPs = !10.0.0.0
	END
	run "$WGCTL" strip wg0.conf
	assert_success
	assert_output "[Peer]
PublicKey = $pub_b
PersistentKeepalive = 25
[Peer]
PublicKey = $pub_a
AllowedIPs = +10.0.0.1/32, -10.2.0.0/16"
}

@test "a file with a mistake does not pass for an empty one" {
	printf '[Interface]\nPrivateKey = %s\nMTU = x\n' "$key_a" >wg0.conf
	run --separate-stderr "$WGCTL" strip wg0.conf
	assert_failure 1
	assert_output "[not a configuration: \`wgctl strip' failed]"
	assert_equal "$stderr" "wg0.conf:3:7: error: 'x' is no MTU: expected a number from 68 to 65535"
	run --separate-stderr "$WGCTL" strip nowhere.conf
	assert_failure 1
	assert_output "[not a configuration: \`wgctl strip' failed]"
	run "$WGCTL" syncconf lo <("$WGCTL" strip nowhere.conf)
	assert_failure 1
	assert_output --partial ":1:1: error: "
	run wg setconf lo <("$WGCTL" strip nowhere.conf 2>/dev/null)
	assert_failure 1
	assert_output --partial "Line unrecognized"
}

@test "a file that others may read is warned of" {
	printf '[Interface]\n' >wg0.conf
	chmod 755 .
	chmod 644 wg0.conf
	run --separate-stderr "$WGCTL" strip wg0.conf
	assert_success
	assert_output "[Interface]"
	assert_equal "$stderr" \
		"wgctl: warning: wg0.conf is accessible to other users; \`chmod 600 wg0.conf' keeps its keys secret"
}

@test "wrong usage" {
	run "$WGCTL" strip
	assert_failure 1
	assert_output --partial "Usage: wgctl strip FILE|NAME"
}
