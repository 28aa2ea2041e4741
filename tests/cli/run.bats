# SPDX-License-Identifier: MIT
# wgctl run: a tunnel for as long as a process lives.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg setsid
	common_setup
	new_pair
	new_tunnel
}

teardown() {
	common_teardown
}

# start WORD...: wgctl run on the left, as a service has it: without a terminal. $pid is its process.
start() {
	setsid ip netns exec "$left" "$WGCTL" run "$@" >out 2>&1 3>&- &
	pid=$!
	started+=("$pid")
}

# Waits for its end; $status is how it ended.
ended() {
	status=0
	wait "$pid" || status=$?
}

is_up() {
	[[ $(left wg show "$A" private-key) == "$key_a" ]] && grep -q "^up\$" steps
}

# To be seen from outside: the last step.
tell_when_up() {
	sed -i "/^\[Interface/a PostUp = echo up >>$PWD/steps" "$1"
	: >steps
}

has_address() {
	addresses "$left" "$A" | grep -qF "$1"
}

tries_the_lock() {
	grep -q flock <(timeout 10 strace -qq -e trace=flock -p "$pid" 2>&1)
}

# From here on what systemd is told goes to the file told.
listen() {
	# shellcheck disable=SC2016 # for python
	/usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
while True:
    print(s.recv(4096).decode(), flush=True)' >told 3>&- &
	started+=("$!")
	wait_for 5 test -S notify
	export NOTIFY_SOCKET=$PWD/notify
}

told() {
	grep -qx "$1" told
}

@test "up, then down at SIGTERM" {
	tell_when_up "$A.conf"
	start "$A.conf"
	wait_for 10 is_up
	right "$WGCTL" up -q "$B.conf"
	ping_through "$right" 10.9.0.1
	kill -TERM "$pid"
	ended
	assert_equal "$status" 0
	assert_gone "$left" "$A"
	[[ ! -e /run/wgctl/$A.record ]]
	run cat out
	assert_line --partial "] ip link delete dev $A"
}

@test "quiet" {
	tell_when_up "$A.conf"
	start -q "$A.conf"
	wait_for 10 is_up
	kill -INT "$pid"
	ended
	assert_equal "$status" 0
	run ! grep -F '[#]' out
	assert_gone "$left" "$A"
}

@test "SIGHUP: the file is read again, and a mistake in it changes nothing" {
	tell_when_up "$A.conf"
	start "$A.conf"
	wait_for 10 is_up
	engine=$(engine_pids "$left" "$A")
	sed -i 's,^Address.*,&\, 10.9.8.7/32,' "$A.conf"
	kill -HUP "$pid"
	wait_for 5 has_address 10.9.8.7/32
	sed -i 's,^Address,Adress,' "$A.conf"
	kill -HUP "$pid"
	wait_for 5 grep "did you mean 'Address'" out
	has_address 10.9.8.7/32
	assert_equal "$(engine_pids "$left" "$A")" "$engine"
	kill -TERM "$pid"
	ended
	assert_equal "$status" 0
	assert_gone "$left" "$A"
}

@test "on a terminal: ^C takes it down, and so does the end of the terminal" {
	for signal in INT HUP; do
		tell_when_up "$A.conf"
		printf '#!/bin/sh\nuntil grep -q up steps; do sleep 0.02; done\n' >comes-up
		chmod +x comes-up
		run left /usr/bin/python3 "$BATS_TEST_DIRNAME/terminal.py" "do timeout 10 ./comes-up; signal $signal; end" \
			"$WGCTL" run "$A.conf"
		assert_success
		assert_gone "$left" "$A"
	done
}

@test "the engine is killed: exit status 1, and nothing is left" {
	tell_when_up "$A.conf"
	start "$A.conf"
	wait_for 10 is_up
	engine_pids "$left" "$A" | xargs kill -KILL
	ended
	assert_equal "$status" 1
	grep -q "^wgctl: $A is gone: its engine ended, or its interface was deleted\$" out
	assert_gone "$left" "$A"
	[[ ! -e /run/wgctl/$A.record ]]
}

