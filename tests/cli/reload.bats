# SPDX-License-Identifier: MIT
# wgctl reload: from one file to another without loss; and the record that up, reload and down keep.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg
	common_setup
	new_pair
	new_tunnel
}

teardown() {
	common_teardown
}

record() {
	echo "/run/wgctl/$A.record"
}

# What can be seen of the interface: keys, peers, addresses, routes.
state() {
	left wg showconf "$A"
	addresses "$left" "$A" | grep -v 'inet6 fe80'
	ip -n "$left" route show dev "$A"
	ip -n "$left" -6 route show dev "$A" | grep -v '^fe80'
}

up() {
	left "$WGCTL" up -q "$A.conf"
}

@test "nothing differs: nothing is done but the look at peers" {
	up
	before=$(state)
	run left "$WGCTL" reload "$A.conf"
	assert_success
	assert_output "[#] wg syncconf $A <(wg-quick strip $A.conf)"
	assert_equal "$(state)" "$before"
}

@test "address, MTU, route and peer: what is new comes, what is old goes, the rest is not touched" {
	up
	sed -i 's,^Address.*,Address = 10.9.0.1/24\, fd09::7/64,; /^\[Interface/a MTU = 1300' "$A.conf"
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.88.0.0/16\n' "$(wg genkey | wg pubkey)" >>"$A.conf"
	port=$(left wg show "$A" listen-port)
	run left "$WGCTL" reload "$A.conf"
	assert_success
	assert_output "[#] wg syncconf $A <(wg-quick strip $A.conf)
[#] ip -6 address add fd09::7/64 dev $A
[#] ip link set mtu 1300 up dev $A
[#] ip -4 route add 10.88.0.0/16 dev $A
[#] ip -6 address delete fd09::1/64 dev $A"
	run state
	assert_line --partial "inet6 fd09::7/64"
	refute_line --partial "inet6 fd09::1/64"
	assert_line --partial "mtu 1300"
	assert_line --partial "10.88.0.0/16"
	assert_equal "$(left wg show "$A" listen-port)" "$port"
	left "$WGCTL" down -q "$A"
	assert_gone "$left" "$A"
	[[ ! -e $(record) ]]
}

@test "a peer that goes takes its routes along" {
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.88.0.0/16\n' "$(wg genkey | wg pubkey)" >more.conf
	cp "$A.conf" plain.conf
	cat more.conf >>"$A.conf"
	up
	cp plain.conf "$A.conf"
	run left "$WGCTL" reload "$A.conf"
	assert_success
	assert_line "[#] ip -4 route delete 10.88.0.0/16 dev $A"
	run state
	refute_line --partial "10.88.0.0/16"
}

@test "a step that fails: all is as before" {
	up
	before=$(state)
	sed -i 's,^Address.*,Address = 10.9.0.1/24\, 10.99.0.1/24\, ff02::5/64,; /^\[Interface/a MTU = 1300' "$A.conf"
	run left "$WGCTL" reload "$A.conf"
	assert_failure 1
	assert_line --partial "cannot add address ff02::5/64 to $A"
	assert_equal "$(state)" "$before"
	left "$WGCTL" down -q "$A"
	assert_gone "$left" "$A"
}

@test "a file that is wrong changes nothing" {
	up
	before=$(state)
	echo "Addres = 10.0.0.1" >>"$A.conf"
	run left "$WGCTL" reload "$A.conf"
	assert_failure 1
	assert_line --partial "$A.conf:"
	assert_equal "$(state)" "$before"
}

@test "a name means the file that the tunnel came from" {
	up
	run left "$WGCTL" reload "$A"
	assert_success
	assert_output "[#] wg syncconf $A <(wg-quick strip $PWD/$A.conf)"
}

@test "an endpoint that the peer has roamed to stays; one that the file names anew comes" {
	echo 'Endpoint = 10.0.0.9:1000' >>"$A.conf"
	up
	peer=$(left wg show "$A" peers | tail -n 1)
	left wg set "$A" peer "$peer" endpoint 10.0.0.7:2000
	left "$WGCTL" reload -q "$A"
	run left wg show "$A" endpoints
	assert_line "$peer	10.0.0.7:2000"
	sed -i 's/10.0.0.9:1000/10.0.0.9:1001/' "$A.conf"
	left "$WGCTL" reload -q "$A"
	run left wg show "$A" endpoints
	assert_line "$peer	10.0.0.9:1001"
}

@test "--dry-run shows each step and does none" {
	run left "$WGCTL" up --dry-run "$A.conf"
	assert_success
	assert_line "[#] ip -4 address add 10.9.0.1/24 dev $A"
	assert_gone "$left" "$A"
	up
	before=$(state)
	sed -i 's,^Address.*,Address = 10.9.0.2/24,' "$A.conf"
	run left "$WGCTL" reload -n "$A"
	assert_success
	assert_line "[#] ip -4 address add 10.9.0.2/24 dev $A"
	run left "$WGCTL" down -n "$A"
	assert_success
	assert_output "[#] ip link delete dev $A"
	assert_equal "$(state)" "$before"
	left "$WGCTL" down -q "$A"
}

@test "the record: for root alone, without keys" {
	up
	assert_equal "$(stat -c %a "$(record)")" 600
	run cat "$(record)"
	assert_line "file $PWD/$A.conf"
	assert_line "+ address 10.9.0.1/24 0 "
	refute_output --partial "$(sed -n 's/^PrivateKey *= *//p' "$A.conf")"
}

@test "no reload without a tunnel, or without a record of it" {
	run left "$WGCTL" reload "$A.conf"
	assert_failure 1
	assert_output "wgctl: $A is not up: \`wgctl up $A' brings it up"
	up
	rm "$(record)"
	run left "$WGCTL" reload "$A.conf"
	assert_failure 1
	assert_output "wgctl: nothing is recorded of how $A was set up: take it down and up again"
	left "$WGCTL" down -q "$A"
	assert_gone "$left" "$A"
}

@test "a record in another network namespace, or of another boot" {
	up
	kill_engine
	run right "$WGCTL" down "$A"
	assert_failure 1
	assert_output "wgctl: $A was set up in another network namespace; take it down there"
	run --separate-stderr right "$WGCTL" up -q "$A.conf"
	assert_success
	assert_regex "$stderr" "^wgctl: warning: $A was set up in another network namespace before, and not taken down there"
	run right "$WGCTL" down -q "$A"
	assert_success
	up
	kill_engine
	sed -i 's/^boot .*/boot 0/' "$(record)"
	run left "$WGCTL" up -q "$A.conf"
	assert_success
	left "$WGCTL" down -q "$A"
	[[ ! -e $(record) ]]
}

# change N: the file, another way each time; what the stream and the pings need stays.
change() {
	sed -e "s,^Address.*,Address = 10.9.0.1/24\, fd09::1/64\, 10.99.$1.1/24," -e "s,^ListenPort.*,&\nMTU = $((1400 + $1))," plain.conf >"$A.conf"
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.88.%s.0/24\n' "$(wg genkey | wg pubkey)" "$1" >>"$A.conf"
}

@test "under a stream and a flood of pings, nothing is lost" {
	cp "$A.conf" plain.conf
	up
	right "$WGCTL" up -q "$B.conf"
	left ping -q -c 1 -w 10 10.9.0.2
	head -c 50000000 /dev/urandom >sent
	right nc -l -p 9999 >received 3>&- &
	receiver=$!
	wait_for 5 right sh -c 'ss -Hltn sport = 9999 | grep -q .'
	left nc -N 10.9.0.2 9999 <sent 3>&- &
	sender=$!
	until [[ -e enough ]]; do left ping -q -f -c 500 -w 60 10.9.0.2; done >pings &
	pings=$!
	for n in {1..20}; do
		change "$n"
		left "$WGCTL" reload -q "$A.conf"
	done
	touch enough
	wait "$pings"
	wait "$sender"
	wait "$receiver"
	assert_equal "$(grep ' packets transmitted' pings | sed 's/, time.*//' | uniq)" "500 packets transmitted, 500 received, 0% packet loss"
	cmp sent received
	right "$WGCTL" down -q "$B"
	left "$WGCTL" down -q "$A"
}
