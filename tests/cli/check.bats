# SPDX-License-Identifier: MIT
# wgctl check: each finding with its place and its words, all at once, and nothing else.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
	need jq
	key_a=$("$WGCTL" genkey) key_b=$("$WGCTL" genkey)
	pub_a=$("$WGCTL" pubkey <<<"$key_a") pub_b=$("$WGCTL" pubkey <<<"$key_b")
	pub_c=$("$WGCTL" genkey | "$WGCTL" pubkey)
	export WGCTL_PATH=/nonexistent
}

teardown() {
	common_teardown
}

# with LINE...: wg0.conf, an interface (lines 1 and 2) and these lines.
with() {
	printf '%s\n' '[Interface]' "PrivateKey = $key_a" "$@" >wg0.conf
}

# with_peer LINE...: and a peer (lines 3 and 4).
with_peer() {
	with '[Peer]' "PublicKey = $pub_b" "$@"
}

# finds FINDING...: these are all, as "LINE:COLUMN: error: WHAT [CODE]".
finds() {
	local expected="" errors=0 warnings=0 finding
	for finding; do
		expected+="wg0.conf:$finding"$'\n'
		[[ $finding == *" error: "* ]] && errors=$((errors + 1)) || warnings=$((warnings + 1))
	done
	run --separate-stderr "$WGCTL" check "${options[@]}" wg0.conf
	if ((errors)); then assert_failure 1; else assert_success; fi
	assert_equal "$stderr" ""
	[[ $errors -eq 1 ]] && expected+="1 error, " || expected+="$errors errors, "
	[[ $warnings -eq 1 ]] && expected+="1 warning" || expected+="$warnings warnings"
	assert_output "$expected"
}

finds_nothing() {
	run --separate-stderr "$WGCTL" check "${options[@]}" wg0.conf
	assert_success
	assert_output ""
	assert_equal "$stderr" ""
}

@test "a file with nothing wrong, and all that is legitimate" {
	with "ListenPort = 51820" "Address = 10.9.0.1/24, fd09::1/64" "MTU = 1420" "PostUp = a && b" \
		'[Peer]' "PublicKey = $pub_b" "AllowedIPs = 0.0.0.0/0, ::/0, !192.168.0.0/16" "Endpoint = 192.0.2.1:51820" \
		"PersistentKeepalive = 25" "Name = bob" \
		'[Peer]' "PublicKey = $pub_c" "AllowedIPs = 10.0.0.0/8, 10.1.0.0/16, 10.0.0.0/8"
	finds_nothing
	printf '' >wg0.conf
	finds_nothing
}

@test "whatever the reader refuses, all at once, in the order of the lines" {
	cat >wg0.conf <<-END
		MTU = 1400
		[Interface]
		PrivateKey = abc
		ListenPort = 65536
		Adress = 10.0.0.1
		SaveConfig = yes
		[Pear]
		PublicKey = nothing of this section is looked at
		[Peer]
		AllowedIPs = 10.0.0.0/33
		[Peer]
		PublicKey = $pub_b
		AllowedIPs = 10.0.0.1/8, 10.0.0.0/8,
		Endpoint = 192.0.2.1:0
		PersistentKeepalive = often
		FwMark
		PresharedKey =
	END
	finds "1:1: error: a key before any section: write '[Interface]' or '[Peer]' above it [unknown-key]" \
		"3:14: error: PrivateKey has 3 characters: expected the 44 of a key in base64 [bad-private-key]" \
		"4:14: error: '65536' is no port: expected 0 to 65535 (0: any free port) or the name of a UDP service [bad-listen-port]" \
		"5:1: error: unknown key 'Adress' in [Interface]: did you mean 'Address'? [unknown-key]" \
		"6:14: error: 'yes' is neither 'true' nor 'false' [bad-save-config]" \
		"7:1: error: unknown section 'Pear': did you mean '[Peer]'? [unknown-section]" \
		"9:1: error: this [Peer] has no PublicKey: add one [bad-public-key]" \
		"10:14: error: '10.0.0.0/33' is no prefix: expected one such as 10.0.0.0/24 or fd00::/64 [bad-allowed-ips]" \
		"13:14: warning: AllowedIPs 10.0.0.1/8 has host bits set: 10.0.0.0/8 is used instead [host-bits]" \
		"13:37: error: an empty element in AllowedIPs: remove the extra comma [bad-allowed-ips]" \
		"14:22: error: '192.0.2.1:0' is no endpoint: expected HOST:PORT or [IPV6]:PORT, the port 1 to 65535 or the name of a UDP service [bad-endpoint]" \
		"15:23: error: 'often' is no keepalive interval: expected 'off' or seconds from 0 to 65535 [bad-persistent-keepalive]" \
		"16:1: error: expected '=' after 'FwMark' [unknown-key]" \
		"17:14: error: 'PresharedKey' has no value: write one or remove the line [bad-preshared-key]"
}

