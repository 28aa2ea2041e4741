# SPDX-License-Identifier: MIT
# Default routes: where packets go while a tunnel stands, and after it has fallen.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg jq nft
	common_setup
	new_pair
	new_keys
	new_outside
}

teardown() {
	common_teardown
}

# All of the left reaches the right's further addresses, over the cable if nothing else is said; the right counts what
# comes for them so.
new_outside() {
	local address
	for address in 198.51.100.1 198.51.100.200 2001:db8:9::1; do
		ip -n "$right" address add "$address" dev lo
	done
	ip -n "$left" route add default via 192.0.2.2
	ip -n "$left" -6 route add default via 2001:db8::2
	right nft -f - <<-END
		add table inet outside
		add chain inet outside came { type filter hook prerouting priority -300; }
		add rule inet outside came iifname cable ip daddr 198.51.100.0/24 counter
		add rule inet outside came iifname cable ip6 daddr 2001:db8:9::/48 counter
	END
}

# How many packets came outside the tunnel so far.
outside() {
	right nft -j list table inet outside | jq '[.. | .counter? | objects | .packets] | add'
}

# write_conf PREFIX,... [LINE...]: $A.conf leads these to the right, where $B takes them; the lines go into [Interface].
write_conf() {
	local allowed=$1
	shift
	{
		printf '%s\n' '[Interface]' "PrivateKey = $key_a" 'Address = 10.9.0.1/24, fd09::1/64' "$@"
		printf '%s\n' '[Peer]' "PublicKey = $pub_b" 'Endpoint = 192.0.2.2:51821' "AllowedIPs = $allowed"
	} >"$A.conf"
	{
		printf '%s\n' '[Interface]' "PrivateKey = $key_b" 'Address = 10.9.0.2/24, fd09::2/64' 'ListenPort = 51821'
		printf '%s\n' '[Peer]' "PublicKey = $pub_a" 'AllowedIPs = 10.9.0.1/32, fd09::1/128'
	} >"$B.conf"
}

up() {
	left "$WGCTL" up -q "./$A.conf"
}

down() {
	left "$WGCTL" down -q "./$A.conf"
}

# both_up PREFIX,... [LINE...]
both_up() {
	write_conf "$@"
	right "$WGCTL" up -q "./$B.conf"
	up
}

# What sends to each address outside, and what of it gets an answer.
answers() {
	local address
	for address in 198.51.100.1 198.51.100.200 2001:db8:9::1; do
		left ping -c 1 -W 1 "$address" >/dev/null 2>&1 && echo "$address"
		left bash -c "echo >/dev/udp/$address/9" 2>/dev/null || true
	done
	return 0
}

ALL=$'198.51.100.1\n198.51.100.200\n2001:db8:9::1'

# assert_outside COMMAND...: it sends packets outside. (That the counter counts.)
assert_outside() {
	local before
	before=$(outside)
	"$@"
	(($(outside) > before)) || fail "nothing came outside: $*"
}

assert_nothing_outside() {
	local before
	before=$(outside)
	"$@"
	assert_equal "$(outside)" "$before"
}

@test "all goes by the tunnel, both families; after down nothing does" {
	world_state "$left" >before
	ping_through "$left" 2001:db8:9::1
	assert_equal "$(answers)" "$ALL"
	assert_outside answers
	both_up 0.0.0.0/0,::/0
	ping_through "$left" 198.51.100.1
	assert_nothing_outside answers
	assert_equal "$(answers)" "$ALL"
	down
	assert_gone "$left" "$A"
	world_state "$left" >after
	diff before after
	assert_outside answers
}

