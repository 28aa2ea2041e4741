# SPDX-License-Identifier: MIT
# Each file of examples/, as it is there but for the interface's name: up, traffic through it, down, and nothing left of it. The left
# machine is 192.0.2.1, as the examples have it.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg jq nft sysctl
	common_setup
	new_pair
	examples=$BATS_TEST_DIRNAME/../../examples
	C=w${id}ac
}

teardown() {
	common_teardown
}

# take EXAMPLE INTERFACE
take() {
	install -m 600 "$examples/$1.conf" "$2.conf"
}

# Takes two examples, brings them up, remembering how the world was before, and says nothing against them.
up() {
	take "$1" "$A"
	take "$2" "$B"
	before=$(
		world_state "$left"
		world_state "$right"
	)
	run -0 left "$WGCTL" up "./$A.conf"
	refute_output --partial warning
	run -0 right "$WGCTL" up "./$B.conf"
	refute_output --partial warning
}

down() {
	right "$WGCTL" down -q "./$B.conf"
	left "$WGCTL" down -q "./$A.conf"
	assert_gone "$left" "$A"
	assert_gone "$right" "$B"
	assert_equal "$(
		world_state "$left"
		world_state "$right"
	)" "$before"
}

# new_host VARIABLE LETTER NAMESPACE PREFIX: a machine in a network PREFIX.0/24 behind NAMESPACE, which is its PREFIX.1.
new_host() {
	new_namespace "$1" "$2"
	ip -n "${!1}" link add lan type veth peer name "lan-$2" netns "$3"
	ip -n "${!1}" address add "$4.7/24" dev lan
	ip -n "$3" address add "$4.1/24" dev "lan-$2"
	ip -n "${!1}" link set lan up
	ip -n "$3" link set "lan-$2" up
}

@test "server and client" {
	up server client
	ping_through "$right" 10.192.122.1
	ping_through "$right" fd00:192:122::1
	down
}

@test "road warrior: the office is reached, whose machines have no route back" {
	new_host office o "$left" 10.80.0
	up road-server road-client
	ping_through "$right" 10.80.0.7
	ping_through "$right" 10.81.0.1
	down
	run ! right ping -c 1 -W 1 10.80.0.7
}

@test "site to site: the machines of two networks reach each other, both ways" {
	new_host here h "$left" 10.10.0
	new_host there t "$right" 10.20.0
	ip -n "$here" route add default via 10.10.0.1
	ip -n "$there" route add default via 10.20.0.1
	up site-a site-b
	ping_through "$here" 10.20.0.7
	ping_through "$there" 10.10.0.7
	down
}

@test "full tunnel: both families and names go through it, and nothing goes past it when it has fallen" {
	new_host world w "$left" 198.51.100
	ip -n "$world" address add 198.51.100.53/24 dev lan
	ip -n "$world" address add 2001:db8:100::7/64 dev lan nodad
	ip -n "$left" address add 2001:db8:100::1/64 dev lan-w nodad
	# Without the tunnel the world is reached, too.
	ip -n "$world" route add default via 198.51.100.1
	ip -n "$right" route add default via 192.0.2.1
	ip -n "$right" -6 route add default via 2001:db8::1
	left sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ping_through "$right" 198.51.100.7
	mkdir -p "/etc/netns/$right"
	echo "nameserver 192.0.2.1" >"/etc/netns/$right/resolv.conf"
	up full-server full-client
	ping_through "$right" 198.51.100.7
	ping_through "$right" 2001:db8:100::7
	[[ $(right wg show "$B" transfer | cut -f 2) -gt 0 ]]
	run right cat /etc/resolv.conf
	assert_line "nameserver 198.51.100.53"
	engine_pids "$right" "$B" | xargs kill -KILL
	wait_for 5 no_link "$right" "$B"
	run ! right ping -c 1 -W 1 198.51.100.7
	run ! right ping -c 1 -W 1 2001:db8:100::7
	down
	ping_through "$right" 198.51.100.7
	assert_equal "$(right cat /etc/resolv.conf)" "nameserver 192.0.2.1"
}

@test "IPv6 only" {
	ip -n "$left" address del 192.0.2.1/24 dev cable
	up v6-server v6-client
	ping_through "$right" fd00:50::1
	down
}

# Alice is the right machine, Bob is another one on the left one's second cable.
@test "hub: machines reach each other by it, and have names" {
	new_namespace bob b
	ip -n "$left" link add second type veth peer name cable netns "$bob"
	ip -n "$bob" address add 192.0.2.3/24 dev cable
	ip -n "$bob" link set cable up
	ip -n "$left" link set second up
	ip -n "$left" route add 192.0.2.3/32 dev second
	up hub spoke-alice
	take spoke-bob "$C"
	in_ns "$bob" "$WGCTL" up -q "./$C.conf"
	ping_through "$bob" 10.60.0.2
	ping_through "$right" 10.60.0.3
	run -0 left "$WGCTL" status --wait 10 "$A" alice
	run -0 left "$WGCTL" status --wait 10 "$A" bob
	WGCTL_PATH=$PWD run -0 left "$WGCTL" show "$A" names
	assert_output --partial container
	in_ns "$bob" "$WGCTL" down -q "./$C.conf"
	assert_gone "$bob" "$C"
	down
}

@test "container: its key is a file" {
	install -m 600 "$examples/container.key" .
	up hub container
	run -0 right "$WGCTL" status --wait 10 "$B"
	ping_through "$right" 10.60.0.1
	down
}

@test "each example is used here" {
	cd "$examples"
	for file in *.conf; do
		grep -qE "(up|take) (.* )?${file%.conf}( |$)" "$BATS_TEST_FILENAME" || fail "$file is not"
		grep -qF "$file" README.md || fail "$file is not in the list"
		sed 's/^# //' "$file" | tr '\n' ' ' | grep -qF 'The keys in examples/ are published' ||
			fail "$file does not say what its keys are"
	done
}