@test "bytes that are no text" {
	printf '[Interface]\nPrivateKey = %s\na\0b\nMTU = 1\n' "$key_a" >wg0.conf
	finds "3:2: error: a NUL byte: this is not a text file, or it is damaged [bad-text]" \
		"4:7: error: '1' is no MTU: expected a number from 68 to 65535 [bad-mtu]"
	printf '\xff\xfe[\0' >wg0.conf
	finds "1:1: error: the file is UTF-16 text: save it as UTF-8 [bad-text]"
}

@test "one prefix in two peers" {
	with '[Peer]' "# Name = bob" "PublicKey = $pub_b" "AllowedIPs = 10.0.0.0/24, fd00::/64" \
		'[Peer]' "PublicKey = $pub_c" "AllowedIPs = 10.0.0.0/16, 10.0.0.0/24"
	finds "9:27: error: 10.0.0.0/24 is bob's already (line 6): only the peer of line 7 would get it; remove it from one of the two [duplicate-allowed-ips]"
}

@test "the interface's own key as a peer's, and one key in two peers" {
	with '[Peer]' "PublicKey = $pub_a" '[Peer]' "PublicKey = $pub_b" '[Peer]' "PublicKey=$pub_b"
	finds "4:13: error: this is the interface's own key, which belongs to its PrivateKey: put the other side's public key here [own-key-as-peer]" \
		"8:11: error: the peer of line 5 has this key already: make one [Peer] of the two, or correct the key [duplicate-peer]"
}

@test "a way to the endpoint that leads into the tunnel" {
	with_peer "Endpoint = 192.0.2.1:51820" "AllowedIPs = 192.0.2.0/8, 192.0.2.0/24"
	finds "5:12: warning: the way to this endpoint leads into the tunnel itself, as AllowedIPs has 192.0.2.0/24: add !192.0.2.1/32 to AllowedIPs [endpoint-in-allowed-ips]" \
		"6:14: warning: AllowedIPs 192.0.2.0/8 has host bits set: 192.0.0.0/8 is used instead [host-bits]"
	with_peer "Endpoint = [2001:db8::1]:51820" "AllowedIPs = 2001:db8::/32"
	finds "5:12: warning: the way to this endpoint leads into the tunnel itself, as AllowedIPs has 2001:db8::/32: add !2001:db8::1/128 to AllowedIPs [endpoint-in-allowed-ips]"
	with_peer "Endpoint = [2001:db8::1]:51820" "AllowedIPs = 2001:db8::/32, !2001:db8::1"
	finds_nothing
	with_peer "Endpoint = [2001:db8::1]:51820" "AllowedIPs = 0.0.0.0/0, ::/0"
	finds_nothing
	with "FwMark = 1" '[Peer]' "PublicKey = $pub_b" "Endpoint = 192.0.2.1:51820" "AllowedIPs = 192.0.2.0/24"
	finds_nothing
	with "Table = off" '[Peer]' "PublicKey = $pub_b" "Endpoint = 192.0.2.1:51820" "AllowedIPs = 192.0.2.0/24"
	finds_nothing
}