@test "two tunnels with default routes: each takes away its own rules alone, in any order" {
	write_conf 0.0.0.0/0,::/0
	local C=w${id}ab
	sed "s,^PrivateKey.*,PrivateKey = $(wg genkey),; s/10.9.0.1/10.10.0.1/; s/fd09::/fd10::/" "$A.conf" >"$C.conf"
	world_state "$left" >before
	up
	world_state "$left" >alone
	left "$WGCTL" up -q "./$C.conf"
	assert_equal "$(left wg show "$C" fwmark)" 0xca6d
	down
	left "$WGCTL" up -q "./$A.conf"
	left "$WGCTL" down -q "./$C.conf"
	[[ $(ip -n "$left" rule | grep -c -e suppress_prefixlength -e 0xca6c) -eq 2 ]]
	[[ $(ip -n "$left" -6 rule | grep -c -e suppress_prefixlength -e 0xca6c) -eq 2 ]]
	[[ $(ip -n "$left" rule) != *0xca6d* ]]
	down
	up
	left "$WGCTL" up -q "./$C.conf"
	left "$WGCTL" down -q "./$C.conf"
	world_state "$left" >after
	diff alone after
	down
	world_state "$left" >after
	diff before after
}

# marks INTERFACE...
marks() {
	for name; do left wg show "$name" fwmark; done | sort
}

@test "two tunnels with default routes that come up at once: each has a mark of its own" {
	write_conf 0.0.0.0/0,::/0
	local C=w${id}ab
	sed "s,^PrivateKey.*,PrivateKey = $(wg genkey),; s/10.9.0.1/10.10.0.1/; s/fd09::/fd10::/" "$A.conf" >"$C.conf"
	world_state "$left" >before
	for round in {1..5}; do
		left "$WGCTL" up -q "./$A.conf" &
		other=$!
		left "$WGCTL" up -q "./$C.conf"
		wait "$other"
		assert_equal "$(marks "$A" "$C")" $'0xca6c\n0xca6d'
		left "$WGCTL" down -q "./$C.conf"
		down
		world_state "$left" >after
		diff before after || fail "round $round"
	done
}

@test "default routes do not wait for ever for another's" {
	write_conf 0.0.0.0/0
	local C=w${id}ab
	sed "s,^PrivateKey.*,PrivateKey = $(wg genkey),; s/10.9.0.1/10.10.0.1/" "$A.conf" >"$C.conf"
	sed -i "/^\[Interface/a PostUp = '$WGCTL' up -q ./$C.conf" "$A.conf"
	up
	assert_equal "$(marks "$A" "$C")" $'0xca6c\n0xca6d'
}

@test "a mark that another tunnel took meanwhile is not taken again" {
	write_conf 0.0.0.0/0,::/0
	local C=w${id}ab
	sed "s,^PrivateKey.*,PrivateKey = $(wg genkey),; s/10.9.0.1/10.10.0.1/; s/fd09::/fd10::/" "$A.conf" >"$C.conf"
	world_state "$left" >before
	up
	kill_engine
	left "$WGCTL" up -q "./$C.conf"
	assert_equal "$(left wg show "$C" fwmark)" 0xca6c
	up
	assert_equal "$(left wg show "$A" fwmark)" 0xca6d
	assert_equal "$(ip -n "$left" route show table 51820)" "default dev $C scope link "
	down
	left "$WGCTL" down -q "./$C.conf"
	world_state "$left" >after
	diff before after
}

@test "kill switch: nothing leaves outside when the engine is killed; down brings the network back" {
	world_state "$left" >before
	both_up 0.0.0.0/0,::/0 'KillSwitch = yes'
	ping_through "$left" 198.51.100.1
	assert_equal "$(answers)" "$ALL"
	left ping -q -i 0.01 -c 100000 198.51.100.1 >/dev/null 2>&1 &
	started+=($!)
	left ping -q -i 0.01 -c 100000 2001:db8:9::1 >/dev/null 2>&1 &
	started+=($!)
	seen=$(outside)
	kill_engine
	assert_equal "$(answers)" ""
	assert_equal "$(outside)" "$seen"
	run left ping -c 1 -W 1 198.51.100.1
	assert_failure
	down
	assert_gone "$left" "$A"
	world_state "$left" >after
	diff before after
	assert_equal "$(answers)" "$ALL"
	assert_outside answers
}

