# SPDX-License-Identifier: MIT
# Out of memory at each allocation of wgctl and of its libraries, one by one, and no room on the disk: it says so, or does
# without; what it could not finish it undoes.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

load ../faults/faults

setup() {
	load helpers.bash
	common_setup
	faults_wrap faulty faults "$WGCTL"
}

teardown() {
	common_teardown
}

# said_why: it ended by itself, with a word about memory.
said_why() {
	[[ $status -eq 1 ]] || fail "exit status $status; it said: $stderr"
	[[ $stderr == *[Mm]emory* ]] || fail "it did not say why: $stderr"
	[[ $stderr != *Sanitizer* ]] || fail "$stderr"
}

# each_allocation CHECK COMMAND...: with each allocation of the command failing in turn, and then all after it as well. Calls
# CHECK after each run, which sets status, output and stderr.
each_allocation() {
	local check=$1 number=0 refused=0 last
	shift
	until ((number > 0 && 10#$(faults_get faults allocs) < number)); do
		((++number < 2000)) || fail "no end of it"
		for last in $number 1000000; do
			# The second is as telling now and then.
			((last == number || number % 4 == 1)) || continue
			faults_set faults alloc_first $number
			faults_set faults alloc_last $last
			faults_set faults allocs 0
			run --separate-stderr "$@"
			((refused += status != 0)) || true
			"$check"
		done
	done
	echo "# $number allocations, $refused times refused" >&2
	((refused > 0)) || fail "nothing ever failed"
}

check_words() {
	if ((status)); then
		said_why
		assert_output ""
	else
		[[ $output == "$wanted" || $output =~ $wanted ]] || fail "$output"
	fi
}

@test "genkey and pubkey without memory print a whole key, or nothing and why" {
	wanted='^[A-Za-z0-9+/]{43}=$'
	each_allocation check_words ./faulty genkey
	wg genkey >key
	wanted=$(wg pubkey <key)
	each_allocation check_words sh -c './faulty pubkey <key'
}

check_up() {
	if ((status)); then
		said_why
		# With no memory at all it cannot undo either, but down can, once there is some.
		((last == number)) || left "$WGCTL" down "$A" 2>/dev/null || true
	else
		left "$WGCTL" down "$A" 2>/dev/null
	fi
	assert_gone "$left" "$A" 2>/dev/null
}

begin_tunnel() {
	need_tun
	need wg
	new_pair
	new_tunnel
}

@test "up without memory says so, and leaves nothing behind" {
	begin_tunnel
	each_allocation check_up left ./faulty up "./$A.conf"
}

check_down() {
	if ((status)); then
		said_why
		# It may have gone as far as there was memory.
		left "$WGCTL" down "$A" 2>/dev/null || true
	fi
	assert_gone "$left" "$A" 2>/dev/null
	left "$WGCTL" up "./$A.conf" 2>/dev/null
}

@test "down without memory says so, and can be asked again" {
	begin_tunnel
	left "$WGCTL" up "./$A.conf" 2>/dev/null
	each_allocation check_down left ./faulty down "$A"
	left "$WGCTL" down "$A" 2>/dev/null || true
	assert_gone "$left" "$A"
}

@test "show without memory shows all, or says why not" {
	begin_tunnel
	left "$WGCTL" up "./$A.conf" 2>/dev/null
	wanted=$(left "$WGCTL" show "$A" allowed-ips)
	[[ $wanted == *10.77.0.0/16* ]]
	each_allocation check_words left ./faulty show "$A" allowed-ips
	wanted="interface: $A.*10.77.0.0/16"
	each_allocation check_words left ./faulty show "$A"
	left "$WGCTL" down "$A" 2>/dev/null
}

check_unhealthy() {
	[[ $status == [12] && $stderr != *Sanitizer* ]] || fail "exit status $status; it said: $stderr"
}

@test "status without memory says of nothing that it is healthy" {
	printf 'public_key=%064x\npersistent_keepalive_interval=25\nerrno=0\n\n' 1 >reply
	stub_engine "$A" reply
	each_allocation check_unhealthy ./faulty status "$A"
	each_allocation check_unhealthy ./faulty status -q "$A" AAAA
}

@test "show all and show interfaces without memory are about memory, whoever is asked" {
	need_tun
	stub_engine_of "$A"
	wanted=$A
	each_allocation check_words "${inside[@]}" "$PWD/faulty" show interfaces
	wanted="^$A	51820"
	each_allocation check_words "${inside[@]}" "$PWD/faulty" show all listen-port
}

# An engine that is alone on the machine.
stub_engine_of() {
	printf 'listen_port=51820\nerrno=0\n\n' >reply
	private_sockets
	stub_engine "$1" reply
}

# on_full DIRECTORY COMMAND...: in the namespace, with no room at all in that directory.
on_full() {
	local directory=$1
	shift
	mkdir -p "$directory"
	# shellcheck disable=SC2016 # expanded by the shell within
	left unshare -m sh -c 'mount -t tmpfs -o nr_inodes=1 none "$1" && shift && exec "$@"' - "$directory" "$@"
}

@test "up with no room for its lock works all the same" {
	begin_tunnel
	run on_full /run/wgctl "$WGCTL" up "./$A.conf"
	assert_success
	link_exists "$left" "$A"
	left "$WGCTL" down "$A"
	assert_gone "$left" "$A"
}

@test "up with no room for the engine's socket fails, says why, and leaves nothing behind" {
	begin_tunnel
	run on_full "$SOCKETS" "$WGCTL" up "./$A.conf"
	assert_failure 1
	assert_output --partial "cannot listen on $SOCKETS/$A.sock: No space left on device"
	assert_line --partial "wgctl: cannot start an engine for $A"
	assert_gone "$left" "$A"
}
