# SPDX-License-Identifier: MIT
# watch: on a real pseudo-terminal (terminal.py checks the width of every line, and how the terminal is left), and off it.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg jq python3
	common_setup
	private_sockets
	unset NO_COLOR
}

teardown() {
	common_teardown
}

on_terminal() {
	run --separate-stderr /usr/bin/python3 "$BATS_TEST_DIRNAME/terminal.py" "$@"
	assert_equal "$stderr" ""
}

# A tunnel with a handshake behind it.
live_tunnel() {
	new_pair
	new_tunnel
	sed -i "s/^Endpoint = .2001.*/Endpoint = 192.0.2.1:51820/" "$B.conf" # one address, so that nothing moves
	left "$WGCTL" up -q "$A.conf"
	right "$WGCTL" up -q "$B.conf"
	ping_through "$left" 10.9.0.2
}

# An engine that has NUMBER peers, with long endpoints.
crowd() {
	local words=() i
	new_namespace left l
	for ((i = 0; i < $1; i++)); do
		words+=(peer "$(wg genpsk)" endpoint "[2001:db8:1234:5678:9abc:def0:1234:$((1000 + i))]:51820")
	done
	left "$WGCTL_ENGINE" "$A"
	wait_for 5 "$WGCTL" show "$A"
	left "$WGCTL" set "$A" private-key <(wg genkey) "${words[@]}"
}

# lines_have FILE FILTER: jq's filter holds for some line.
lines_have() {
	jq -en "[inputs] | any(.[]; $2)" "$1"
}

@test "a page at each width: what fits, and the least important columns left out" {
	live_tunnel
	on_terminal --size 200x24 "see 1 of 1 peers up; frames 2; key q" "$WGCTL" watch --interval 0.1 "$A"
	assert_success
	assert_line --index 0 --regexp '^PEER +STATE +ENDPOINT +HANDSHAKE +RX/S +TX/S +RX +TX$'
	assert_line --index 1 "$A: 1 of 1 peers up"
	assert_line --index 2 --regexp "^${pub_b//+/\\+}  up     192\.0\.2\.2:51821 +[0-9]+s  .* B  .*B$"
	on_terminal --size 64x24 "see 1 of 1 peers up; frames 2; key q" "$WGCTL" watch --interval 0.1 "$A"
	assert_line --index 0 --regexp '^PEER +STATE +ENDPOINT +HANDSHAKE +RX/S +TX/S$'
	assert_line --index 2 --regexp "^.{8,}… +up +192\.0\.2\.2:51821 "
	on_terminal --size 40x24 "see 1 of 1 peers up; frames 2; key q" "$WGCTL" watch --interval 0.1 "$A"
	assert_line --index 0 --regexp '^PEER +(STATE +)?HANDSHAKE +RX/S +TX/S$'
	for width in 1 9 20 39 41 60 79 80 81 100; do
		on_terminal --size "${width}x5" "frames 1; key q" "$WGCTL" watch --interval 0.1 "$A"
		assert_success
	done
}

@test "names, as wide as they are on a terminal" {
	live_tunnel
	printf '# Name = %s\n' "東京サーバー" >>"$A.conf"
	export WGCTL_PATH=$PWD
	on_terminal --size 100x24 "see 1 of 1 peers up; frames 1; key q" "$WGCTL" watch --interval 0.1 "$A"
	assert_line --index 0 --partial "PEER          STATE"
	assert_line --index 2 --partial "東京サーバー  up "
	for width in 8 9 10 11 12 13 40; do
		on_terminal --size "${width}x24" "frames 1; key q" "$WGCTL" watch --interval 0.1 "$A"
		assert_success
	done
	assert_line --index 2 --partial "東京サー"
	assert_equal "$("$WGCTL" watch --json --count 1 "$A" | jq -r .interfaces[0].peers[0].name)" "東京サーバー"
}