@test "default routes: without an endpoint, and past which IPv6 goes" {
	with_peer "AllowedIPs = ::/0, 10.0.0.0/8"
	finds "5:14: warning: ::/0 sends all traffic to a peer without Endpoint: nothing gets out before it has called; add its Endpoint [default-without-endpoint]"
	with_peer "Endpoint = 192.0.2.1:51820" "AllowedIPs = 0.0.0.0/0, fd00::/8"
	local -r leak="IPv4 goes through the tunnel, but IPv6 past it: add ::/0 (without an IPv6 Address, IPv6 then goes nowhere) [ipv6-leak]"
	finds "6:14: warning: $leak"
	with "Table = auto" '[Peer]' "PublicKey = $pub_b" "Endpoint = a.example:51820" "AllowedIPs = 128.0.0.0/1, 0.0.0.0/1"
	finds "7:27: warning: $leak"
	with "Table = 7" '[Peer]' "PublicKey = $pub_b" "Endpoint = 192.0.2.1:51820" "AllowedIPs = 0.0.0.0/0"
	finds_nothing
	with_peer "Endpoint = 192.0.2.1:51820" "AllowedIPs = 0.0.0.0/0, 2000::/3"
	finds_nothing
}

@test "a keepalive for nobody, and an interface without a key" {
	with_peer "PersistentKeepalive = 25"
	finds "5:23: warning: without an Endpoint nothing is kept alive until the peer has called: add one, or remove this line [keepalive-without-endpoint]"
	with_peer "PersistentKeepalive = off"
	finds_nothing
	printf '# a\n[Interface]\nListenPort = 1\n' >wg0.conf
	finds "2:1: warning: [Interface] has no PrivateKey: without one nothing is sent or received; \`wgctl genkey' makes one [no-private-key]"
}

@test "addresses twice, and MTUs that are too large or too small" {
	with "Address = 10.0.0.1/24 10.0.0.2/24" "Address = 10.0.0.1/8, 10.0.0.1/24"
	finds "4:23: warning: 10.0.0.1/24 is in line 3 already: remove one of the two [duplicate-address]"
	with "MTU = 1500"
	finds "3:7: warning: MTU 1500 does not fit through a network of 1500 bytes with WireGuard's headers: use 1420, or remove the line [mtu-too-large]"
	with "MTU = 1279"
	finds "3:7: warning: MTU 1279 is too small for IPv6, which needs 1280: only IPv4 will pass [mtu-too-small]"
}

@test "'&' in a hook, where the file is saved" {
	with "PostUp = echo a && echo b"
	finds_nothing
	with "PostUp = echo a && echo b" "SaveConfig = true" "PreDown = echo c"
	finds "3:17: warning: with SaveConfig, wg-quick on bash 5.2 and newer garbles '&' in the file: put the command into a script [hook-with-save]"
}

@test "names twice, and key files" {
	with '[Peer]' "PublicKey = $pub_b" "Name = bob" '[Peer]' "PublicKey = $pub_c" "Name = bob"
	finds "8:8: error: the peer of line 5 has this name already: choose another one [bad-name]"
	with '[Peer]' "PublicKey = $pub_b" "PresharedKeyFile = nowhere"
	finds "5:20: error: PresharedKeyFile: cannot open the file: No such file or directory [bad-preshared-key-file]"
	"$WGCTL" genpsk >psk
	chmod 755 .
	chmod 644 psk
	with '[Peer]' "PublicKey = $pub_b" "PresharedKeyFile = psk"
	finds "5:20: warning: PresharedKeyFile is accessible to other users; \`chmod 600' keeps the key secret [exposed-key-file]"
}

@test "a file that others may read, and one that is not there" {
	with
	chmod 755 .
	chmod 644 wg0.conf
	finds " warning: accessible to other users; \`chmod 600' keeps its keys secret [exposed-file]"
	rm wg0.conf
	finds " error: cannot open the file: No such file or directory [unreadable]"
}

@test "what wg-quick refuses, or reads otherwise" {
	printf '\xef\xbb\xbf[ Interface ]\nPrivateKey = %s\n' "$key_a" >wg0.conf
	cat >>wg0.conf <<-END
		KillSwitch = no
		M TU = 1400
		PostUp = a # b
		[ Peer ]
		Public Key = $pub_b
		Name = bob
		AllowedIPs = 10.0.0.0/8, !10.0.0.0/9, +10.9.0.0/16
		[Peer]
		PublicKey = $pub_c
		#wgctl: Name = alice
		#wgctl: PresharedKeyFile = psk
	END
	"$WGCTL" genpsk >psk
	finds_nothing
	options=(--portable)
	finds "1:1: error: wg-quick takes the byte order mark in front of this line for a part of it: save the file without one [portable-mark]" \
		"1:1: error: wg-quick does not know this header: write '[Interface]' without white space [portable-space]" \
		"3:14: error: wg-quick does not know KillSwitch: put '#wgctl: ' in front of the line [portable-key]" \
		"4:1: error: wg-quick does not know MTU with white space in its name: remove it [portable-space]" \
		"5:12: warning: wg-quick before 1.0.20260223 ends the command at the '#': keep it in a script [portable-hash]" \
		"8:8: error: wg-quick does not know Name: put '#wgctl: ' in front of the line [portable-key]" \
		"9:26: error: wg-quick does not know '!': write what the list comes to, as \`wgctl strip' prints it [portable-exclusion]" \
		"9:39: error: wg before 1.0.20260223 refuses '+' in a file: write the whole list without it [portable-sign]" \
		"13:28: warning: wg-quick passes over this comment, and goes on without PresharedKeyFile [portable-ignored]"
}