@test "the engine is killed: a kill switch stays until the next one is told to go down" {
	sed -i 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, ::/0,; /^\[Interface/a KillSwitch = yes' "$A.conf"
	tell_when_up "$A.conf"
	before=$(ip -n "$left" rule)
	start "$A.conf"
	wait_for 10 is_up
	engine_pids "$left" "$A" | xargs kill -KILL
	ended
	assert_equal "$status" 1
	run ! left ping -c 1 -W 1 198.51.100.1
	ip -n "$left" -4 route show table all | grep -q '^unreachable default table'
	: >steps
	start "$A.conf"
	wait_for 10 is_up
	kill -TERM "$pid"
	ended
	assert_equal "$status" 0
	assert_equal "$(ip -n "$left" rule)" "$before"
	run ! grep '^unreachable default table' <(ip -n "$left" -4 route show table all)
}

@test "taken down by somebody else: it ends, and all is well" {
	tell_when_up "$A.conf"
	start "$A.conf"
	wait_for 10 is_up
	left "$WGCTL" down -q "$A"
	ended
	assert_equal "$status" 0
	run ! grep -F 'is gone' out
	assert_gone "$left" "$A"
}

@test "taken down and up by somebody else, before it could look: it goes on" {
	tell_when_up "$A.conf"
	start "$A.conf"
	wait_for 10 is_up
	exec {lock}>"/run/wgctl/$A.lock"
	flock "$lock"
	kill_engine
	tries_the_lock
	left "$WGCTL_ENGINE" "$A" {lock}>&-
	wait_for 5 link_exists "$left" "$A"
	exec {lock}>&-
	kill -TERM "$pid"
	ended
	assert_equal "$status" 0
	run ! grep -F 'is gone' out
	assert_gone "$left" "$A"
}

@test "SIGTERM on the way up: what was done is undone" {
	mkfifo wait
	sed -i "/^\[Interface/a PostUp = echo up >>$PWD/steps; exec cat $PWD/wait" "$A.conf"
	start "$A.conf"
	wait_for 10 is_up
	kill -TERM "$pid"
	ended
	assert_equal "$status" 1
	grep -q '^wgctl: interrupted; undoing what was done$' out
	assert_gone "$left" "$A"
}

@test "SIGTERM while names have no service: it ends at once, whatever the patience" {
	sed -i 's/^Endpoint.*/Endpoint = far.example.org:51820/' "$A.conf"
	mkdir -p "/etc/netns/$left"
	echo 'nameserver 127.0.0.1' >"/etc/netns/$left/resolv.conf"
	export WG_ENDPOINT_RESOLUTION_RETRIES=infinity
	start "$A.conf"
	wait_for 30 grep 'trying again in' out
	kill -TERM "$pid"
	ended
	assert_equal "$status" 1
	assert_gone "$left" "$A"
}

@test "SIGTERM while another wgctl is at work: it waits for that, then takes the tunnel down" {
	tell_when_up "$A.conf"
	start "$A.conf"
	wait_for 10 is_up
	exec {lock}>"/run/wgctl/$A.lock"
	flock "$lock"
	kill -TERM "$pid"
	tries_the_lock
	link_exists "$left" "$A"
	exec {lock}>&-
	ended
	assert_equal "$status" 0
	assert_gone "$left" "$A"
}

@test "a file that is wrong, or a step that fails: exit status 1, and nothing is left" {
	cp "$A.conf" good
	sed -i 's/^ListenPort.*/ListenPort = many/' "$A.conf"
	run left "$WGCTL" run "$A.conf"
	assert_failure 1
	assert_output --regexp "^$A.conf:[0-9]*:14: error: "
	cp good "$A.conf"
	sed -i '/^\[Interface/a PostUp = false' "$A.conf"
	run left "$WGCTL" run "$A.conf"
	assert_failure 1
	assert_gone "$left" "$A"
	run left "$WGCTL" run --ready=soon "$A.conf"
	assert_failure 1
	assert_line "wgctl: --ready takes interface or handshake, not \`soon'"
}

@test "process 1 of a container: orphans are buried, SIGTERM takes the tunnel down" {
	need unshare
	tell_when_up "$A.conf"
	# A daemon that its parent leaves, and that ends.
	sed -i "/^\[Interface/a PostUp = (sh -c 'echo \$\$ >$PWD/orphan; read x <$PWD/gate') & true" "$A.conf"
	mkfifo gate
	ip netns exec "$left" unshare --pid --fork --mount-proc --kill-child "$WGCTL" run "$A.conf" >out 2>&1 3>&- &
	pid=$!
	started+=("$pid")
	wait_for 10 is_up
	first=$(pgrep -P "$pid" -f 'wgctl run')
	wait_for 5 test -s orphan
	orphans() { pgrep -P "$first" "$@" >/dev/null; }
	wait_for 5 orphans
	echo >gate
	no_zombies() { ! pgrep -P "$first" --runstates Z >/dev/null; }
	no_sh() { ! pgrep -P "$first" -x sh >/dev/null; }
	wait_for 5 no_sh
	wait_for 5 no_zombies
	kill -TERM "$first"
	ended
	assert_equal "$status" 0
	assert_gone "$left" "$A"
}

@test "systemd is told: ready with the interface, reloading, stopping; hooks are not to speak for it" {
	sed -i "/^\[Interface/a PostUp = echo \${NOTIFY_SOCKET:-nobody} >>$PWD/heard" "$A.conf"
	listen
	start "$A.conf"
	wait_for 10 told READY=1
	is_up_now=$(left wg show "$A" listen-port)
	assert_equal "$is_up_now" 51820
	told "STATUS=$A is up"
	assert_equal "$(cat heard)" nobody
	: >told
	kill -HUP "$pid"
	wait_for 5 told READY=1
	told RELOADING=1
	grep -qE '^MONOTONIC_USEC=[0-9]+$' told
	sed -i 's,^Address,Adress,' "$A.conf"
	kill -HUP "$pid"
	wait_for 5 told "STATUS=$A is up as it was: the reload failed"
	kill -TERM "$pid"
	ended
	told STOPPING=1
}

@test "systemd is told: ready with the first handshake" {
	listen
	start --ready=handshake "$A.conf"
	wait_for 10 told "STATUS=$A is up, without a handshake yet"
	run ! told READY=1
	right "$WGCTL" up -q "$B.conf"
	wait_for 10 told READY=1
	[[ $(left wg show "$A" latest-handshakes | cut -f 2) -gt 0 ]]
	kill -TERM "$pid"
	ended
	assert_equal "$status" 0
}
