#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# wgengine as a process: how it starts and ends, what it says, and who may talk to it.

# shellcheck disable=SC2034,SC2154 # variables that helpers.bash shares

bats_require_minimum_version 1.5.0
load helpers

setup() {
	begin
	make_sides a
}

teardown() {
	finish
}

# refuses ARGUMENT...: does not start, and says why in one line, which is left in $said.
refuses() {
	local status=0

	on a timeout 5 "$WGENGINE" "$@" </dev/null >out 2>err 3>&- || status=$?
	said=$(cat err)
	[ $status != 0 ] || fail "started: $*"
	[ $status != 124 ] || fail "still there: $*"
	equal "$(wc -l <err)" 1
	contains "$said" '^wgengine: '
	equal "$(cat out)" ""
}

answers() { uapi "$1" $'get=1\n' | grep -q '^errno=0$'; }

@test "the parent returns when the socket accepts" {
	for _ in 1 2 3 4 5 6 7 8; do
		start a
		answers a
		ip_on a link show dev "$(iface a)"
		halt a
		wait_for 5 no_socket a
	done
}

@test "the interface is a TUN device, down, with the MTU 1420" {
	local link

	start a
	link=$(ip_on a -d link show dev "$(iface a)")
	contains "$link" 'mtu 1420 '
	contains "$link" 'tun type tun'
	refute contains "$link" '[<,]UP[,>]'
	equal "$(on a ss -Hlun)" ""
}

@test "a name that is no interface's is refused" {
	local name

	for name in "" . .. a/b "a b" a:b wg%d 0123456789abcdef $'a\nb'; do
		status=0
		on a timeout 5 "$WGENGINE" "$name" </dev/null >out 2>err 3>&- || status=$?
		equal "$status" 1
		contains "$(head -n 1 err)" '^wgengine: '
	done
	refuses 0123456789abcdef
	contains "$said" 0123456789abcdef
	refuses a/b
	equal "$(ip_on a -o link show | wc -l)" 1
}

@test "options that are not known, and no or two names, are refused" {
	local status

	for arguments in "-x" "--threads" "-f -x" "" "-f" "wgx wgy"; do
		status=0
		# shellcheck disable=SC2086 # words
		on a timeout 5 "$WGENGINE" $arguments </dev/null >out 2>err 3>&- || status=$?
		[ $status != 0 ] && [ $status != 124 ] || fail "status $status: $arguments"
		contains "$(head -n 1 err)" '^wgengine: '
		equal "$(cat out)" ""
	done
	equal "$(ip_on a -o link show | wc -l)" 1
}

@test "--version and --help" {
	run -0 "$WGENGINE" --version
	contains "$output" '^wgengine [0-9]'
	run -0 "$WGENGINE" --help
	contains "$output" '^usage: wgengine '
}

@test "the name of an interface that is there is refused" {
	ip_on a tuntap add dev "$(iface a)" mode tun
	refuses "$(iface a)"
	contains "$said" exists
	ip_on a tuntap del dev "$(iface a)" mode tun
	ip_on a link add "$(iface a)" type veth peer name other
	refuses "$(iface a)"
	contains "$said" exists
	refuses lo
	ip_on a link show dev "$(iface a)"
	no_socket a
}

@test "a second engine of the same name is refused, and the first goes on" {
	make_sides b
	start a
	refuses "$(iface a)"
	# Where there is no such interface, but the one socket is taken.
	on b "$WGENGINE" "$(iface a)" </dev/null >out 2>err 3>&- && fail "started"
	equal "$(wc -l <err)" 1
	contains "$(cat err)" 'another engine'
	refute ip_on b link show dev "$(iface a)" 2>/dev/null
	answers a
	wg_set a listen-port 1234
	equal "$(show a listen-port)" 1234
}

@test "of two engines of one name that start at once, in two namespaces, one gets it" {
	local side pid status

	make_sides b
	for _ in {1..10}; do
		for side in a b; do
			on "$side" "$WGENGINE" -f "$(iface a)" </dev/null 2>"$side.err" 3>&- &
		done
		status=0
		wait -n || status=$?
		equal "$status" 1
		wait_for 5 answers a
		equal "$(cat a.err b.err | grep -c "another engine")" 1
		for pid in $(engine_pids a) $(engine_pids b); do
			kill "$pid"
		done
		wait
		[ ! -e "$sockets/$(iface a).sock" ] || fail "the socket is left"
	done
}

