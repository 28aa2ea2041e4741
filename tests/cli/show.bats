# SPDX-License-Identifier: MIT
# show: byte for byte beside wg show.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

FIELDS="public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips latest-handshakes
	transfer persistent-keepalive dump"

setup() {
	load helpers.bash
	need_tun
	need wg
	common_setup
}

teardown() {
	common_teardown
}

# same ARGUMENTS...: both print the same, and end the same. Times and counters move, so a few tries are fair.
same() {
	local theirs ours
	for _ in {1..20}; do
		theirs=0 ours=0
		wg show "$@" >theirs.out 2>theirs.err || theirs=$?
		"$WGCTL" show "$@" >ours.out 2>ours.err || ours=$?
		# A kernel without WireGuard has its own word for "there is none".
		sed -i 's/^Usage: wg /Usage: wgctl /; s/: Protocol not supported$/: No such device/' theirs.err
		[[ $theirs == "$ours" ]] && cmp -s theirs.out ours.out && cmp -s theirs.err ours.err && return
	done
	diff theirs.out ours.out
	diff theirs.err ours.err
	assert_equal "$ours" "$theirs"
}

same_in_all_forms() {
	local name
	for name; do
		same "$name"
		for field in $FIELDS nonsense; do
			same "$name" "$field"
		done
		WG_HIDE_KEYS=never same "$name"
		WG_HIDE_KEYS=always same "$name"
		WG_COLOR_MODE=always same "$name"
		WG_COLOR_MODE=always WG_HIDE_KEYS=never same "$name"
		WG_COLOR_MODE=never same "$name"
	done
}

