# SPDX-License-Identifier: MIT
# set, setconf, addconf, syncconf on a live tunnel: what differential.bats, which compares them with wg, does not see.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg
	common_setup
}

teardown() {
	common_teardown
}

# An engine without a configuration, $A.
alone() {
	new_namespace left l
	new_keys
	left "$WGCTL_ENGINE" "$A"
	wait_for 5 wg show "$A"
}

# Two ends with a session; the files without wg-quick's keys, a.conf without what `up` may have chosen otherwise.
tunnel() {
	new_pair
	new_tunnel
	left "$WGCTL" up -q "$A.conf"
	right "$WGCTL" up -q "$B.conf"
	ping_through "$left" 10.9.0.2
	grep -v '^\(Address\|ListenPort\|PrivateKey\)' "$A.conf" >a.conf
}

handshake() {
	wg show "$A" latest-handshakes
}

@test "keys come from a file, standard input or a process, and go with an empty file" {
	alone
	"$WGCTL" set "$A" private-key <(echo "$key_a")
	assert_equal "$(wg show "$A" private-key)" "$key_a"
	"$WGCTL" set "$A" private-key /dev/stdin <<<"$key_b"
	assert_equal "$(wg show "$A" private-key)" "$key_b"
	echo "$psk" >psk
	"$WGCTL" set "$A" peer "$pub_a" preshared-key psk
	assert_equal "$(wg show "$A" preshared-keys)" "$pub_a	$psk"
	: >empty
	"$WGCTL" set "$A" private-key empty peer "$pub_a" preshared-key /dev/null
	assert_equal "$(wg show "$A" dump)" "(none)	(none)	0	off
$pub_a	(none)	(none)	(none)	0	0	0	off"
}

@test "a command that failed to give a key does not remove the key" {
	alone
	"$WGCTL" set "$A" private-key <(echo "$key_a")
	run "$WGCTL" set "$A" private-key <(false)
	assert_failure 1
	assert_output --partial "nothing came: expected a key in base64"
	assert_equal "$(wg show "$A" private-key)" "$key_a"
}

@test "a key in place of its file is refused and not repeated" {
	alone
	run "$WGCTL" set "$A" private-key "$key_a"
	assert_failure 1
	assert_output "wgctl: private-key: expected the name of a file that holds the key, not the key itself"
}

@test "slips in words are explained" {
	alone
	run "$WGCTL" set "$A" listenport 1
	assert_failure 1
	assert_output "wgctl: set: unknown argument \`listenport'; did you mean \`listen-port'?"
	run "$WGCTL" set "$A" peer "$pub_a" fwmark 1
	assert_failure 1
	assert_output "wgctl: set: \`fwmark' is not about a peer: it belongs before the first \`peer'"
	run "$WGCTL" set "$A" endpoint 192.0.2.1:1
	assert_failure 1
	assert_output "wgctl: set: \`endpoint' is about a peer: it belongs behind \`peer KEY'"
	run "$WGCTL" set "$A" peer "$pub_a" allowed-ips
	assert_failure 1
	assert_output "wgctl: set: \`allowed-ips' needs a value behind it"
	run "$WGCTL" set "$A" listen-port 65536
	assert_failure 1
	assert_output --partial "listen-port: '65536' is no port: expected 0 to 65535"
	assert_equal "$(wg show "$A" dump)" "(none)	(none)	0	off"
}

@test "a mistake in a file is named with its line and column, and nothing is changed" {
	alone
	"$WGCTL" set "$A" fwmark 7 peer "$pub_a" allowed-ips 10.0.0.1
	before=$(wg showconf "$A")
	printf '[Interface]\nFwMark = 8\n[Peer]\nPublicKey = %s\nAllowedIPs = ::/0, 10.0.0.0/33\n' "$pub_b" >wrong.conf
	for command in setconf addconf syncconf; do
		run "$WGCTL" $command "$A" wrong.conf
		assert_failure 1
		assert_output "wrong.conf:5:20: error: '10.0.0.0/33' is no prefix: expected one such as 10.0.0.0/24 or fd00::/64"
		assert_equal "$(wg showconf "$A")" "$before"
	done
	printf '[Interface]\nAddress = 10.0.0.1/24\n' >quick.conf
	run "$WGCTL" setconf "$A" quick.conf
	assert_failure 1
	assert_output "quick.conf:2:11: error: Address is for wg-quick and \`wgctl up': remove the line here"
}