@test "without the permission to make an interface it says so" {
	local status=0 copy

	copy=$(mktemp -d)
	cp "$WGENGINE" "$copy/wgengine"
	chmod -R a+rx "$copy"
	on a setpriv --reuid=65534 --regid=65534 --clear-groups timeout 5 "$copy/wgengine" "$(iface a)" \
		</dev/null >out 2>err 3>&- || status=$?
	rm -r "$copy"
	equal "$status" 1
	equal "$(wc -l <err)" 1
	contains "$(cat err)" '^wgengine: .*root'
	ended a
}

@test "without /dev/net/tun it says so" {
	local status=0

	on a unshare -m sh -c 'mount -t tmpfs none /dev/net && exec timeout 5 "$@"' sh "$WGENGINE" "$(iface a)" \
		</dev/null >out 2>err 3>&- || status=$?
	equal "$status" 1
	equal "$(wc -l <err)" 1
	contains "$(cat err)" '^wgengine: .*/dev/net/tun'
	ended a
}

@test "a socket that nobody listens at is replaced" {
	start a
	halt a KILL
	test -S "$sockets/$(iface a).sock"
	start a
	answers a
	halt a
	wait_for 5 no_socket a
	: >"$sockets/$(iface a).sock"
	start a
	answers a
}

@test "it ends on SIGTERM, on SIGINT, with its socket and with its interface" {
	local way

	for way in "kill -TERM PID" "kill -INT PID" "rm $sockets/$(iface a).sock" "ip -n $(ns a) link del $(iface a)"; do
		start a
		answers a
		# Up as well as down.
		ip_on a link set "$(iface a)" up
		eval "${way/PID/$(engine_pids a)}"
		wait_for 5 ended a || fail "$way"
	done
	start a
	rm "$sockets/$(iface a).sock"
	wait_for 5 ended a
}

@test "it ends with its socket, and leaves one alone that another made" {
	start a
	rm "$sockets/$(iface a).sock"
	: >"$sockets/$(iface a).sock"
	wait_for 5 no_engine a
	test -f "$sockets/$(iface a).sock"
}

@test "-f and WG_PROCESS_FOREGROUND=1 stay in the foreground" {
	local way child status

	for way in "$WGENGINE -f" "$WGENGINE --foreground" "env WG_PROCESS_FOREGROUND=1 $WGENGINE"; do
		# shellcheck disable=SC2086 # words
		on a $way "$(iface a)" </dev/null >>a.log 2>&1 3>&- &
		child=$!
		wait_for 5 answers a
		kill -0 $child
		kill -TERM "$(engine_pids a)"
		status=0
		wait $child || status=$?
		equal "$status" 0
		ended a
	done
}

@test "a start that fails in the foreground is one line and a status too" {
	ip_on a link add "$(iface a)" type veth peer name other
	refuses -f "$(iface a)"
}

@test "WG_TUN_FD and WG_UAPI_FD hand an interface and a socket down" {
	make_sides b
	join a b
	make_keys a b
	on a "$python" "$here/tun.py" hand "$(iface a)" "$WGENGINE" </dev/null >>a.log 2>&1 3>&- &
	wait_for 5 answers a
	start b
	configure a
	configure b
	befriend a b 4
	befriend b a
	ping_to a b 4
	halt a
	wait_for 5 no_socket a
}

@test "WG_TUN_FD and WG_UAPI_FD that are none are refused" {
	local name value

	for name in WG_TUN_FD WG_UAPI_FD; do
		for value in 99 x -1 0; do
			export "$name=$value"
			refuses -f "$(iface a)"
			unset "$name"
		done
	done
	ended a
}

# hand_socket HOW: starts the engine with a WG_UAPI_FD of that sort; what it says is left in $said.
hand_socket() {
	local status=0

	on a timeout 5 "$python" "$here/hand_socket.py" "$1" "$WGENGINE" -f "$(iface a)" </dev/null >out 2>err 3>&- || status=$?
	said=$(cat err)
	[ $status != 124 ] || fail "still there: $1"
}

@test "a WG_UAPI_FD that does not listen is refused" {
	for how in unbound connected inet; do
		hand_socket $how
		contains "$said" 'cannot listen'
	done
	wait_for 5 ended a
}

@test "a WG_UAPI_FD serves whatever its name is, and only an absolute path is removed" {
	for how in absolute relative longest abstract; do
		LOG_LEVEL=error on a "$python" "$here/hand_socket.py" "$how" "$WGENGINE" "$(iface a)" </dev/null >out 2>err 3>&-
		equal "$(cat out err)" "errno=0"
		halt a
		case $how in
		relative | longest) equal "$(find left.d -type s | wc -l)" 1 ;;
		*) equal "$(find left.d -type s | wc -l)" 0 ;;
		esac
	done
}

