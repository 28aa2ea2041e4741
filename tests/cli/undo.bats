# SPDX-License-Identifier: MIT
# Steps of up that fail: the step and its cause are named, and what was done before is undone.
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

# engine_script LINE...: an engine that does this; $1 is the interface, $engine the real one.
engine_script() {
	printf '%s\n' '#!/bin/sh' "engine='$WGCTL_ENGINE'" "$@" >engine
	chmod 700 engine
}

@test "the engine is missing" {
	WGCTL_ENGINE=/nonexistent/engine run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line "wgctl: cannot start an engine for $A: /nonexistent/engine: No such file or directory"
	assert_gone "$left" "$A"
}

@test "the engine is beside wgctl, or where both are installed" {
	new_keys
	printf '[Interface]\nPrivateKey = %s\n' "$key_a" >"$A.conf"
	mkdir bin sbin
	cp "$WGCTL" bin/wgctl
	cp "$WGCTL_ENGINE" sbin/wgengine
	for place in sbin bin; do
		run left env -u WGCTL_ENGINE "PATH=$PATH" bin/wgctl up "$A.conf"
		assert_success
		assert_line "[#] $PWD/$place/wgengine $A"
		left bin/wgctl down -q "$A"
		mv sbin/wgengine bin/ 2>/dev/null || true
	done
}

@test "WG_QUICK_USERSPACE_IMPLEMENTATION names the engine too" {
	WGCTL_ENGINE='' WG_QUICK_USERSPACE_IMPLEMENTATION=/nonexistent/other run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line "[#] /nonexistent/other $A"
}

# (tests/kernel/up.bats has the rest, on a kernel that has it for certain.)
@test "the kernel's own WireGuard: used where there is one, and else it is said" {
	ln -s "$WGCTL" wg-quick
	if ip -n "$left" link add "$B" type wireguard 2>/dev/null; then
		ip -n "$left" link delete "$B"
		WGCTL_ENGINE=kernel left "$WGCTL" up -q "$A.conf"
		ip -d -n "$left" link show dev "$A" | grep -w wireguard
		left "$WGCTL" down -q "$A"
	else
		WGCTL_ENGINE=kernel run left "$WGCTL" up "$A.conf"
		assert_failure 1
		assert_output "[#] ip link add $A type wireguard
wgctl: cannot make the link $A: this kernel has no WireGuard, or its module cannot be loaded; without WGCTL_ENGINE=kernel an engine does the work"
		export WG_QUICK_USERSPACE_IMPLEMENTATION=$WGCTL_ENGINE
		WGCTL_ENGINE='' run left ./wg-quick up "./$A.conf"
		assert_success
		assert_line "[#] $WGCTL_ENGINE $A"
		left "$WGCTL" down -q "$A"
	fi
	assert_gone "$left" "$A"
	[[ ! -e /run/wgctl/$A.record ]]
}

@test "the engine's name is one word" {
	WGCTL_ENGINE="$WGCTL_ENGINE -f" run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line --partial "No such file or directory"
}

@test "the engine fails, and is heard" {
	engine_script 'echo "it does not like $1" >&2' 'exit 3'
	WGCTL_ENGINE=$PWD/engine run --separate-stderr left "$WGCTL" up "$A.conf"
	assert_failure 1
	[[ $stderr == *"it does not like $A"* ]]
	[[ $stderr == *"wgctl: cannot start an engine for $A: $PWD/engine ended with exit status 3"* ]]
	assert_gone "$left" "$A"
}

@test "the engine is killed as it starts" {
	engine_script 'kill -KILL $$'
	WGCTL_ENGINE=$PWD/engine run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line "wgctl: cannot start an engine for $A: $PWD/engine was killed by signal 9 (Killed)"
}

@test "the engine's parent says all is well, but nobody answers" {
	engine_script 'exit 0'
	WGCTL_ENGINE=$PWD/engine run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line "wgctl: cannot start an engine for $A: $PWD/engine started, but does not answer on $SOCKETS/$A.sock"
}

@test "the engine fails after it has made its interface" {
	engine_script '"$engine" "$1"' 'exit 1'
	WGCTL_ENGINE=$PWD/engine run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line --partial "cannot start an engine for $A"
	assert_gone "$left" "$A"
}

@test "the engine's own words on a configuration that it refuses" {
	printf 'errno=-22\n\n' >reply
	mkdir -p "$SOCKETS"
	engine_script 'ip tuntap add dev "$1" mode tun' \
		"setsid perl '$BATS_TEST_DIRNAME/stub-engine.pl' '$SOCKETS/$A.sock' '$PWD/reply' >/dev/null 2>&1 &"
	WGCTL_ENGINE=$PWD/engine run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line "wgctl: cannot configure $A: the engine says: Invalid argument"
	assert_line "[#] ip link delete dev $A"
	refute link_exists "$left" "$A"
}

