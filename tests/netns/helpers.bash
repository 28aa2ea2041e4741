# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Namespaces, engines and waiting, for the tests of this folder. A test is made of sides, named a, b and so on. Each has
# a network namespace, an interface and an engine of its own, and a number, from which its addresses come:
#	outer	192.0.2.N and 2001:db8::N, on one link of two sides
#	inner	10.7.0.N and fd07::N
# Nothing outside of these namespaces is touched but the sockets in /var/run/wireguard, whose names are unique.

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd -- "$here/../.." && pwd)
WGENGINE=${WGENGINE:-$repo/build/wgengine}
WGCTL=${WGCTL:-$repo/build/wgctl}
sockets=/var/run/wireguard
# The system's, rather than a wrapper that is slow to start.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

# Both are unique to a test; an interface name has 15 characters at most.
ns() { echo "wgt$$$1"; }
iface() { echo "wg$$$1"; }

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# equal GOT EXPECTED
equal() {
	[ "$1" = "$2" ] || fail "expected: $2" "got:      $1"
}

# contains TEXT PATTERN: one of the lines matches the extended regular expression.
contains() {
	grep -qE -e "$2" <<<"$1" || fail "no line matches: $2" "$1"
}

refute() {
	if "$@"; then
		fail "succeeded, and should not have: $*"
	fi
}

# wait_for SECONDS COMMAND...: asks every $poll seconds.
poll=0.05
wait_for() {
	local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
	shift
	until "$@" >/dev/null 2>&1; do
		if ((${EPOCHREALTIME/[.,]/} > deadline)); then
			fail "waited in vain for: $*"
			return 1
		fi
		sleep "$poll"
	done
}

number_of() {
	case $1 in
	a) echo 1 ;;
	b) echo 2 ;;
	c) echo 3 ;;
	d) echo 4 ;;
	e) echo 5 ;;
	f) echo 6 ;;
	esac
}

outer() { # SIDE 4|6
	if [ "$2" = 4 ]; then echo "192.0.2.$(number_of "$1")"; else echo "2001:db8::$(number_of "$1")"; fi
}

inner() { # SIDE 4|6
	if [ "$2" = 4 ]; then echo "10.7.0.$(number_of "$1")"; else echo "fd07::$(number_of "$1")"; fi
}

# The standard set-up of every test here.
begin() {
	local tool

	if [ "$(id -u)" != 0 ] || ! [ -c /dev/net/tun ]; then
		if [ "${CI:-}" = true ]; then
			fail "needs root and /dev/net/tun"
		else
			skip "needs root and /dev/net/tun"
		fi
	fi
	cd "$BATS_TEST_TMPDIR" || return
	umask 077
	psk=
	rate=1000000
	# Where a sanitizer that the engine is built with writes what it found. The daemon has no stderr.
	for tool in ASAN LSAN TSAN UBSAN; do
		tool+=_OPTIONS
		export "$tool=${!tool:+${!tool}:}log_path=$PWD/sanitizer"
	done
}

sanitized() { grep -qE '__(asan|tsan|ubsan)_' "$WGENGINE"; }

no_engines() {
	local pid

	for pid in "$@"; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done
}