@test "a socket with a full queue counts as taken, and is not waited for" {
	mkdir -p "$sockets"
	"$python" "$here/hand_socket.py" full "$sockets/$(iface a).sock" >full 3>&- &
	listener=$!
	wait_for 5 test -s full
	refuses "$(iface a)"
	contains "$said" 'another engine'
	kill "$listener"
	wait "$listener" || true
	rm "$sockets/$(iface a).sock"
}

@test "closed standard files are no place for the tunnel" {
	make_sides b
	join a b
	make_keys a b
	on a "$WGENGINE" "$(iface a)" <&- >&- 2>&- 3>&-
	start b
	configure a
	configure b
	befriend a b 4
	befriend b a
	ping_to a b 4
	equal "$(readlink "/proc/$(engine_pids a)/fd/0")" /dev/null
}

@test "the daemon lets go of the terminal, unless LOG_LEVEL is set" {
	local pid

	start a
	pid=$(engine_pids a)
	equal "$(readlink "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" "/proc/$pid/cwd")" $'/dev/null\n/dev/null\n/dev/null\n/'
	equal "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
	# What it gave up is all that it says.
	equal "$(grep -v '^wgengine: [^ ]*: sandbox: ' a.log)" ""
	halt a
	: >a.log
	LOG_LEVEL=error start a
	equal "$(cat a.log)" ""
	halt a
	LOG_LEVEL=verbose start a
	pid=$(engine_pids a)
	equal "$(readlink "/proc/$pid/fd/2")" "$PWD/a.log"
	contains "$(cat a.log)" "^wgengine: $(iface a): "
	halt a
	: >a.log
	LOG_LEVEL=silent start a
	equal "$(cat a.log)" ""
}

@test "only root may talk to it" {
	start a
	equal "$(stat -c %a:%u "$sockets")" 755:0
	contains "$(stat -c %a:%u "$sockets/$(iface a).sock")" '^[67]00:0$'
	answers a
	run -1 "$python" "$here/uapi.py" --nobody "$(iface a)" <<<$'get=1\n'
	contains "$output" 'Permission denied'
}

@test "nobody else may attach to its interface" {
	start a
	run -0 on a "$python" "$here/tun.py" attach "$(iface a)"
	equal "$output" ""
	# That the attempt is one that could succeed:
	ip_on a tuntap add dev free mode tun multi_queue
	run -1 on a "$python" "$here/tun.py" attach free
	contains "$output" '^flags 0x1101$'
	answers a
}

@test "the engine keeps its memory from other processes of the same user" {
	start a
	# What a process that is not dumpable has belongs to root; and it does not gain privileges by exec.
	contains "$(cat "/proc/$(engine_pids a)/status")" '^NoNewPrivs:[[:space:]]1$'
	contains "$(cat "/proc/$(engine_pids a)/limits")" '^Max core file size +0 +0 '
}