@test "what is excluded is taken out, by words and by files" {
	alone
	"$WGCTL" set "$A" peer "$pub_a" allowed-ips '10.0.0.0/30,fd00::/127, !10.0.0.1,!fd00::/128'
	assert_equal "$(wg show "$A" allowed-ips)" "$pub_a	10.0.0.0/32 10.0.0.2/31 fd00::1/128"
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = !10.0.0.3, 10.0.0.2/31\n' "$pub_a" >file
	for command in setconf addconf syncconf; do
		"$WGCTL" set "$A" peer "$pub_a" allowed-ips 10.1.0.0/16
		"$WGCTL" "$command" "$A" file
		assert_equal "$(wg show "$A" allowed-ips)" "$pub_a	10.0.0.2/32"
	done
}

@test "keys of our own in a file of wg's keys" {
	alone
	echo "$key_a" >key
	echo "$psk" >psk
	cat >file <<-END
		[Interface]
		PrivateKeyFile = key
		#wgctl: KillSwitch = yes
		[Peer]
		PublicKey = $pub_b
		Name = bob
		#wgctl: PresharedKeyFile = $PWD/psk
	END
	run -0 "$WGCTL" setconf "$A" file
	assert_output ""
	assert_equal "$(wg show "$A" private-key)" "$key_a"
	assert_equal "$(wg show "$A" preshared-keys)" "$pub_b	$psk"
	chmod 644 key
	chmod 755 .
	run -0 "$WGCTL" syncconf "$A" file
	assert_output --regexp '^file:2:18: warning: PrivateKeyFile is accessible to other users'
	refute_output --partial "$key_a"
	sed -i 's/PublicKey/#wgctl: Nmae = x\n&/' file
	run -1 "$WGCTL" setconf "$A" file
	assert_output "file:5:9: error: unknown key 'Nmae' in [Peer]: did you mean 'Name'?"
}

@test "host bits are a warning" {
	alone
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.1.2.3/8\n' "$pub_a" >a.conf
	run "$WGCTL" addconf "$A" a.conf
	assert_success
	assert_output "a.conf:3:14: warning: AllowedIPs 10.1.2.3/8 has host bits set: 10.0.0.0/8 is used instead"
	run "$WGCTL" set "$A" peer "$pub_a" allowed-ips 10.1.2.3/16
	assert_success
	assert_output "wgctl: warning: AllowedIPs 10.1.2.3/16 has host bits set: 10.1.0.0/16 is used instead"
}

@test "what showconf prints is what setconf takes" {
	tunnel
	"$WGCTL" showconf "$A" >shown.conf
	"$WGCTL" set "$A" private-key /dev/null fwmark 9 peer "$pub_b" remove
	"$WGCTL" setconf "$A" shown.conf
	assert_equal "$("$WGCTL" showconf "$A")" "$(<shown.conf)"
	ping_through "$left" 10.9.0.2
}

@test "syncconf: the session, the port, the mark and the private key stay" {
	tunnel
	left "$WGCTL" set "$A" fwmark 7
	# The peer may have roamed to its other address.
	before=$(wg showconf "$A" | grep -v Endpoint)
	first=$(handshake)
	left "$WGCTL" syncconf "$A" a.conf
	assert_equal "$(wg showconf "$A" | grep -v Endpoint)" "$before"
	in_ns "$left" ping -c 1 -W 5 10.9.0.2
	assert_equal "$(handshake)" "$first"
}

@test "syncconf: peers come and go beside a session that stays" {
	tunnel
	first=$(handshake)
	left "$WGCTL" set "$A" peer "$(wg genkey | wg pubkey)" allowed-ips 10.50.0.0/16
	# Any key will do for a peer that never answers.
	printf '\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.60.0.0/16\n' "$psk" >>a.conf
	left "$WGCTL" syncconf "$A" a.conf
	run wg show "$A" allowed-ips
	assert_output "$pub_b	10.9.0.2/32 fd09::2/128 10.77.0.0/16
$psk	10.60.0.0/16"
	in_ns "$left" ping -c 1 -W 5 10.9.0.2
	assert_equal "$(handshake | head -n 1)" "$first"
}

@test "syncconf: the file's endpoint counts" {
	tunnel
	sed -i 's/^Endpoint = .*/Endpoint = [2001:db8::2]:51821/' a.conf
	left "$WGCTL" syncconf "$A" a.conf
	assert_equal "$(wg show "$A" endpoints)" "$pub_b	[2001:db8::2]:51821"
	in_ns "$left" ping -c 1 -W 5 10.9.0.2
}

