# SPDX-License-Identifier: MIT
# Names of peers: from the interface's configuration file to where keys are shown and asked for.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

# An engine with two peers, one of which the file names.
setup() {
	load helpers.bash
	need_tun
	need wg jq
	common_setup
	new_namespace left l
	new_keys
	export WGCTL_PATH=$PWD/conf
	mkdir conf
	printf '[Peer]\nPublicKey = %s\nName = alice\n[Peer]\nPublicKey = %s\n' "$pub_a" "$pub_b" >"conf/$A.conf"
	left "$WGCTL_ENGINE" "$A"
	wait_for 5 wg show "$A"
	"$WGCTL" set "$A" peer "$pub_a" allowed-ips 10.0.0.1 peer "$pub_b"
	ln -s "$(command -v "$WGCTL")" wg
}

teardown() {
	common_teardown
}

@test "show calls a peer by its name, with its key below" {
	WG_COLOR_MODE=never run -0 "$WGCTL" show "$A"
	assert_line --index 1 "peer: alice"
	assert_line --index 2 "  public key: $pub_a"
	assert_line "peer: $pub_b"
	run -0 "$WGCTL" show
	assert_line "peer: alice"
	WG_COLOR_MODE=always run -0 "$WGCTL" show "$A"
	assert_line --partial $'\e[33malice\e[0m'
}

@test "the field of names, of one interface and of all" {
	run -0 "$WGCTL" show "$A" names
	assert_output "$pub_a	alice
$pub_b	(none)"
	run -0 "$WGCTL" show all names
	assert_line "$A	$pub_a	alice"
}

@test "JSON has the name, or null" {
	run -0 "$WGCTL" show --json "$A"
	assert_equal "$(jq -c '[.interfaces[0].peers[].name]' <<<"$output")" '["alice",null]'
	run -0 "$WGCTL" show --json "$A" dump
	assert_equal "$(jq -c '[.interfaces[0].peers[].name]' <<<"$output")" '["alice",null]'
	run -0 "$WGCTL" show --json "$A" names
	assert_equal "$(jq -c '.interfaces[0].peers[0]' <<<"$output")" '{"public_key":"'"$pub_a"'","name":"alice"}'
	run -0 "$WGCTL" show --json "$A" endpoints
	assert_equal "$(jq -c '.interfaces[0].peers[0] | has("name")' <<<"$output")" false
}

@test "showconf names peers in comments, which setconf takes" {
	run -0 "$WGCTL" showconf "$A"
	assert_line "# Name = alice"
	diff <(grep -v '^# Name' <<<"$output") <(wg showconf "$A")
	"$WGCTL" showconf "$A" >file
	"$WGCTL" setconf "$A" file
	wg setconf "$A" file
	assert_equal "$("$WGCTL" showconf "$A")" "$(<file)"
}

@test "what scripts read has no names" {
	local field
	for field in peers endpoints allowed-ips latest-handshakes transfer persistent-keepalive preshared-keys dump; do
		assert_equal "$("$WGCTL" show "$A" "$field")" "$(wg show "$A" "$field")"
	done
}

@test "by the name wg there are no names" {
	assert_equal "$(./wg show "$A")" "$(wg show "$A")"
	assert_equal "$(./wg showconf "$A")" "$(wg showconf "$A")"
	run -1 ./wg show "$A" names
	assert_line "Invalid parameter: \`names'"
	refute_output --partial "alice"
	run -1 ./wg set "$A" peer alice allowed-ips 10.0.0.2
	assert_output --partial "PublicKey has 5 characters"
	assert_equal "$(wg show "$A" allowed-ips | grep -c 10.0.0.2)" 0
}

@test "set takes a name for a key" {
	"$WGCTL" set "$A" peer alice allowed-ips 10.0.0.2 peer "$pub_b" allowed-ips 10.0.0.3
	assert_equal "$(wg show "$A" allowed-ips)" "$pub_a	10.0.0.2/32
$pub_b	10.0.0.3/32"
	"$WGCTL" set "$A" peer alice remove
	assert_equal "$(wg show "$A" peers)" "$pub_b"
	"$WGCTL" set "$A" peer alice allowed-ips 10.0.0.4
	run -0 "$WGCTL" show "$A" names
	assert_line "$pub_a	alice"
}

@test "set with a name that nobody has" {
	run -1 "$WGCTL" set "$A" peer alcie remove
	assert_output "wgctl: peer: 'alcie' is neither a key nor a name in $WGCTL_PATH/$A.conf; did you mean \`alice'?"
	run -1 "$WGCTL" set "$A" peer bob remove
	assert_output "wgctl: peer: 'bob' is neither a key nor a name in $WGCTL_PATH/$A.conf"
	run -1 "$WGCTL" set "$A" peer "${pub_a:0:43}" remove
	assert_output --partial "PublicKey has 43 characters"
	assert_equal "$(wg show "$A" peers | wc -l)" 2
}

@test "names are of the file that the tunnel was brought up from, wherever that is" {
	mkdir elsewhere
	printf '[Interface]\n[Peer]\nPublicKey = %s\n# Name = bob\n' "$pub_a" >"elsewhere/$B.conf"
	printf '[Interface]\n[Peer]\nPublicKey = %s\n# Name = carol\n' "$pub_a" >"conf/$B.conf"
	left "$WGCTL" up -q "elsewhere/$B.conf"
	assert_equal "$("$WGCTL" show "$B" names)" "$pub_a	bob"
	rm "elsewhere/$B.conf"
	assert_equal "$("$WGCTL" show "$B" names)" "$pub_a	carol"
	left "$WGCTL" down -q "$B"
}

@test "a file that is broken, a pipe or not there gives no names, and says nothing" {
	local file=conf/$A.conf
	echo "Nmae = bob" >>"$file"
	assert_equal "$("$WGCTL" show "$A" 2>&1)" "$(wg show "$A")"
	rm "$file"
	mkfifo "$file"
	assert_equal "$(timeout 10 "$WGCTL" show "$A" 2>&1)" "$(wg show "$A")"
	rm "$file"
	assert_equal "$("$WGCTL" show "$A" 2>&1)" "$(wg show "$A")"
	run -1 "$WGCTL" set "$A" peer alice remove
	assert_output --partial "PublicKey has 5 characters"
}