@test "without a kill switch packets leave outside when the engine is killed" {
	both_up 0.0.0.0/0,::/0
	ping_through "$left" 198.51.100.1
	kill_engine
	assert_outside answers
	down
}

@test "kill switch: the interface is deleted" {
	both_up 0.0.0.0/0,::/0 'KillSwitch = yes'
	ping_through "$left" 198.51.100.1
	ip -n "$left" link delete "$A"
	assert_nothing_outside answers
	wait_for 5 no_engine "$left" "$A"
	down
	assert_outside answers
}

@test "kill switch: the family that the tunnel does not take has no way out either" {
	world_state "$left" >before
	both_up 0.0.0.0/0 'KillSwitch = yes'
	ping_through "$left" 198.51.100.1
	assert_nothing_outside answers
	assert_equal "$(answers)" $'198.51.100.1\n198.51.100.200'
	down
	world_state "$left" >after
	diff before after
	right "$WGCTL" down -q "./$B.conf"
	both_up ::/0 'KillSwitch = yes'
	ping_through "$left" 2001:db8:9::1
	assert_nothing_outside answers
	assert_equal "$(answers)" 2001:db8:9::1
	down
}

@test "kill switch: up again over what was left, without a gap" {
	world_state "$left" >before
	both_up 0.0.0.0/0,::/0 'KillSwitch = yes'
	ping_through "$left" 198.51.100.1
	rules=$(ip -n "$left" rule)
	kill_engine
	left ping -q -f -c 1000000 198.51.100.1 >/dev/null 2>&1 &
	started+=($!)
	seen=$(outside)
	up
	ping_through "$left" 198.51.100.1
	assert_equal "$(outside)" "$seen"
	assert_equal "$(ip -n "$left" rule)" "$rules"
	assert_equal "$(answers)" "$ALL"
	down
	world_state "$left" >after
	diff before after
}

@test "kill switch: an up that fails leaves the one that was left" {
	both_up 0.0.0.0/0,::/0 'KillSwitch = yes'
	kill_engine
	sed -i 's/^Address.*/Address = 10.9.0.1\/24, ff02::5\/64/' "$A.conf"
	run up
	assert_failure
	assert_nothing_outside answers
	sed -i 's/^Endpoint.*/Endpoint = nowhere.invalid:1/' "$A.conf"
	WG_ENDPOINT_RESOLUTION_RETRIES=0 run up
	assert_failure
	assert_output --partial "\`wgctl down $A' lifts it"
	assert_nothing_outside answers
	down
	assert_outside answers
}

@test "exclusions go outside, all else by the tunnel" {
	world_state "$left" >before
	both_up '0.0.0.0/0, !198.51.100.128/25, ::/0'
	ping_through "$left" 198.51.100.1
	assert_nothing_outside left ping -c 1 -W 2 198.51.100.1
	assert_outside left ping -c 1 -W 2 198.51.100.200
	assert_equal "$(ip -n "$left" route show table 51820 | sort)" "default dev $A scope link 
throw 198.51.100.128/25 "
	[[ $(left wg show "$A" allowed-ips | wc -w) -eq 27 ]]
	down
	world_state "$left" >after
	diff before after
}

@test "exclusions from other prefixes: the rest has routes, one by one" {
	both_up '10.77.0.0/16, !10.77.128.0/17, 0.0.0.0/0, !198.51.100.128/25'
	run ip -n "$left" route
	assert_line --regexp "^10.77.0.0/17 dev $A"
	refute_line --partial 10.77.0.0/16
	[[ $(ip -n "$left" route show table 51820) == *"throw 10.77.128.0/17"* ]]
}

@test "exclusions and a kill switch: they go outside even then" {
	both_up '0.0.0.0/0, !198.51.100.128/25' 'KillSwitch = yes'
	kill_engine
	assert_nothing_outside left ping -c 1 -W 1 198.51.100.1 || true
	assert_outside left ping -c 1 -W 2 198.51.100.200
	down
}