@test "an address that cannot be added" {
	sed -i 's,^Address.*,&\, ff02::5/64,' "$A.conf"
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line --partial "wgctl: cannot add address ff02::5/64 to $A: Cannot assign requested address"
	assert_equal "$(sed -n '/^wgctl: cannot add/,$p' <<<"$output" | tail -n +2)" \
		"[#] ip link delete dev $A"
	assert_gone "$left" "$A"
}

@test "an address twice" {
	sed -i 's,^Address.*,&\, 10.9.0.1/24,' "$A.conf"
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line --partial "cannot add address 10.9.0.1/24 to $A: File exists"
	assert_gone "$left" "$A"
}

@test "a route that another interface has already" {
	ip -n "$left" route add 10.77.0.0/16 dev cable
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line "wgctl: cannot add the route to 10.77.0.0/16 through $A: File exists"
	assert_line "[#] ip link delete dev $A"
	assert_gone "$left" "$A"
	run ip -n "$left" route show 10.77.0.0/16
	assert_output --partial "dev cable"
}

@test "routes for IPv6 where the MTU is too narrow for it" {
	sed -i 's,^Address.*,Address = 10.9.0.1/24\nMTU = 1000,' "$A.conf"
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line --partial "cannot add the route to fd09::2/128 through $A"
	refute_line --partial "cannot undo"
	assert_gone "$left" "$A"
}

@test "a port that is taken" {
	left perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(Proto => "udp", LocalPort => 51820) or die;
		open(my $f, ">", "bound"); close $f; sleep 60' &
	wait_for 5 test -e bound
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_output "wgctl: cannot listen on UDP port 51820 (ListenPort): Address already in use"
}

@test "SIGINT, SIGTERM and SIGHUP in the middle undo what was done" {
	engine_script '"$engine" "$1"' ': >started' 'sleep 60'
	for signal in INT TERM HUP; do
		rm -f started
		WGCTL_ENGINE=$PWD/engine bash -c 'echo $$ >pid; exec ip netns exec "$@"' - "$left" \
			"$WGCTL" up "$A.conf" >out 2>&1 3>&- &
		waited=$!
		wait_for 5 test -e started
		kill -$signal "$(cat pid)"
		status=0
		wait "$waited" || status=$?
		assert_equal $status 1
		grep -q "^wgctl: interrupted; undoing what was done" out
		assert_gone "$left" "$A"
	done
}

@test "two at a time: the second is refused, and the first goes on" {
	engine_script ': >started' 'while [ ! -e go ]; do sleep 0.02; done' 'exec "$engine" "$1"'
	WGCTL_ENGINE=$PWD/engine left "$WGCTL" up "$A.conf" >out 2>&1 &
	first=$!
	wait_for 5 test -e started
	for command in up down; do
		run left "$WGCTL" $command "$A.conf"
		assert_failure 1
		assert_output "wgctl: another wgctl is at work on $A"
	done
	: >go
	wait "$first"
	link_exists "$left" "$A"
	left "$WGCTL" down "$A"
	assert_gone "$left" "$A"
	[[ ! -e /run/wgctl/$A.lock ]]
}

@test "an interrupt while a host is looked up ends it: nothing was begun" {
	mkdir -p "/etc/netns/$left"
	echo 'hosts: dns' >"/etc/netns/$left/nsswitch.conf"
	echo 'nameserver 127.0.0.1' >"/etc/netns/$left/resolv.conf"
	sed -i 's,^Endpoint.*,Endpoint = host.example:1,' "$A.conf"
	bash -c 'echo $$ >pid; exec ip netns exec "$@"' - "$left" "$WGCTL" up "$A.conf" >out 2>&1 3>&- &
	waited=$!
	wait_for 5 grep -q "trying again" out
	kill -TERM "$(cat pid)"
	status=0
	wait "$waited" || status=$?
	assert_equal $status 143
	assert_gone "$left" "$A"
}

# everywhere: all that an up may change, and the other files that it makes.
everywhere() {
	world_state "$left"
	find "$SOCKETS" /run/wgctl -name "$A*" ! -name '*.clock'
}

@test "each request to the kernel that fails, in turn" {
	need strace
	before=$(everywhere)
	for ((n = 1; n < 200; n++)); do
		run left env ASAN_OPTIONS=detect_leaks=0 strace -qq -o trace -e trace=sendmsg -e inject=sendmsg:error=EPERM:when=$n "$WGCTL" up -q "$A.conf"
		grep -q INJECTED trace || break
		if [[ $status -eq 0 ]]; then # it could do without
			left "$WGCTL" down -q "$A"
		fi
		assert_gone "$left" "$A"
		assert_equal "$(everywhere)" "$before"
	done
	assert_success
	[[ $n -gt 10 ]]
	left "$WGCTL" down -q "$A"
	assert_equal "$(everywhere)" "$before"
}