@test "hosts are asked for, and one that is not there changes nothing" {
	alone
	export WG_ENDPOINT_RESOLUTION_RETRIES=0
	left "$WGCTL" set "$A" peer "$pub_a" endpoint localhost:5
	assert_equal "$(wg show "$A" endpoints | sed 's/.*\t//; s/127.0.0.1/[::1]/')" "[::1]:5"
	run left "$WGCTL" set "$A" fwmark 3 peer "$pub_a" endpoint no-such-host.invalid:5
	assert_failure 1
	assert_output --partial "cannot resolve the endpoint \`no-such-host.invalid:5'"
	assert_equal "$(wg show "$A" fwmark)" off
}

# scattered FIRST STEP LAST: the keys of these peers, in an order that is not theirs.
scattered() {
	local i
	for i in $(seq "$1" "$2" "$3"); do
		printf '%042dE=\n' $((i * 177 % 1009))
	done
}

# shows_order KEYS...: dump, showconf and the peers themselves are in this order.
shows_order() {
	local expected
	expected=$(cat "$@")
	diff <("$WGCTL" show "$A" peers) - <<<"$expected"
	diff <("$WGCTL" show "$A" dump | tail -n +2 | cut -f 1) - <<<"$expected"
	diff <("$WGCTL" showconf "$A" | sed -n 's/^PublicKey = //p') - <<<"$expected"
}

@test "peers are shown in the order of the file, those that were there in their old places" {
	alone
	scattered 1 1 200 >all
	tac all >backwards
	scattered 1 2 300 >other
	for name in all backwards other; do
		sed 's/.*/[Peer]\nPublicKey = &/' $name >$name.conf
	done
	tac other.conf | sed 'N;s/\(.*\)\n\(.*\)/\2\n\1/' >other-backwards.conf
	grep -vxFf all other >new
	grep -xFf other all >stays
	refute [ "$(sort all)" = "$(cat all)" ]
	for tool in wg "$WGCTL"; do
		"$tool" setconf "$A" all.conf
		shows_order all
		"$tool" setconf "$A" backwards.conf
		shows_order backwards
		"$tool" syncconf "$A" all.conf
		shows_order backwards
		"$tool" setconf "$A" all.conf
		"$tool" addconf "$A" other.conf
		shows_order all new
		"$tool" setconf "$A" all.conf
		"$tool" syncconf "$A" other-backwards.conf
		shows_order stays <(tac new)
		"$tool" set "$A" peer "$(head -n 1 all)" remove
		"$tool" set "$A" peer "$(head -n 1 all)"
		shows_order <(tail -n +2 stays) <(tac new) <(head -n 1 all)
	done
}

@test "an interface that is not there" {
	printf '[Interface]\n' >empty.conf
	for words in "set $A fwmark 1" "setconf $A empty.conf" "addconf $A empty.conf"; do
		run "$WGCTL" $words
		assert_failure 1
		assert_output "Unable to modify interface: No such device"
	done
	for words in "showconf $A" "syncconf $A empty.conf"; do
		run "$WGCTL" $words
		assert_failure 1
		assert_output "Unable to access interface: No such device"
	done
}

@test "showconf fails when nobody takes what it shows" {
	alone
	run bash -c "'$WGCTL' showconf $A >/dev/full"
	assert_failure 1
	assert_output --partial "No space left"
}

@test "by the name wg it has wg's commands, and options are words" {
	alone
	ln -s "$WGCTL" wg
	run --separate-stderr ./wg --version
	assert_success
	assert_output --regexp '^wireguard-tools v[0-9.]+ - wgctl [0-9.]+$'
	run --separate-stderr ./wg
	assert_success
	assert_output --partial "interface: $A"
	run ./wg up "$A"
	assert_failure 1
	assert_line "Invalid subcommand: \`up'"
	run ./wg show "$A" --json
	assert_failure 1
	assert_line "Invalid parameter: \`--json'"
	run ./wg genkey more
	assert_failure 1
	assert_output "Usage: wg genkey"
	./wg set "$A" peer "$pub_a" allowed-ips 10.0.0.1/32
	./wg set "$A" peer "$pub_a" allowed-ips -10.0.0.1/32
	assert_equal "$(./wg show "$A" allowed-ips)" "$pub_a	(none)"
}