@test "reload: default routes, exclusions and the kill switch come and go; the mark stays" {
	world_state "$left" >before
	both_up 0.0.0.0/0,::/0
	world_state "$left" >plain
	run left "$WGCTL" reload "./$A.conf"
	assert_output "[#] wg syncconf $A <(wg-quick strip ./$A.conf)"
	write_conf '0.0.0.0/0, ::/0, !2001:db8:9::/64' 'KillSwitch = yes'
	left "$WGCTL" reload -q "./$A.conf"
	assert_equal "$(left wg show "$A" fwmark)" 0xca6c
	[[ $(ip -n "$left" route show table 51820) == *"unreachable default metric 4294967295"* ]]
	[[ $(ip -n "$left" -6 route show table 51820) == *"unreachable default"* ]]
	assert_outside left ping -c 1 -W 2 2001:db8:9::1
	write_conf 0.0.0.0/0,::/0
	left "$WGCTL" reload -q "./$A.conf"
	world_state "$left" >after
	diff plain after
	ping_through "$left" 198.51.100.1
	write_conf 10.77.0.0/16
	left "$WGCTL" reload -q "./$A.conf"
	assert_equal "$(left wg show "$A" fwmark)" off
	assert_equal "$(ip -n "$left" rule | grep -c lookup)" 3
	assert_equal "$(left nft list ruleset)" ""
	write_conf 0.0.0.0/0 'FwMark = 0x77'
	left "$WGCTL" reload -q "./$A.conf"
	ping_through "$left" 198.51.100.1
	assert_equal "$(ip -n "$left" route show table 119)" "default dev $A scope link "
	down
	world_state "$left" >after
	diff before after
}

@test "reload: the automatic MTU is that of the way outside" {
	both_up 0.0.0.0/0
	ip -n "$left" link set cable mtu 1400
	left "$WGCTL" reload -q "./$A.conf"
	[[ $(ip -n "$left" link show dev "$A") == *"mtu 1320 "* ]]
}

@test "down without a record finds the rules by the mark" {
	local rules
	world_state "$left" >before
	ip -n "$left" rule add table main suppress_prefixlength 0
	rules=$(ip -n "$left" rule)
	both_up 0.0.0.0/0,::/0
	rm "/run/wgctl/$A.record"
	down
	assert_equal "$(ip -n "$left" rule)" "$rules"
	ip -n "$left" rule delete table main suppress_prefixlength 0
	world_state "$left" >after
	diff before after
}

@test "/proc/sys cannot be written: a warning, unless the setting is right already" {
	local read_only='mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"'
	write_conf 0.0.0.0/0
	left sysctl -q net.ipv4.conf.all.src_valid_mark=0
	run left unshare -m sh -c "$read_only" sh "$WGCTL" up -q "./$A.conf"
	assert_success
	assert_output --partial "warning: cannot set net.ipv4.conf.all.src_valid_mark to 1: Read-only file system"
	assert_output --partial "rp_filter"
	down
	left sysctl -q net.ipv4.conf.all.src_valid_mark=1
	run left unshare -m sh -c "$read_only" sh "$WGCTL" up -q "./$A.conf"
	assert_success
	refute_output --partial src_valid_mark
	down
}

@test "IPv6 is off: a warning for each address and route; where packets would leave outside, an error" {
	write_conf 0.0.0.0/0,::/0
	left sysctl -q net.ipv6.conf.default.disable_ipv6=1
	world_state "$left" >before
	run left "$WGCTL" up -q "./$A.conf"
	assert_failure
	assert_output --partial "IPv6 is off on $A"
	assert_output --partial "would leave outside the tunnel"
	assert_gone "$left" "$A"
	world_state "$left" >after
	diff before after
	ip -n "$left" -6 route replace default nexthop via 2001:db8::2 nexthop via 2001:db8::3
	run left "$WGCTL" up -q "./$A.conf"
	assert_failure
	assert_output --partial "would leave outside the tunnel"
	left sysctl -q net.ipv6.conf.all.disable_ipv6=1
	run left "$WGCTL" up -q "./$A.conf"
	assert_success
	assert_output --partial "IPv6 is off here: $A goes without the address fd09::1/64"
	assert_output --partial "IPv6 is off here: $A goes without the route to ::/0"
	down
}