# peer NUMBER SECONDS_AGO RX TX KEEPALIVE LINE...: as a get reply has it
peer() {
	printf 'public_key=%064x\n' "$1"
	printf 'preshared_key=%064x\nprotocol_version=1\n' $(($1 % 3 == 1 ? $1 : 0))
	printf 'last_handshake_time_sec=%d\nlast_handshake_time_nsec=7\n' "$2"
	printf 'tx_bytes=%s\nrx_bytes=%s\npersistent_keepalive_interval=%d\n' "$4" "$3" "$5"
	(($# < 6)) || printf '%s\n' "${@:6}"
}

device() {
	printf 'private_key=%064x\nlisten_port=51820\nfwmark=51966\n' 7
}

finish() {
	printf 'errno=0\n\n'
}

@test "a live tunnel after handshakes and transfer, in all forms" {
	new_pair
	new_tunnel
	left "$WGCTL" up -q "$A.conf"
	right "$WGCTL" up -q "$B.conf"
	same_in_all_forms "$A"
	ping_through "$left" 10.9.0.2
	ping_through "$left" fd09::2
	same_in_all_forms "$A" "$B"
	run "$WGCTL" show "$A"
	assert_line "interface: $A"
	assert_line "  private key: (hidden)"
	assert_line "  preshared key: (hidden)"
	assert_line --regexp '^  latest handshake: '
	assert_line --regexp '^  transfer: .* received, .* sent$'
	refute_output --partial "$key_a"
	refute_output --partial "$psk"
}

@test "all and interfaces" {
	private_sockets
	device >reply
	peer 1 5 10 20 0 endpoint=192.0.2.1:1 allowed_ip=10.0.0.0/8 >>reply
	finish >>reply
	finish >empty
	stub_engine "$A" reply
	same all
	same interfaces
	stub_engine "$B" empty
	same
	same all
	same interfaces
	for field in public-key private-key listen-port fwmark peers preshared-keys allowed-ips \
		latest-handshakes transfer persistent-keepalive dump; do
		same all "$field"
	done
	run "$WGCTL" show interfaces
	[[ $output == "$A $B" || $output == "$B $A" ]] || fail "$output"
}

@test "all endpoints: every line has the interface's name, as wg 1.0.20260223 has it" {
	private_sockets
	device >reply
	peer 1 5 10 20 0 endpoint=192.0.2.1:1 >>reply
	peer 2 5 10 20 0 'endpoint=[2001:db8::1]:2' >>reply
	peer 3 5 10 20 0 >>reply
	finish >>reply
	stub_engine "$A" reply
	run bash -c '"$1" show all endpoints | grep -c "^$2	[A-Za-z0-9+/=]*	"' - "$WGCTL" "$A"
	assert_output 3
}

@test "units, times and the order of peers" {
	now=$(date +%s)
	{
		device
		peer 1 0 0 0 0
		peer 2 $((now - 60)) 1023 1024 1 allowed_ip=10.0.0.0/24 allowed_ip=fd00::/64
		peer 3 $((now - 61)) 1048575 1048576 59 allowed_ip=0.0.0.0/0 allowed_ip=::/0
		peer 4 $((now - 3600)) 1073741823 1073741824 60
		peer 5 $((now - 3661)) 1099511627775 1099511627776 61
		peer 6 $((now - 86400)) 1125899906842624 0 3600
		peer 7 $((now - 90061)) 0 1 3661
		peer 8 $((now - 31536000)) 18446744073709551615 1 65535
		peer 9 $((now - 31536000 * 2 - 86400 * 2 - 7322)) 5 5 0
		peer 10 1 5 5 0
		peer 11 $((now + 1000)) 5 5 0
		peer 12 $((now - 2)) 1536 1610612736 25 'endpoint=[fe80::1%lo]:9' endpoint=192.0.2.77:65535
		peer 13 $((now - 60)) 1 1 2 'endpoint=[2001:db8:0:0:1::1]:1'
		finish
	} >reply
	stub_engine "$A" reply
	same_in_all_forms "$A"
	run "$WGCTL" show "$A"
	assert_success
	assert_equal "$(grep -c ^peer: <<<"$output")" 13
}

@test "a handshake this very second" {
	stub_engine "$A" reply
	for _ in {1..50}; do
		{
			device
			peer 1 "$(date +%s)" 1 1 0
			finish
		} >reply
		run "$WGCTL" show "$A"
		[[ $output == *"latest handshake: Now"* ]] && return
	done
	fail "$output"
}

@test "devices with less than all" {
	stub_engine "$A" reply
	for lines in '' 'listen_port=1' 'fwmark=1' 'private_key=%064x' 'listen_port=0' 'fwmark=0' 'unknown_key=1'; do
		{
			[[ -z $lines ]] || printf "$lines\n" 9
			finish
		} >reply
		same_in_all_forms "$A"
	done
}

@test "an engine that is stopped is given up" {
	local engine
	new_namespace ours o
	in_ns "$ours" "$WGCTL_ENGINE" -f "$A" 3>&- &
	started+=($!)
	wait_for 5 "$WGCTL" show "$A"
	engine=$(engine_pids "$ours" "$A")
	kill -STOP $engine
	run timeout 20 "$WGCTL" show "$A"
	kill -CONT $engine
	assert_failure 1
	assert_output "Unable to access interface: the engine does not answer"
	# It was not at fault.
	wait_for 5 "$WGCTL" show "$A"
}

@test "engines that fail, talk nonsense, or say nothing" {
	private_sockets
	finish >fine
	stub_engine "$A" reply
	stub_engine "$B" fine
	for lines in 'errno=5' 'errno=13' nonsense 'listen_port=70000' 'listen_port=x' 'private_key=12' \
		'public_key=' 'allowed_ip=10.0.0.0/8' 'rx_bytes=-1'; do
		printf '%s\n\n' "$lines" >reply
		[[ $lines == *errno* ]] || printf '%s\nerrno=0\n\n' "$lines" >reply
		run "$WGCTL" show "$A"
		assert_failure 1
		assert_output --regexp '^Unable to access interface: [A-Z]'
		run --separate-stderr "$WGCTL" show all dump
		assert_success
		[[ $stderr == *"Unable to access interface $A: "* ]]
		assert_line --partial "$B	(none)	(none)	0	off"
	done
	: >reply
	same "$A"
	printf 'errno=5\n\n' >reply
	same "$A"
	same "$A" dump
	same "$A" nonsense
	same all
	same all dump
}

@test "an interface that does not exist, and words too many" {
	run "$WGCTL" show "$A"
	assert_failure 1
	assert_output "Unable to access interface: No such device"
	same "$A" dump
	same "$A" nonsense
	same "$A" dump more
	same interfaces dump
	run "$WGCTL" show ../../../etc/passwd
	assert_failure 1
	assert_output "Unable to access interface: No such device"
}

@test "a socket without an engine is no interface" {
	mkdir -p "$SOCKETS"
	perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die' "$SOCKETS/$A.sock"
	[[ -S $SOCKETS/$A.sock ]]
	run "$WGCTL" show interfaces
	refute_output --partial "$A"
	run "$WGCTL" show "$A"
	assert_failure 1
	assert_output "Unable to access interface: No such device"
}

@test "an engine that may not be asked" {
	need setpriv
	finish >reply
	stub_engine "$A" reply
	chown 1:1 "$SOCKETS/$A.sock"
	chmod 700 "$SOCKETS/$A.sock"
	weak() { setpriv --bounding-set=-dac_override,-dac_read_search "$@"; }
	for words in "$A" "$A dump"; do
		assert_equal "$(weak "$WGCTL" show $words 2>&1)" "$(weak wg show $words 2>&1)"
	done
	run weak "$WGCTL" show interfaces
	assert_output --regexp "(^| )$A( |$)"
	run weak "$WGCTL" show "$A"
	assert_failure 1
	assert_output "Unable to access interface: Permission denied"
	run weak "$WGCTL" show all
	assert_line "Unable to access interface $A: Permission denied"
}

@test "colours on a terminal, as wg has them" {
	need script
	{
		device
		peer 1 5 1000 2000 25 endpoint=192.0.2.1:1 allowed_ip=10.0.0.0/8
		finish
	} >reply
	stub_engine "$A" reply
	on_terminal() { script -qec "$*" /dev/null </dev/null; }
	for mode in '' never always; do
		for _ in {1..20}; do
			theirs=$(WG_COLOR_MODE=$mode on_terminal "wg show $A")
			ours=$(WG_COLOR_MODE=$mode on_terminal "'$WGCTL' show $A")
			[[ $theirs == "$ours" ]] && break
		done
		assert_equal "$ours" "$theirs"
	done
	[[ $(on_terminal "'$WGCTL' show $A") == *$'\e[32m'* ]]
}

@test "show fails when nobody takes what it shows" {
	finish >reply
	stub_engine "$A" reply
	run bash -c '"$1" show "$2" >/dev/full' - "$WGCTL" "$A"
	assert_failure 1
	assert_output --partial "No space left on device"
}
