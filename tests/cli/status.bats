# SPDX-License-Identifier: MIT
# status: the exit status, the lines and the JSON, of engines that are well, that are not, and of stubs at the bounds.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg jq
	common_setup
	private_sockets
}

teardown() {
	common_teardown
}

# says STATUS WORDS...: the exit status of wgctl status; its output is in $output and $stderr.
says() {
	run --separate-stderr "$WGCTL" status "${@:2}"
	assert_equal "$status" "$1"
}

# peer NUMBER SECONDS_AGO KEEPALIVE TX [LINE...]: as a get reply has it; "never" for no handshake
peer() {
	local then=0
	[[ $2 == never ]] || then=$(($(date +%s) - $2))
	printf 'public_key=%064x\nlast_handshake_time_sec=%d\nlast_handshake_time_nsec=0\n' "$1" "$then"
	printf 'persistent_keepalive_interval=%d\ntx_bytes=%d\nrx_bytes=0\n' "$3" "$4"
	(($# < 5)) || printf '%s\n' "${@:5}"
}

finish() {
	printf 'errno=0\n\n'
}

key() {
	perl -MMIME::Base64 -e 'print encode_base64(pack("H*", sprintf("%064x", shift)), "")' "$1"
}

live_tunnel() {
	new_pair
	new_tunnel
	sed -i "s/^Endpoint = .2001.*/Endpoint = 192.0.2.1:51820/" "$B.conf" # one address, so that nothing moves
	left "$WGCTL" up -q "$A.conf"
	right "$WGCTL" up -q "$B.conf"
}

@test "a live tunnel: healthy, by interface and by peer; then its far end goes" {
	live_tunnel
	ping_through "$left" 10.9.0.2
	says 0 "$A"
	assert_output --regexp "^$A: healthy, 1 of 1 peers up, last handshake [0-9]+ seconds? ago$"
	says 0 "$pub_b"
	assert_output --regexp "^$A ${pub_b//+/\\+}: healthy, last handshake [0-9]+ seconds? ago \(endpoint 192\.0\.2\.2:51821\)$"
	says 0 "${pub_b:0:12}"
	says 0 "$B" "$pub_a"
	says 0 --quiet "$A"
	assert_output ""
	says 0 --json "$A"
	assert_equal "$(jq -c --arg key "$pub_b" '[.healthy, (.interfaces[0] | .name, .healthy, .problem, (.peers[0] |
		.public_key == $key, .name, .endpoint, (.latest_handshake | type), .healthy, .state))]' <<<"$output")" \
		"[true,\"$A\",true,null,true,null,\"192.0.2.2:51821\",\"number\",true,\"up\"]"
	# A second is soon over.
	old() { ! "$WGCTL" status -q --max-age 1 "$A"; }
	wait_for 5 old
	says 1 --max-age 1 "$A"
	assert_line --index 0 --regexp "^$A: unhealthy, 0 of 1 peers up, last handshake "
	assert_line --index 1 --regexp "^$A ${pub_b//+/\\+}: no handshake for [0-9]+ (seconds?|minutes?) \(endpoint 192\.0\.2\.2:51821\)$"
	right "$WGCTL" down -q "$B.conf"
	says 2 "$B"
}

@test "--wait: until there is an interface, and a handshake" {
	live_tunnel
	"$WGCTL" status --wait 20 "$A" "$pub_b" >out 3>&- &
	waits=$!
	ping_through "$left" 10.9.0.2
	wait "$waits"
	grep -qF "$A $pub_b: healthy, " out
	left "$WGCTL" down -q "$A.conf"
	says 2 "$A"
	"$WGCTL" status --wait 20 "$A" >out 3>&- &
	waits=$!
	left "$WGCTL" up -q "$A.conf"
	wait "$waits"
	# The other side may have something to say.
	grep -qE "^$A: healthy, [01] of 1 peers up" out
}

@test "--wait ends when its time is over" {
	(
		peer 1 500 25 0
		finish
	) >reply
	stub_engine "$A" reply
	start=$(date +%s%N)
	says 1 --wait 1.5 "$A"
	took=$(($(date +%s%N) - start))
	((took >= 1500000000)) || fail "it took $took ns"
	says 2 --wait 0.3 "${A}x"
	assert_equal "$stderr" "wgctl: there is no interface or peer \`${A}x'"
}

