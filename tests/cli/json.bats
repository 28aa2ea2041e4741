# SPDX-License-Identifier: MIT
# show --json: valid, of the schema that src/cli/show_json.h promises, and saying what the other forms say.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg jq
	common_setup
	new_namespace left l
	new_keys
	left "$WGCTL_ENGINE" "$A"
	wait_for 5 wg show "$A"
}

teardown() {
	common_teardown
}

# json WORDS...: show --json WORDS, as jq reads it, on one line
json() {
	"$WGCTL" show --json "$@" | jq -ce .
}

configure() {
	left "$WGCTL" set "$A" private-key <(echo "$key_a") listen-port 51820 fwmark 0x10 \
		peer "$pub_b" preshared-key <(echo "$psk") endpoint "[2001:db8::2]:5" persistent-keepalive 25 \
		allowed-ips 10.0.0.0/8,fd00::/64 \
		peer "$pub_a" remove peer "$psk"
}

@test "an engine that was told nothing" {
	assert_equal "$(json "$A")" '{"interfaces":[{"name":"'"$A"'","public_key":null,"private_key":null,"has_private_key":false,"listen_port":null,"fwmark":0,"peers":[]}]}'
}

@test "a full configuration, with its secrets hidden" {
	configure
	device='"public_key":"'$pub_a'","private_key":null,"has_private_key":true,"listen_port":null,"fwmark":16'
	[[ $(wg show "$A" listen-port) == 0 ]] || device=${device/'"listen_port":null'/'"listen_port":51820'}
	full='{"public_key":"'$pub_b'","name":null,"preshared_key":null,"has_preshared_key":true,"endpoint":"[2001:db8::2]:5","allowed_ips":["10.0.0.0/8","fd00::/64"],"latest_handshake":null,"rx_bytes":0,"tx_bytes":0,"persistent_keepalive":25}'
	bare='{"public_key":"'$psk'","name":null,"preshared_key":null,"has_preshared_key":false,"endpoint":null,"allowed_ips":[],"latest_handshake":null,"rx_bytes":0,"tx_bytes":0,"persistent_keepalive":0}'
	assert_equal "$(json "$A")" '{"interfaces":[{"name":"'"$A"'",'"$device"',"peers":['"$full,$bare"']}]}'
}

@test "secrets are shown to who asks for them" {
	configure
	assert_equal "$(WG_HIDE_KEYS=never json "$A" | jq -r '.interfaces[0] | .private_key, .peers[0].preshared_key')" "$key_a
$psk"
	assert_equal "$(json "$A" dump | jq -r '.interfaces[0] | .private_key, .peers[0].preshared_key')" "$key_a
$psk"
	run json "$A"
	refute_output --partial "$key_a"
}

@test "each field alone: the same values as wg's" {
	configure
	name='{"interfaces":[{"name":"'$A'",'
	assert_equal "$(json "$A" public-key)" "$name\"public_key\":\"$pub_a\"}]}"
	assert_equal "$(json "$A" private-key)" "$name\"private_key\":\"$key_a\",\"has_private_key\":true}]}"
	assert_equal "$(json "$A" fwmark)" "$name\"fwmark\":16}]}"
	assert_equal "$(json "$A" peers)" "$name\"peers\":[{\"public_key\":\"$pub_b\"},{\"public_key\":\"$psk\"}]}]}"
	for field in preshared-keys:preshared_key endpoints:endpoint latest-handshakes:latest_handshake \
		persistent-keepalive:persistent_keepalive; do
		ours=$(json "$A" "${field%:*}" | jq -r ".interfaces[].peers[] | [.public_key, .${field#*:} // \"none\"] | @tsv" |
			sed 's/\t0$/\tnone/')
		theirs=$(wg show "$A" "${field%:*}" | sed 's/\t\((none)\|0\|off\)$/\tnone/')
		assert_equal "$ours" "$theirs"
	done
	assert_equal "$(json "$A" allowed-ips | jq -r '.interfaces[].peers[] | [.public_key, (.allowed_ips | join(" "))] | @tsv')" \
		"$(wg show "$A" allowed-ips | sed 's/(none)//')"
	assert_equal "$(json "$A" transfer | jq -r '.interfaces[].peers[] | [.public_key, .rx_bytes, .tx_bytes] | @tsv')" \
		"$(wg show "$A" transfer)"
}

@test "counters and times of 64 bits" {
	cat >reply <<-END
		public_key=$(printf '%064x' 1)
		last_handshake_time_sec=1700000000
		last_handshake_time_nsec=5
		rx_bytes=18446744073709551615
		tx_bytes=9007199254740993
		errno=0

	END
	stub_engine "$B" reply
	run "$WGCTL" show "$B" --json
	assert_success
	assert_output --partial '"latest_handshake":1700000000,"rx_bytes":18446744073709551615,"tx_bytes":9007199254740993,'
	jq -e . <<<"$output"
}

@test "all and interfaces have the same shape" {
	# Other tests' interfaces come and go meanwhile.
	for words in "" all "all dump" interfaces; do
		run --separate-stderr "$WGCTL" show --json $words
		assert_success
		jq -e --arg name "$A" '[.interfaces[].name] | index($name) != null' <<<"$output"
	done
}

@test "words that are wrong are wrong with --json too" {
	run --separate-stderr "$WGCTL" show --json "$A" nonsense
	assert_failure 1
	assert_equal "$output" ""
	run --separate-stderr "$WGCTL" show --json nosuchif0
	assert_failure 1
	assert_equal "$output" ""
	assert_equal "$stderr" "Unable to access interface: No such device"
	run "$WGCTL" show --jsno
	assert_failure 1
	assert_line "wgctl: unknown option \`--jsno' of \`show'; did you mean \`--json'?"
}
