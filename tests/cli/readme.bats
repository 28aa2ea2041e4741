# SPDX-License-Identifier: MIT
# The commands of README.md, as they stand there. Two machines, server and client, are namespaces with a shell each, which is typed at;
# each has an /etc and sockets of its own, and a sudo that does without asking.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	build=$(dirname "$WGCTL")
	# Each block of indented lines becomes a file 1, 2 ..., with its section and the paragraph above it beside it.
	awk -v RS= '
		/^    / {
			if (!inside) { n++; print section >n ".section"; print place >n ".place" }
			gsub(/\n    /, "\n"); sub(/^    /, "")
			print (inside ? "\n" : "") $0 >n ".block"; inside = 1; next
		}
		/^## / { section = $0 }
		{ inside = 0; place = $0 }' "$top/README.md"
}

teardown() {
	common_teardown
}

# blocks_of SECTION: their numbers, in their order.
blocks_of() {
	grep -lx "## $1" -- *.section | sed 's/\..*//' | sort -n
}

# new_machine NAME NAMESPACE: what it is told comes over the pipe NAME.in, what it says is in NAME.out.
new_machine() {
	mkdir "$1"
	mkfifo "$1.in"
	exec {pipe}<>"$1.in"
	to[$1]=$pipe
	# shellcheck disable=SC2016 # for the inner shell
	(cd "$1" && exec env -u WGCTL_ENGINE PATH="$PWD/../bin:$PATH" ip netns exec "$2" unshare --mount --propagation private bash -e -c '
		mkdir -p /run/wireguard /run/wgctl ../etc
		mount -t tmpfs none ../etc
		cp -a /etc/. ../etc
		rm -rf ../etc/wireguard
		echo "192.0.2.1 server.example.org" >>../etc/hosts
		mount --bind ../etc /etc
		mount -t tmpfs none /run/wireguard
		mount -t tmpfs none /run/wgctl
		exec bash -e -u -o pipefail') <"$1.in" >"$1.out" 2>&1 3>&- &
	machines[$1]=$!
	started+=($!)
}

has_done() {
	[[ $(cat "$1.done" 2>/dev/null) == "$2" ]] || ! kill -0 "${machines[$1]}" 2>/dev/null
}

# tell MACHINE LINE...: types the lines, and waits until all are done. A command that fails ends the shell.
tell() {
	local machine=$1
	shift
	count=$((count + 1))
	printf '%s\n' "$@" "echo $count >../$machine.done" >&"${to[$machine]}"
	wait_for 60 has_done "$machine" "$count"
	[[ $(cat "$machine.done") == "$count" ]] || fail "on the $machine: $* $(cat "$machine.out")"
}

# public_key MACHINE: as it was shown.
public_key() {
	grep -xE '[A-Za-z0-9+/]{43}=' "$1.out" | tail -n 1
}

# follow BLOCK: on the machines that the paragraph above it names. What is asked is the other's public key.
follow() {
	local -a where
	local text machine other
	text=$(cat "$1.block")
	case $(cat "$1.place") in
	*"On both machines"*) where=(server client) ;;
	*"On the server"*) where=(server) ;;
	*"On the client"* | *"On either machine"*) where=(client) ;;
	*) fail "README.md does not say where to do this: $text" ;;
	esac
	for machine in "${where[@]}"; do
		[[ $machine == server ]] && other=client || other=server
		if [[ $text == read* ]]; then
			tell "$machine" "$text" "$(public_key "$other")"
		else
			tell "$machine" "$text"
		fi
	done
}

@test "five minutes: a server and a client, and the tools that you have" {
	need_tun
	need wg wg-quick ping
	local -A to=() machines=()
	local block message=''
	count=0
	new_pair
	mkdir bin
	ln -s "$WGCTL" "$WGCTL_ENGINE" bin
	printf '#!/bin/sh\nexec env "$@"\n' >bin/sudo
	chmod +x bin/sudo
	new_machine server "$left"
	new_machine client "$right"
	for block in $(blocks_of "Five minutes: a server and a client"); do
		if [[ $(cat "$block.block") == *": error: "* ]]; then
			message=$(cat "$block.block")
			continue
		fi
		follow "$block"
	done
	assert_equal "$(grep -c ' 0% packet loss' client.out)" 2
	run cat client.out
	assert_line --regexp "^ *latest handshake: "
	assert_line --partial "wg0: healthy"
	for machine in "$left" "$right"; do
		assert_gone "$machine" wg0
	done
	# The file with the mistake of which README.md shows the message.
	tell client 'sed -i s/AllowedIPs/AlowedIPs/ /etc/wireguard/wg0.conf' \
		'! sudo wgctl up wg0 2>../mistake' 'sed -i s/AlowedIPs/AllowedIPs/ /etc/wireguard/wg0.conf'
	run cat mistake
	assert_line "$message"
	refute link_exists "$right" wg0
	for block in $(blocks_of "With the tools that you have"); do
		follow "$block"
	done
	run tail -n 20 client.out
	assert_line --partial "peer: $(public_key server)"
	assert_gone "$right" wg0
}

@test "see it work" {
	run cat "$(blocks_of "See it work").block"
	assert_output script/demo
	[[ -x $top/script/demo ]] # run by script/test
}

# The first steps have made the build that is tested here; what is left is to install it.
@test "install: each command is there, and puts in place what the page speaks of" {
	local words
	[[ -e $build/Makefile ]] || leave "needs the build directory"
	while read -r -a words; do
		case ${words[*]} in
		"make" | "sudo make install") continue ;;
		script/* | ./*) [[ -x $top/${words[0]} ]] || fail "no ${words[0]}" ;;
		*) fail "not known here: ${words[*]}" ;;
		esac
	done <"$(blocks_of Install).block"
	run -0 make -C "$build" install DESTDIR="$PWD/stage"
	for name in wgctl wgengine wgctl.8 wgengine.8 wgctl.conf.5 _wgctl wgctl.fish; do
		[[ -n $(find stage -name "$name") ]] || fail "not installed: $name"
	done
}

@test "every option of configure is one" {
	local options
	options=$(grep -oE -- '--(with|enable|disable)-[a-z-]+' "$top/README.md" | sort -u)
	[[ $options == *--with-* ]] || fail "none"
	"$top/configure" --help >help
	for option in $options; do
		grep -qE -- "^ *$option\b" help || grep -qE -- "^ *--with${option#--without}\b" help || fail "$option"
	done
}

@test "every block is used here" {
	assert_equal "$(cat -- *.section | sort -u)" "$(printf '## %s\n' 'Five minutes: a server and a client' Install 'See it work' 'With the tools that you have')"
	assert_equal "$(blocks_of Install | wc -l) $(blocks_of "See it work" | wc -l)" "1 1"
}

@test "every file that is pointed to is there" {
	local paths
	paths=$(grep -oE '\]\([^)#:]+\)' "$top/README.md" | tr -d '])(')
	[[ -n $paths ]] || fail "none"
	for path in $paths; do
		[[ -e $top/$path ]] || fail "$path"
	done
}