@test "idle and down: by keepalive, by packets without an answer, by name and by age" {
	(
		peer 1 10 0 9 endpoint=192.0.2.1:1
		peer 2 4000 0 9
		peer 3 never 0 0
		finish
	) >reply
	stub_engine "$A" reply
	says 0 "$A"
	assert_output "$A: healthy, 1 of 3 peers up, last handshake $(grep -oE '1[0-9] seconds' <<<"$output") ago"
	says 1 "$A" "$(key 2)"
	assert_output "$A $(key 2): no handshake for 1 hour (no endpoint)"
	says 1 --json "$A" "$(key 3)"
	assert_equal "$(jq -c '[.healthy, (.interfaces[].peers[] | .healthy, .state, .latest_handshake)]' <<<"$output")" \
		'[false,false,"idle",null]'
	says 1 --max-age 5000 "$A"
	assert_line --index 1 "$A $(key 3): no handshake yet (no endpoint)"
	assert_equal "${#lines[@]}" 2
	says 1 --max-age 3999 "$A"
	assert_equal "${#lines[@]}" 3

	(
		peer 1 200 25 0
		peer 2 130000 25 0
		peer 3 never 0 148 endpoint=192.0.2.3:3
		peer 4 400 300 0
		finish
	) >reply
	says 1 "$A"
	assert_line --index 0 --partial "$A: unhealthy, 1 of 4 peers up, last handshake 3 minutes ago"
	assert_line --index 1 "$A $(key 1): no handshake for 3 minutes (no endpoint)"
	assert_line --index 2 "$A $(key 2): no handshake for 1 day (no endpoint)"
	assert_line --index 3 "$A $(key 3): no handshake yet (endpoint 192.0.2.3:3)"
	assert_equal "${#lines[@]}" 4
	says 1 -q "$A"
	assert_output ""
	says 1 --json "$A"
	assert_equal "$(jq -c '[.healthy, .interfaces[0].healthy, [.interfaces[].peers[] | .state]]' <<<"$output")" \
		'[false,false,["down","down","down","up"]]'
}

@test "a word that may mean several, or nothing" {
	(
		peer 1 10 0 0
		peer 2 10 0 0
		finish
	) >one
	(
		peer 1 10 0 0
		finish
	) >two
	stub_engine "$A" one
	stub_engine "$B" two
	says 2 "$A" AAAA
	assert_equal "$stderr" "wgctl: \`AAAA' may be $A $(key 1) or $A $(key 2)"
	assert_output ""
	# In both interfaces, the order being the directory's.
	says 2 "$(key 1)"
	[[ $stderr == *" may be $A $(key 1) or $B $(key 1)" || $stderr == *" may be $B $(key 1) or $A $(key 1)" ]] ||
		fail "$stderr"
	says 0 "$B" "$(key 1)"
	says 0 "$(key 2)"
	says 2 "$A" AAA # too short to mean a key
	says 2 "$A" nobody
	assert_equal "$stderr" "wgctl: there is no peer \`nobody'"
	says 2 "nobody$id"
	assert_equal "$stderr" "wgctl: there is no interface or peer \`nobody$id'"
	says 2 "${A}x" nobody
	assert_equal "$stderr" "wgctl: there is no interface \`${A}x'"
	says 2 "a-name-that-no-interface-can-have" nobody
	says 2 --json "nobody$id"
	assert_output ""
}

@test "names of peers" {
	(
		peer 1 10 0 0
		peer 2 never 0 0
		finish
	) >reply
	stub_engine "$A" reply
	stub_engine "$B" reply
	export WGCTL_PATH=$PWD
	for name in "$A" "$B"; do
		printf '[Interface]\n[Peer]\nPublicKey = %s\n# Name = alice %s\n[Peer]\nPublicKey = %s\n# Name = bob\n' \
			"$(key 1)" "$name" "$(key 2)" >"$name.conf"
	done
	says 0 "alice $B"
	assert_output --regexp "^$B alice $B: healthy, last handshake [0-9]+ seconds ago \(no endpoint\)$"
	says 2 bob
	[[ $stderr == "wgctl: \`bob' may be $A bob or $B bob" || $stderr == "wgctl: \`bob' may be $B bob or $A bob" ]] || fail "$stderr"
	says 1 --json "$A" bob
	assert_equal "$(jq -r '.interfaces[0].peers[0].name' <<<"$output")" bob
}

@test "an engine that hangs or talks nonsense is unhealthy" {
	echo nonsense >reply
	stub_engine "$A" reply
	says 1 "$A"
	assert_output --regexp "^$A: unhealthy, .+$"
	says 1 --json "$A"
	assert_equal "$(jq -c '[.healthy, (.interfaces[0] | .healthy, .problem != null, .peers)]' <<<"$output")" \
		'[false,false,true,[]]'
	new_namespace left l
	left "$WGCTL_ENGINE" "$B"
	wait_for 5 "$WGCTL" show "$B"
	says 0 "$B"
	assert_output "$B: healthy, 0 of 0 peers up"
	for pid in $(engine_pids "$left" "$B"); do kill -STOP "$pid"; done
	says 1 --wait 0.5 "$B"
	assert_output "$B: unhealthy, the engine does not answer"
	# Such a one may have the peer that is looked for.
	says 1 --wait 0.5 "$B" "$(key 5)"
	for pid in $(engine_pids "$left" "$B"); do kill -CONT "$pid"; done
}

@test "words that are wrong: exit status 2, as 1 is an answer" {
	for words in "--wait x" "--wait" "--max-age 0" "--wiat 3" "a b c"; do
		says 2 $words
		assert_output ""
		[[ $stderr == *"Usage: wgctl status "* ]] || fail "$words: $stderr"
	done
}