@test "the kernel refuses the packet filter: a warning, and on it goes" {
	write_conf 0.0.0.0/0
	mkfifo commands
	left nft -i <commands >/dev/null 2>&1 &
	started+=($!)
	exec {commands}>commands
	echo "add table ip wg-quick-$A { flags owner; }" >&$commands
	wait_for 5 left nft list table ip "wg-quick-$A"
	run left "$WGCTL" up -q "./$A.conf"
	assert_success
	assert_output --regexp "warning: no packet filter for $A: .*(Operation not permitted|built without libnftables); so packets from strangers"
	[[ $(ip -n "$left" rule) == *0xca6c* ]]
	run down
	assert_success
	exec {commands}>&-
}

@test "a container without rights outside its own namespaces" {
	write_conf 0.0.0.0/0,::/0 'KillSwitch = yes'
	cat >inside <<-END
		mount -t tmpfs none /run
		mkdir /run/wireguard
		ip link set lo up
		before=\$(ip rule; ip -6 rule)
		"$WGCTL" up -q "./$A.conf" || exit
		ip rule
		ip -6 rule
		wg show $A fwmark
		"$WGCTL" down -q "./$A.conf" || exit
		[[ \$(ip rule; ip -6 rule) == "\$before" ]]
	END
	run unshare -Urnm bash inside 3>&-
	assert_success
	assert_line 0xca6c
	assert_line --partial "32765:	not from all fwmark 0xca6c lookup 51820"
}

@test "each request to the kernel that fails, in turn" {
	need strace
	write_conf '0.0.0.0/0, ::/0, !198.51.100.128/25' 'KillSwitch = yes'
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 # leaks are looked for by ptrace too
	world_state "$left" >before
	for ((n = 1; n < 200; n++)); do
		run left strace -qq -o trace -e trace=sendmsg -e inject=sendmsg:error=EPERM:when=$n "$WGCTL" up -q "./$A.conf"
		grep -q INJECTED trace || break
		if [[ $status -eq 0 ]]; then # it could do without
			down
		fi
		assert_gone "$left" "$A"
		world_state "$left" >after
		diff before after
	done
	assert_success
	[[ $n -gt 20 ]]
}

@test "the first example of a server and of its client work as written" {
	printf '%s\n' '[Interface]' "PrivateKey = $key_b" 'ListenPort = 51820' \
		'[Peer]' "PublicKey = $pub_a" 'AllowedIPs = 10.192.122.3/32, 10.192.124.1/24' \
		'[Peer]' "PublicKey = $(wg genkey | wg pubkey)" 'AllowedIPs = 10.192.122.4/32, 192.168.0.0/16' \
		'[Peer]' "PublicKey = $(wg genkey | wg pubkey)" 'AllowedIPs = 10.10.10.230/32' >"$B.conf"
	printf '%s\n' '[Interface]' "PrivateKey = $key_a" 'ListenPort = 21841' \
		'[Peer]' "PublicKey = $pub_b" 'Endpoint = 192.0.2.2:51820' 'AllowedIPs = 0.0.0.0/0' >"$A.conf"
	world_state "$left" >before
	right "$WGCTL" up -q "./$B.conf"
	up
	# They give no addresses, so that these are what the user adds.
	ip -n "$left" address add 10.192.122.3/32 dev "$A"
	ip -n "$right" address add 10.192.122.1/32 dev "$B"
	ping_through "$left" 10.192.122.1
	assert_nothing_outside left ping -c 1 -W 2 198.51.100.1
	assert_equal "$(ip -n "$right" route show dev "$B" | cut -d' ' -f1)" "10.10.10.230
10.192.122.3
10.192.122.4
10.192.124.0/24
192.168.0.0/16"
	down
	right "$WGCTL" down -q "./$B.conf"
	world_state "$left" >after
	diff before after
}