@test "more peers than lines: the page says how many" {
	crowd 30
	for size in 40x10 80x24 200x12; do
		on_terminal --size $size "see more lines; frames 1; key q" "$WGCTL" watch --interval 0.1 "$A"
		assert_success
		height=${size#*x}
		assert_equal "${#lines[@]}" $((height + 1)) # and the one that says what came after the page
		assert_line "$((1 + 30 - (height - 2))) more lines"
	done
	on_terminal --size 80x40 "see 0 of 30; frames 1; key q" "$WGCTL" watch --interval 0.1 "$A"
	refute_output --partial more
}

@test "q, and each signal that ends: the terminal is as it was, and the status tells" {
	crowd 1
	on_terminal "frames 1; key q" "$WGCTL" watch "$A"
	assert_success
	on_terminal "frames 1; key xyzQ" "$WGCTL" watch "$A"
	assert_success
	on_terminal "frames 1; key $(printf '\003')" "$WGCTL" watch "$A"
	assert_failure 130
	for signal in INT:130 TERM:143 HUP:129 QUIT:131; do
		on_terminal "frames 1; signal ${signal%:*}; end" "$WGCTL" watch --interval 0.1 "$A"
		assert_failure "${signal#*:}"
		assert_line "after: '\\x1b[?25h'"
	done
}

@test "Ctrl-Z and SIGTSTP give the terminal back until it goes on" {
	crowd 1
	for stop in "key $(printf '\032')" "signal TSTP"; do
		on_terminal "frames 1; $stop; stopped; frames 2; $stop; stopped; frames 1; key q" \
			"$WGCTL" watch --interval 0.1 "$A"
		assert_success
	done
}

@test "it ends while it is stopped" {
	crowd 1
	on_terminal "frames 1; signal TSTP; stopped TERM; end" "$WGCTL" watch --interval 0.1 "$A"
	assert_failure 143
}

@test "another size of the terminal" {
	crowd 3
	# The next tick is far away: the change alone makes it draw.
	on_terminal --size 200x24 "see ENDPOINT; size 40x6; size 100x10; key q" "$WGCTL" watch --interval 3600 "$A"
	assert_success
	assert_line --index 0 --partial ENDPOINT
	assert_line --index 3 --partial …
}

@test "--count: so many pictures, and the last one stays to be read" {
	crowd 1
	on_terminal end "$WGCTL" watch --count 2 --interval 0.1 "$A"
	assert_success
	assert_output --regexp "after: .*PEER .*$A: 0 of 1 peers up"
}

@test "colours only where they are wanted" {
	crowd 1
	local colour=$'\x1b[1mPEER'
	plain() { run -"${2:-0}" script -qec "stty cols 80; $1 $WGCTL watch --count 1 $A" /dev/null; }
	plain "TERM=xterm"
	assert_output --partial "$colour"
	for way in NO_COLOR=1 WG_COLOR_MODE=never "NO_COLOR=1 WG_COLOR_MODE=never"; do
		plain "TERM=xterm $way"
		refute_output --partial "$colour"
		assert_output --partial PEER
	done
	for way in NO_COLOR= "NO_COLOR=1 WG_COLOR_MODE=always"; do
		plain "TERM=xterm $way"
		assert_output --partial "$colour"
	done
}

@test "off a terminal, and on one that can do nothing: plain text" {
	crowd 2
	run --separate-stderr "$WGCTL" watch --count 2 --interval 0.1 "$A"
	assert_success
	refute_output --regexp $'[\x01-\x09\x0b-\x1f\x7f]'
	assert_equal "$(grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$' <<<"$output")" 2
	assert_equal "$(grep -c '^PEER ' <<<"$output")" 2
	assert_equal "$(grep -cE '^[A-Za-z0-9+/]{43}=  idle   \[2001:db8:[0-9a-f:]+\]:51820 +never ' <<<"$output")" 4
	on_terminal --term dumb end "$WGCTL" watch --count 1 "$A"
	assert_success
	refute_output --partial '\x1b'
}

@test "a terminal to write to, but none to read from" {
	crowd 1
	on_terminal --no-input "frames 2; signal INT" "$WGCTL" watch --interval 0.1 "$A"
	assert_failure 130
}

@test "a reader that goes away ends it" {
	crowd 1
	run bash -c '"$1" watch --json --interval 0.1 "$2" | head -n 1 | jq -c .interfaces[0].name' - "$WGCTL" "$A"
	assert_success
	assert_output "\"$A\""
}

@test "JSON lines: the schema, no rate at first, then what went through" {
	live_tunnel
	"$WGCTL" watch --json --count 2 --interval 0.1 "$A" >out
	assert_equal "$(wc -l <out)" 2
	assert_equal "$(head -n 1 out | jq -c --arg key "$pub_b" '[(.time | type), (.interfaces | length), (.interfaces[0] |
		.name, .problem, (.peers[0] | .public_key == $key, .name, .endpoint, (.latest_handshake > 1700000000),
		(.rx_bytes > 0), (.tx_bytes > 0), .rx_rate, .tx_rate, .state))]')" \
		"[\"number\",1,\"$A\",null,true,null,\"192.0.2.2:51821\",true,true,true,null,null,\"up\"]"
	assert_equal "$(tail -n 1 out | jq -c '.interfaces[0].peers[0] | [.rx_rate, .tx_rate | type]')" '["number","number"]'
	# The same as show --json has, as far as it goes.
	fields='.interfaces[0] | {name, peers: [.peers[] | {public_key, endpoint, latest_handshake}]}'
	assert_equal "$(tail -n 1 out | jq -c "$fields")" "$("$WGCTL" show "$A" --json | jq -c "$fields")"

	"$WGCTL" watch --json --interval 0.1 "$A" >out 3>&- &
	started+=($!)
	wait_for 10 test -s out
	left ping -q -c 20 -s 1000 -i 0.05 10.9.0.2
	# Whole lines only: the last may be on its way.
	rates_seen() { head -n -1 out >lines && lines_have lines '.interfaces[0].peers[0] | .rx_rate > 5000 and .tx_rate > 5000'; }
	wait_for 10 rates_seen
	# Some 20 packets a second of 1 KiB at most.
	refute lines_have lines '.interfaces[0].peers[0] | .rx_rate > 1000000'
	assert lines_have lines '.time > 1700000000 and .time < 5000000000'
}