# wg_takes: whether wg reads what wg-quick makes of wg0.conf; it fails in any case, as lo is no tunnel.
wg_takes() {
	[[ $(wg setconf lo <(wg-quick strip ./wg0.conf) 2>&1) == "Unable to modify interface"* ]]
}

@test "portable is what wg-quick and wg take" {
	need wg wg-quick
	[[ $EUID -eq 0 ]] || leave "wg-quick needs root"
	with "Address = 10.0.0.1/24" "mtu=1400" "#wgctl: KillSwitch = no" '[ Peer ]' "Public Key = $pub_b" "#wgctl: Name = a" \
		"# Name = a" "Allowed IPs = 10.0. 0.0/8"
	"$WGCTL" check --portable wg0.conf
	wg_takes
	local lines
	for lines in '[ Interface ]\nMTU = 1400' 'M TU = 1400' 'KillSwitch = no' '[Peer]\nPublicKey = @\nName = a' \
		'[Peer]\nPublicKey = @\nAllowedIPs = !::/0'; do
		with "$(printf '%b' "${lines/@/$pub_b}")"
		"$WGCTL" check wg0.conf
		run "$WGCTL" check --portable wg0.conf
		assert_failure 1
		run wg_takes
		assert_failure
	done
	with
	printf '\xef\xbb\xbf%s\n' "$(cat wg0.conf)" >wg0.conf
	run "$WGCTL" check --portable wg0.conf
	assert_failure 1
	run wg_takes
	assert_failure
}

@test "JSON" {
	with "MTU = 1500" '[Peer]' "PublicKey = $pub_a"
	chmod 755 .
	chmod 644 wg0.conf
	run --separate-stderr "$WGCTL" check --json wg0.conf
	assert_failure 1
	assert_equal "$(jq -S -c . <<<"$output")" "$(
		jq -S -c . <<-END
			{"errors": 1, "warnings": 2, "findings": [
			{"file": "wg0.conf", "line": null, "column": null, "severity": "warning", "code": "exposed-file",
			 "message": "accessible to other users; \`chmod 600' keeps its keys secret"},
			{"file": "wg0.conf", "line": 3, "column": 7, "severity": "warning", "code": "mtu-too-large",
			 "message": "MTU 1500 does not fit through a network of 1500 bytes with WireGuard's headers: use 1420, or remove the line"},
			{"file": "wg0.conf", "line": 5, "column": 13, "severity": "error", "code": "own-key-as-peer",
			 "message": "this is the interface's own key, which belongs to its PrivateKey: put the other side's public key here"}]}
		END
	)"
	printf '' >empty.conf
	chmod 600 empty.conf
	run --separate-stderr "$WGCTL" check --json empty.conf
	assert_success
	assert_output '{"findings":[],"errors":0,"warnings":0}'
}

@test "several files, by name too, and wrong usage" {
	with
	WGCTL_PATH=$PWD run --separate-stderr "$WGCTL" check wg0 wg1.conf wg0.conf wg2
	assert_failure 1
	assert_output "wg1.conf: error: cannot open the file: No such file or directory [unreadable]
wg2: error: wg2: no configuration found; looked for $PWD/wg2.conf [unreadable]
2 errors, 0 warnings"
	run "$WGCTL" check
	assert_failure 1
	assert_output --partial "Usage: wgctl check [--portable] [--json] FILE|NAME..."
	run "$WGCTL" check --portabel wg0.conf
	assert_failure 1
	assert_line "wgctl: unknown option \`--portabel' of \`check'; did you mean \`--portable'?"
}