@test "a get reports what was set, in the order of the other engines" {
	local private public psk_hex

	start a
	equal "$(uapi a $'get=1\n')" 'errno=0'
	private=$(head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n')
	public=$(head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n')
	psk_hex=$(head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n')
	# Already clamped, so that it comes back as it was.
	private=${private:0:1}8${private:2:60}41
	equal "$(uapi a "set=1
private_key=$private
listen_port=51820
fwmark=17
replace_peers=true
public_key=$public
preshared_key=$psk_hex
endpoint=[2001:db8::9]:1234
persistent_keepalive_interval=25
replace_allowed_ips=true
allowed_ip=10.1.0.0/16
allowed_ip=fd00::/8
")" 'errno=0'
	equal "$(uapi a $'get=1\n')" "private_key=$private
listen_port=51820
fwmark=17
public_key=$public
preshared_key=$psk_hex
protocol_version=1
endpoint=[2001:db8::9]:1234
last_handshake_time_sec=0
last_handshake_time_nsec=0
tx_bytes=0
rx_bytes=0
persistent_keepalive_interval=25
allowed_ip=10.1.0.0/16
allowed_ip=fd00::/8
errno=0"
}

@test "several operations on one connection" {
	local key=1111111111111111111111111111111111111111111111111111111111111111

	start a
	equal "$(uapi a "set=1
listen_port=1000

get=1

set=1
public_key=$key

set=1
nonsense=1

set=1
public_key=$key
remove=true

get=1
")" 'errno=0

listen_port=1000
errno=0

errno=0

errno=-22

errno=0

listen_port=1000
errno=0'
}

# each_set_fails SIDE ERRNO FIRST_LINES LINE...: a set with each of the lines, all on one connection.
each_set_fails() {
	local side=$1 errno=$2 first=$3 line operations="" expected=""
	shift 3

	for line; do
		operations+=$'set=1\n'"$first$line"$'\n\n'
		expected+="$line: errno=$errno"$'\n'
	done
	equal "$(paste -d '' <(printf '%s: \n' "$@") <(uapi "$side" "$operations" | grep .))" "${expected%$'\n'}"
}

@test "the errors of a set" {
	local key=1111111111111111111111111111111111111111111111111111111111111111

	start a
	each_set_fails a -22 "" unknown=1 listen_port=65536 listen_port=-1 listen_port=x listen_port= fwmark=4294967296 \
		fwmark=x private_key=00 "private_key=${key}00" "private_key=${key:1}g" replace_peers=false \
		public_key=00 persistent_keepalive_interval=1 allowed_ip=10.0.0.0/8 remove=true errno=0
	each_set_fails a -22 "public_key=$key"$'\n' endpoint=10.0.0.1 endpoint=10.0.0.1: endpoint=10.0.0.1:65536 \
		endpoint=localhost:1 endpoint=:1 endpoint=2001:db8::1:1x "endpoint=[2001:db8::1]" allowed_ip=10.0.0.0/33 \
		allowed_ip=fd00::/129 allowed_ip=x allowed_ip=10.0.0/8 allowed_ip= persistent_keepalive_interval=65536 \
		preshared_key=0 protocol_version=2 remove=1 update_only=x replace_allowed_ips= "private_key=$key" listen_port=1
	each_set_fails a -71 "" nonsense listen_port "listen_port 1" 1
	answers a
}

@test "an error leaves what came before it, and what comes after is not done" {
	start a
	equal "$(uapi a $'set=1\nlisten_port=1000\nnonsense=1\nlisten_port=2000\n')" 'errno=-22'
	equal "$(show a listen-port)" 1000
}

@test "the end of the input ends a set, as an empty line does" {
	start a
	equal "$("$python" "$here/uapi.py" --eof "$(iface a)" <<<$'set=1\nlisten_port=1000')" 'errno=0'
	equal "$(show a listen-port)" 1000
	equal "$(printf 'set=1\nlisten_port=2000' | "$python" "$here/uapi.py" --eof "$(iface a)")" 'errno=0'
	equal "$(show a listen-port)" 2000
	# Nothing said, nothing answered; and what is no operation closes the connection.
	equal "$("$python" "$here/uapi.py" --eof "$(iface a)" </dev/null)" ''
	equal "$("$python" "$here/uapi.py" --eof "$(iface a)" <<<$'hello=1\n\nget=1\n')" ''
	answers a
}

@test "update_only, remove and a peer that is ourselves" {
	local key=1111111111111111111111111111111111111111111111111111111111111111

	start a
	equal "$(uapi a "set=1
public_key=$key
update_only=true
allowed_ip=10.0.0.0/8
")" 'errno=0'
	equal "$(on a wg show "$(iface a)" peers)" ""
	make_keys a
	wg_set a private-key a.key peer "$(public a)" allowed-ips 10.0.0.0/8
	equal "$(on a wg show "$(iface a)" peers)" ""
	# A peer becomes ourselves.
	wg_set a private-key /dev/null peer "$(public a)"
	equal "$(on a wg show "$(iface a)" peers)" "$(public a)"
	wg_set a private-key a.key
	equal "$(on a wg show "$(iface a)" peers)" ""
}

@test "the interface works in another namespace, with the sockets in the first" {
	tunnel_from_c
	ping_to c b 4 -I "$(inner a 4)"
	ping_to b a 4
	port_open a
	equal "$(on c ss -Hlun)" ""
	# Down and up there, of which only an attempt to write tells.
	ip_on c link set "$(iface a)" down
	wait_for 5 port_closed a
	ip_on c link set "$(iface a)" up
	wait_for 5 port_open a
	ping_to c b 4 -I "$(inner a 4)"
	# And home again.
	ip_on c link set "$(iface a)" netns "$(ns a)"
	address a
	wait_for 5 ping_to a b 4
}

tunnel_from_c() {
	make_sides b c
	join a b
	make_keys a b
	start a
	start b
	configure a
	configure b
	befriend a b 4
	befriend b a
	ping_to a b 4
	ip_on a link set "$(iface a)" netns "$(ns c)"
	ip_on c addr add "$(inner a 4)/24" dev "$(iface a)"
	ip_on c link set "$(iface a)" up
	wait_for 5 port_open a
}

@test "it outlives the name of its first namespace, and ends when the interface is deleted in the other" {
	tunnel_from_c
	ip netns del "$(ns a)"
	ping_to c b 4 -I "$(inner a 4)"
	ip_on c link del "$(iface a)"
	wait_for 5 no_socket a
}