@test "an interface that goes away is shown as gone, and comes back" {
	live_tunnel
	"$WGCTL" watch --json --interval 0.1 "$A" >out 3>&- &
	started+=($!)
	now() { tail -n 2 out | head -n 1 | jq -e ".interfaces[0] | $1"; }
	wait_for 10 now '.problem == null and (.peers | length) == 1'
	left "$WGCTL" down -q "$A.conf"
	wait_for 10 now '.problem == "gone" and .peers == []'
	left "$WGCTL" up -q "$A.conf"
	wait_for 10 now '.problem == null and (.peers | length) == 1'
	# Counters that begin again have no rate that makes sense.
	refute lines_have <(head -n -1 out) '.interfaces[0].peers[]? | .rx_rate != null and .rx_rate > 100000'
	left "$WGCTL" down -q "$A.conf"
	run "$WGCTL" watch "$A"
	assert_failure 1
	assert_output "Unable to access interface: No such device"
}

@test "on a page it is gone too, and comes back; all interfaces: new ones turn up" {
	crowd 1
	kill_it="kill $(engine_pids "$left" "$A" | tr '\n' ' ')"
	on_terminal "see $A: 0 of 1; do $kill_it; see $A: gone; frames 1; do ip netns exec $left $WGCTL_ENGINE $A 2>&1; see $A: 0 of 0; key q" \
		"$WGCTL" watch --interval 0.1 "$A"
	assert_success
	"$WGCTL" watch --json --interval 0.1 >out 3>&- &
	started+=($!)
	wait_for 10 test -s out
	left "$WGCTL_ENGINE" "$B"
	turned_up() { head -n -1 out >lines && lines_have lines ".interfaces | any(.name == \"$B\" and .problem == null)"; }
	wait_for 10 turned_up
}

@test "an engine that hangs is said to, and does not keep the terminal" {
	crowd 1
	for pid in $(engine_pids "$left" "$A"); do kill -STOP "$pid"; done
	# It was there when it was asked for, so all are asked.
	on_terminal --size 80x200 "see $A: the engine does not answer; frames 3; key q" "$WGCTL" watch --interval 0.1
	assert_success
	for pid in $(engine_pids "$left" "$A"); do kill -CONT "$pid"; done
}

@test "words that are wrong" {
	for words in "--interval 0.05" "--interval 3601" "--interval x" "--interval" "--interval 1.0005" "--interval -1" \
		"--count 0" "--count 1.5" "--count -1" "--cuont 2" "a b"; do
		run --separate-stderr "$WGCTL" watch $words
		assert_failure 1
		assert_equal "$output" ""
		[[ $stderr == *"Usage: wgctl watch "* ]] || fail "$words: $stderr"
	done
	run "$WGCTL" watch --cuont 2
	assert_line "wgctl: unknown option \`--cuont' of \`watch'; did you mean \`--count'?"
	run "$WGCTL" watch --interval 0.05
	assert_line "wgctl: --interval takes 0.1 to 3600 seconds, not \`0.05'"
}