# What a sanitizer has to say it says at the end.
check_sanitizer() {
	local side pids=()

	for side in a b c d e f; do
		mapfile -t -O ${#pids[@]} pids < <(engine_pids "$side" 2>/dev/null)
	done
	((!${#pids[@]})) || kill -TERM "${pids[@]}"
	wait_for 10 no_engines "${pids[@]}"
	[ "$(cat sanitizer.* 2>/dev/null)" = "" ] || fail "$(cat sanitizer.*)"
}

# Ends what runs in the namespaces of this test, and removes them.
finish() {
	local name pid failed=0

	if sanitized; then
		check_sanitizer || failed=1
	fi
	for name in $(ip netns list | awk -v "p=wgt$$" 'index($1, p) == 1 { print $1 }'); do
		for pid in $(ip netns pids "$name"); do
			kill -KILL "$pid" 2>/dev/null || true
		done
		ip netns del "$name"
	done
	# What was ended by force could not tidy up.
	rm -f "$sockets/wg$$"?.{sock,clock} "/run/wgctl/wg$$"?.record
	if [ "${BATS_TEST_COMPLETED:-}" != 1 ]; then
		tail -n 20 ./*.log >&2 || true
	fi
	return $failed
}

# on SIDE COMMAND...: in the namespace of the side.
on() {
	local side=$1
	shift
	ip netns exec "$(ns "$side")" "$@"
}

# ip_on SIDE ARGUMENT...
ip_on() {
	local side=$1
	shift
	ip -n "$(ns "$side")" "$@"
}

make_sides() {
	local side

	for side; do
		ip netns add "$(ns "$side")"
		ip_on "$side" link set lo up
	done
}

# join A B: an Ethernet link between two sides, on which each has both its outer addresses. It is called `lan`.
join() {
	local side

	ip_on "$1" link add lan type veth peer name lan netns "$(ns "$2")"
	for side in "$1" "$2"; do
		ip_on "$side" addr add "$(outer "$side" 4)/24" dev lan
		ip_on "$side" addr add "$(outer "$side" 6)/64" dev lan nodad
		ip_on "$side" link set lan up
	done
}

# start SIDE [ENGINE]: as a daemon.
start() {
	on "$1" "${2:-$WGENGINE}" "$(iface "$1")" </dev/null >>"$1.log" 2>&1 3>&-
}

# The processes of the side's engine. An engine does not let itself be looked into, so /proc/PID/exe will not do. Its child, the opener, is born
# with its name.
engine_pids() {
	local pid name parent

	for pid in $(ip netns pids "$(ns "$1")"); do
		name=$(cat "/proc/$pid/comm" 2>/dev/null) || continue
		parent=$(awk '$1 == "PPid:" { print $2 }' "/proc/$pid/status" 2>/dev/null)
		[ "$(cat "/proc/$parent/comm" 2>/dev/null)" != wgengine ] || continue
		case $name in
		wgengine | wireguard-go) echo "$pid" ;;
		esac
	done
}

no_engine() { [ -z "$(engine_pids "$1")" ]; }
no_iface() { ! ip_on "$1" link show dev "$(iface "$1")" 2>/dev/null; }
no_socket() { ! [ -e "$sockets/$(iface "$1").sock" ]; }
ended() { no_engine "$1" && no_iface "$1" && no_socket "$1"; }

# halt SIDE [SIGNAL]
halt() {
	local pid

	for pid in $(engine_pids "$1"); do
		kill -s "${2:-TERM}" "$pid"
	done
	wait_for 5 no_engine "$1"
	wait_for 5 no_iface "$1"
}

# Makes the key files SIDE.key and SIDE.pub.
make_keys() {
	local side

	for side; do
		wg genkey >"$side.key"
		wg pubkey <"$side.key" >"$side.pub"
	done
}

public() { cat "$1.pub"; }

# wg_set SIDE ARGUMENT...
wg_set() {
	local side=$1
	shift
	on "$side" wg set "$(iface "$side")" "$@"
}

# Gives the side's interface its key, port and addresses, and brings it up.
configure() {
	wg_set "$1" private-key "$1.key" listen-port "${2:-51820}"
	address "$1"
}

address() {
	ip_on "$1" addr add "$(inner "$1" 4)/24" dev "$(iface "$1")"
	ip_on "$1" addr add "$(inner "$1" 6)/64" dev "$(iface "$1")" nodad
	ip_on "$1" link set "$(iface "$1")" up
}

# befriend SIDE OTHER [4|6]: makes the other a peer, with an endpoint if a family is named, and with the preshared key
# of the file $psk if that is set.
befriend() {
	local arguments=()

	case ${3:-} in
	4) arguments+=(endpoint "$(outer "$2" 4):51820") ;;
	6) arguments+=(endpoint "[$(outer "$2" 6)]:51820") ;;
	esac
	if [ -n "$psk" ]; then
		arguments+=(preshared-key "$psk")
	fi
	wg_set "$1" peer "$(public "$2")" allowed-ips "$(inner "$2" 4)/32,$(inner "$2" 6)/128" "${arguments[@]}"
}

# pair A B ENGINE_A ENGINE_B [4|6]: two sides, joined, running, configured; A knows where B is.
pair() {
	make_sides "$1" "$2"
	join "$1" "$2"
	make_keys "$1" "$2"
	start "$1" "$3"
	start "$2" "$4"
	configure "$1"
	configure "$2"
	befriend "$1" "$2" "${5:-4}"
	befriend "$2" "$1"
}

# tunnel [ENGINE_A [ENGINE_B [4|6]]]: the pair of a and b.
tunnel() {
	pair a b "${1:-$WGENGINE}" "${2:-$WGENGINE}" "${3:-4}"
}

# ping_to SIDE OTHER [4|6] [ARGUMENT...]: one echo, unless told otherwise.
ping_to() {
	local side=$1 other=$2 family=${3:-4}
	shift 2
	shift $(($# ? 1 : 0))
	on "$side" ping -q -n -c 1 -W 1 "$@" "$(inner "$other" "$family")"
}

# show SIDE FIELD: the value of the side's only peer.
show() {
	on "$1" wg show "$(iface "$1")" "$2" | cut -f 2-
}

handshake_after() { [ "$(show "$1" latest-handshakes)" -gt "$2" ]; }
handshaken() { handshake_after "$1" 0; }
received() { show "$1" transfer | cut -f 1; }
sent() { show "$1" transfer | cut -f 2; }
received_more() { [ "$(received "$1")" -gt "$2" ]; }
sent_more() { [ "$(sent "$1")" -gt "$2" ]; }
endpoint_is() { [ "$(show "$1" endpoints)" = "$2" ]; }

port_open() { on "$1" ss -Hlun "sport = :${2:-51820}" | grep -q .; } # SIDE [PORT]
port_closed() { ! port_open "$@"; }

# Handshakes are told apart by the second.
clock_after() { [ "$EPOCHSECONDS" -gt "$1" ]; }

# uapi SIDE TEXT: operations, one after the other on one connection. The answers on stdout.
uapi() {
	"$python" "$here/uapi.py" "$(iface "$1")" <<<"$2"
}

# drops SIDE REASON: how many packets the interface dropped for it.
drops() {
	uapi "$1" $'get=1\n' | awk -F = -v "key=drop_$2" '$1 == "public_key" { exit } $1 == key { n = $2 } END { print n + 0 }'
}

dropped_more() { [ "$(drops "$1" "$2")" -gt "$3" ]; }

# No packet of either direction was lost for a reason that tells of a fault. What the system sends to multicast
# addresses, which are nobody's, does not count.
no_faults() {
	local faults
	faults=$(uapi "$1" $'get=1\n' | grep -E '^drop_' | grep -E -e '_(malformed|bad_mac1|bad_handshake|forged|replayed)=' \
		-e '_(expired|inner_source|tun_write|not_ip|no_memory)=') || true
	equal "$faults" ""
}

# stream_begin A B [4|6]: B listens, A connects, and both send $rate bytes a second until stream_end.
stream_begin() {
	local tool

	local name=$1$2 address port=4000
	address=$(inner "$2" "${3:-4}")

	on "$2" "$python" "$here/stream.py" listen "$address" "$port" "stream.$name.in" --until "stream.$name.stop" --rate "$rate" \
		</dev/null >"stream.$name.listen.log" 2>&1 3>&- &
	printf -v "stream_${name}_listen" '%s' $!
	wait_for 5 test -s "stream.$name.in"
	on "$1" "$python" "$here/stream.py" connect "$address" "$port" "stream.$name.out" --until "stream.$name.stop" --rate "$rate" \
		</dev/null >"stream.$name.connect.log" 2>&1 3>&- &
	printf -v "stream_${name}_connect" '%s' $!
	stream_moves "$1" "$2"
}

stream_passed() { # NAME IN OUT
	[ "$(cat "stream.$1.in")" -gt "$2" ] && [ "$(cat "stream.$1.out")" -gt "$3" ]
}

# Waits until more has come both ways than what may have been on its way when this was called. The time allowed is long:
# after a silence TCP may wait as long again.
stream_moves() {
	local name=$1$2 ahead=$((rate * 2 / 5))

	wait_for 5 test -s "stream.$name.out"
	wait_for 60 stream_passed "$name" $(($(cat "stream.$name.in") + ahead)) $(($(cat "stream.$name.out") + ahead))
}

# Both checksums must be right.
stream_end() {
	local name=$1$2 listen connect

	listen=stream_${name}_listen connect=stream_${name}_connect
	: >"stream.$name.stop"
	wait "${!listen}"
	wait "${!connect}"
	contains "$(cat "stream.$name.listen.log")" '^right '
	contains "$(cat "stream.$name.connect.log")" '^right '
}
