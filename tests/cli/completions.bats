# SPDX-License-Identifier: MIT
# Completion: what `wgctl complete' answers, and what the shells make of it when somebody presses TAB.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup_file() {
	local build
	build=$(dirname "${WGCTL:-}")
	[[ -f $build/Makefile ]] || build=${top_builddir:-$BATS_TEST_DIRNAME/../..}
	export SHARE=$BATS_FILE_TMPDIR/share
	make -s -C "$build" install-data datadir="$SHARE" >&2
	make -s -C "$build" completions/wg completions/_wg completions/wg.fish >&2
	mkdir "$BATS_FILE_TMPDIR/wg"
	cp "$build"/completions/{wg,_wg,wg.fish} "$BATS_FILE_TMPDIR/wg"
}

setup() {
	load helpers.bash
	common_setup
	mkdir bin
	ln -s "$WGCTL" bin/wgctl
	export PATH=$PWD/bin:$PATH
}

teardown() {
	common_teardown
}

# Network, and /run/wireguard, of the test's own: no other test's interface is seen.
new_world() {
	need_tun
	need wg
	new_namespace left l
	mkdir -p /run/wireguard
	ip netns exec "$left" unshare --mount --propagation private \
		sh -c 'mount -t tmpfs world /run/wireguard && exec sleep infinity' 3>&- &
	world=$!
	disown
	wait_for 10 eval "grep -q '^world ' /proc/$world/mounts"
}

inside() {
	nsenter --target "$world" --mount --net -- sh -c 'cd "$0" && exec "$@"' "$PWD" "$@" 3>&-
}

# new_tunnels: wgca with the peers $pub_b and $pub_c, wgcb with none.
new_tunnels() {
	new_world
	new_keys
	# Not with the same first letter: shells would fill that in instead of listing.
	until pub_c=$(wg genkey | wg pubkey) && [[ ${pub_c:0:1} != "${pub_b:0:1}" ]]; do :; done
	inside "$WGCTL_ENGINE" wgca
	inside "$WGCTL_ENGINE" wgcb
	echo "$key_a" >key_a
	echo "$psk" >psk
	inside "$WGCTL" set wgca private-key key_a \
		peer "$pub_b" preshared-key psk endpoint 192.0.2.7:51820 peer "$pub_c"
}

# offered WORD...: what may come in the place of the last word; its words only, sorted, as interfaces have no order; and
# first of all the line about files.
offered() {
	inside "$WGCTL" complete -- wgctl "$@" | cut -f 1 | { sed -u 1q && LC_ALL=C sort; }
}

# tab SHELL KEYS: the command line that there is then, without blanks at its end.
tab() {
	inside "$BATS_TEST_DIRNAME/tab.py" "$@" | sed -n '1{s/ *$//; p}'
}

# shows SHELL KEYS TEXT...: all of these, on the terminal.
shows() {
	inside "$BATS_TEST_DIRNAME/tab.py" "$@"
}

commands() {
	"$WGCTL" help | sed -n 's/^  \([a-z]*\) .*/\1/p'
}

# The words of a command's usage line, without what is to be replaced (<...>), and the options that its help names.
help_words() {
	"$WGCTL" help "$1" | sed -n '1{s/^Usage: wgctl [a-z]*//; s/\[+|-\]//g; s/<[^>]*>//g; p}' |
		grep -oE -- '-{0,2}\b[a-z][a-z-]*'
	"$WGCTL" help "$1" | grep -oE -- '(^|[^a-z-])--?[a-z][a-z-]*' | grep -oE -- '-.*'
}

@test "every command says what may come behind it" {
	new_tunnels
	commands >commands
	[[ $(wc -l <commands) -ge 16 ]]
	while read -r command; do
		run --separate-stderr offered "$command" ""
		assert_success
		assert_equal "$stderr" ""
		assert_line --index 0 --regexp '^:(file( \.conf)?)?$'
		# Behind options there are arguments, and something is known of them.
		if "$WGCTL" help "$command" | sed -n '1s/\[-[^]]*\]//g; 1p' | grep -q "^Usage: wgctl $command *[^ ]"; then
			[[ $output != : ]] || fail "$command: nothing is known of its arguments"
		else
			assert_output :
		fi
		run --separate-stderr offered "$command" -
		assert_equal "$stderr" ""
		assert_line --index 0 :
		assert_line -- --help
	done <commands
}

@test "every word of a usage line, and every option, is completed" {
	new_tunnels
	help_words up | grep -qx -e --quiet
	help_words up | grep -qx -e -q
	help_words show | grep -qx -e --json
	help_words set | grep -qx allowed-ips
	for command in $(commands); do
		{
			offered "$command" -
			offered "$command" ""
			offered "$command" wgca ""
			offered "$command" wgca peer "$pub_b" ""
			offered "$command" --ready ""
		} >known
		for word in $(help_words "$command"); do
			grep -qx -e "$word" known || fail "$command: '$word' of its help is not completed"
		done
	done
}

@test "commands and their options" {
	new_world
	run offered sh
	assert_line --index 0 :
	for command in $(commands); do
		assert_line "$command"
	done
	refute_line complete
	run offered help ""
	assert_line showconf
	run offered -
	assert_output ':
--help
--version
-h
-v'
	run offered up -
	assert_output ':
--dns
--dry-run
--help
--quiet
-n
-q'
	run offered up --quiet -n --dns off -
	assert_output ':
--help'
	run offered up -- -
	refute_line -- --quiet
	run offered nonsense ""
	assert_output :
}

@test "interfaces and fields" {
	new_tunnels
	run offered show ""
	assert_output ':
all
interfaces
wgca
wgcb'
	run offered show wgca ""
	assert_line public-key
	assert_line dump
	# All of them are fields.
	for field in "${lines[@]:1}"; do
		inside "$WGCTL" show wgca "$field" >/dev/null
	done
	run offered show all ""
	assert_line public-key
	run offered show interfaces ""
	assert_output :
	run offered show wgca dump ""
	assert_output :
	run offered setconf wgca ""
	assert_output :file
}

@test "set: each word where it may stand, and what is behind it" {
	new_tunnels
	run offered set ""
	assert_output ':
wgca
wgcb'
	run offered set wgca ""
	assert_output ':
fwmark
listen-port
peer
private-key'
	run offered set wgca listen-port ""
	assert_output :
	run offered set wgca fwmark 1 ""
	assert_output ':
listen-port
peer
private-key'
	run offered set wgca private-key ""
	assert_output :file
	run offered set wgca peer ""
	assert_output ":
$(printf '%s\n' "$pub_b" "$pub_c" | LC_ALL=C sort)"
	run offered set wgcb peer ""
	assert_output :
	run offered set wgca peer "$pub_b" endpoint x ""
	assert_output ':
allowed-ips
peer
persistent-keepalive
preshared-key
remove'
	run offered set wgca peer "$pub_b" endpoint x peer "$pub_c" ""
	assert_line endpoint
	# A value, not an option.
	run offered set wgca peer "$pub_b" allowed-ips -
	assert_output :
	run offered set wgca peer "$pub_b" allowed-ips -10.0.0.0/8 pre
	assert_line preshared-key
}

@test "a peer's key comes with what tells it from others" {
	new_tunnels
	run inside "$WGCTL" complete -- wgctl set wgca peer ""
	assert_line "$pub_b	wgca 192.0.2.7:51820"
	assert_line "$pub_c	wgca"
}

# name_peers NAME NAME: what WGCTL_PATH calls the peers of wgca.
name_peers() {
	mkdir -p names
	export WGCTL_PATH=$PWD/names
	printf '%s\n' "[Interface]" "PrivateKey = $key_a" \
		"[Peer]" "# Name = $1" "PublicKey = $pub_b" "PresharedKey = $psk" \
		"[Peer]" "# Name = $2" "PublicKey = $pub_c" >names/wgca.conf
}

@test "peers by name and by key" {
	new_tunnels
	name_peers "Ann Lee" bob
	for words in "set wgca peer" "status wgca" "status"; do
		# shellcheck disable=SC2086 # words
		run inside "$WGCTL" complete -- wgctl $words ""
		assert_line "Ann Lee	wgca 192.0.2.7:51820"
		assert_line "$pub_b	wgca Ann Lee 192.0.2.7:51820"
		assert_line "bob	wgca"
		assert_line "$pub_c	wgca bob"
	done
	run offered status ""
	assert_line wgcb
	# wg(8) knows no names.
	run inside "$WGCTL" complete -- wg set wgca peer ""
	refute_output --partial bob
	assert_line --partial "$pub_c"
	run inside "$WGCTL" complete -- wg show wgca ""
	refute_line names
	run offered show wgca ""
	assert_line names
}

@test "options with a value" {
	new_tunnels
	run offered watch --interval ""
	assert_output :
	run offered watch --interval 1 ""
	assert_output ':
wgca
wgcb'
	run offered watch --interval=1 --count 2 -
	assert_output ':
--help
--interval
--json'
}

@test "no secret is offered, anywhere" {
	new_tunnels
	name_peers ann bob
	for command in $(commands); do
		for words in "" "wgca " "wgca peer " "wgca peer $pub_b " "wgca private-key " "wgca peer $pub_b preshared-key "; do
			# shellcheck disable=SC2086 # words
			inside "$WGCTL" complete -- wgctl "$command" $words ""
		done
	done >all
	grep -q "$pub_b" all
	run grep -cF -e "$key_a" -e "$psk" all
	assert_output 0
}

@test "configurations: names from WGCTL_PATH and files" {
	new_world
	mkdir one two
	touch one/home.conf one/work.conf two/home.conf two/notes.txt two/-bad.conf "two/a name.conf" two/averyverylongname.conf two/.conf
	export WGCTL_PATH=$PWD/one:/nowhere:$PWD/two
	for command in up down reload; do
		run offered "$command" ""
		assert_output ':file .conf
home
work'
	done
}

@test "down: a tunnel that is up is offered once" {
	new_tunnels
	mkdir one
	touch one/wgca.conf one/work.conf
	export WGCTL_PATH=$PWD/one
	run offered down ""
	assert_output ':file .conf
wgca
wgcb
work'
}

@test "by the name wg: wg's commands, and no options" {
	new_tunnels
	run inside "$WGCTL" complete -- /usr/local/bin/wg sh
	assert_line --partial showconf
	refute_line --partial up
	refute_line --partial help
	run inside "$WGCTL" complete -- wg show -
	assert_output :
	run inside "$WGCTL" complete -- wg up ""
	assert_output :
	run inside "$WGCTL" complete -- wg show ""
	assert_line --partial wgca
}

@test "an engine that does not answer does not hold up the shell" {
	new_tunnels
	inside "$WGCTL" set wgcb peer "$pub_c"
	[[ $(engine_pids "$left" wgcb) ]]
	for pid in $(engine_pids "$left" wgcb); do
		kill -STOP "$pid"
	done
	start=${EPOCHREALTIME/./}
	run --separate-stderr offered set wgcb peer ""
	assert_equal "$output" :
	assert_equal "$stderr" ""
	# Others are still offered.
	run --separate-stderr offered set ""
	assert_line wgca
	assert_line wgcb
	# A second each; what is not completion waits for ten.
	((${EPOCHREALTIME/./} - start < 6000000)) || fail "it took too long"
	run tab bash 'wgctl set wgcb peer \t'
	assert_output "wgctl set wgcb peer"
}

@test "complete without words, and with words that mean nothing" {
	run --separate-stderr "$WGCTL" complete
	assert_failure
	assert_equal "$output$stderr" ""
	run --separate-stderr "$WGCTL" complete -- wgctl
	assert_failure
	assert_equal "$output$stderr" ""
	for words in "/// x" "set - - - -" "set wgca peer peer peer peer x" "show ../.. x" "-- --" "set /etc/passwd peer x"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$WGCTL" complete -- wgctl $words
		assert_success
		assert_equal "$stderr" ""
	done
}

# each_shell FUNCTION: in every shell; its messages say in which.
each_shell() {
	local shell
	for shell in bash zsh fish; do
		need $shell
		echo "# in $shell"
		"$1" $shell
	done
}

presses_commands() {
	assert_equal "$(tab "$1" 'wgctl sh\t')" "wgctl show"
	assert_equal "$(tab "$1" 'wgctl showc\t')" "wgctl showconf"
	assert_equal "$(tab "$1" 'wgctl show al\t')" "wgctl show all"
	assert_equal "$(tab "$1" 'wgctl up --q\t')" "wgctl up --quiet"
	assert_equal "$(tab "$1" 'wgctl show wgc\t')" "wgctl show wgc"
	assert_equal "$(tab "$1" 'wgctl show wgca pri\t')" "wgctl show wgca private-key"
	assert_equal "$(tab "$1" 'wgctl help sy\t')" "wgctl help syncconf"
	assert_equal "$(tab "$1" 'wgctl genkey x\t')" "wgctl genkey x"
}

@test "TAB: commands, options, interfaces, fields" {
	new_tunnels
	each_shell presses_commands
}

presses_lists() {
	shows "$1" 'wgctl show wgc\t\t' wgca wgcb
	shows "$1" 'wgctl set wgca peer \t\t' "${pub_b:1}" "${pub_c:1}" 192.0.2.7:51820
}

@test "TAB TAB: what there is" {
	new_tunnels
	each_shell presses_lists
}

presses_keys() {
	assert_equal "$(tab "$1" "wgctl set wgca peer ${pub_b:0:10}\\t")" "wgctl set wgca peer $pub_b"
	# Its = ends a word for bash.
	assert_equal "$(tab "$1" "wgctl set wgca peer $pub_b\\t")" "wgctl set wgca peer $pub_b"
	assert_equal "$(tab "$1" 'wgctl set wgca peer Ann\t')" 'wgctl set wgca peer Ann\ Lee'
	assert_equal "$(tab "$1" 'wgctl set wgca peer Ann\ Lee allo\t')" 'wgctl set wgca peer Ann\ Lee allowed-ips'
	assert_equal "$(tab "$1" 'wgctl status wgca bo\t')" 'wgctl status wgca bob'
	assert_equal "$(tab "$1" "wgctl set wgca peer $pub_b allo\\t")" "wgctl set wgca peer $pub_b allowed-ips"
}

@test "TAB: peers by key and by name" {
	new_tunnels
	name_peers "Ann Lee" bob
	each_shell presses_keys
}

presses_files() {
	assert_equal "$(tab "$1" 'wgctl up ./ho\t')" "wgctl up ./home.conf"
	assert_equal "$(tab "$1" 'wgctl up fold\t')" "wgctl up folder/"
	assert_equal "$(tab "$1" 'wgctl up wor\t')" "wgctl up work"
	assert_equal "$(tab "$1" 'wgctl setconf wgca oth\t')" "wgctl setconf wgca other.txt"
	assert_equal "$(tab "$1" 'wgctl setconf wgca my\t')" 'wgctl setconf wgca my\ file'
	assert_equal "$(tab "$1" 'wgctl genkey > oth\t')" 'wgctl genkey > other.txt'
	# fish counts a redirection's file among the words, for every command.
	[[ $1 == fish ]] || assert_equal "$(tab "$1" 'wgctl show > /dev/null al\t')" 'wgctl show > /dev/null all'
}

@test "TAB: files, and of configurations those that are some" {
	new_world
	mkdir folder one
	touch home.conf home.txt other.txt "my file" one/work.conf
	export WGCTL_PATH=$PWD/one
	each_shell presses_files
}

presses_sudo() {
	assert_equal "$(tab "$1" 'sudo wgctl show wgca pri\t')" "sudo wgctl show wgca private-key"
}

@test "TAB: behind sudo" {
	new_tunnels
	printf '#!/bin/sh\nexec "$@"\n' >bin/sudo
	chmod +x bin/sudo
	each_shell presses_sudo
}

# What a name may hold: the answer is not wgctl's, as no wgctl gives them all.
presses_names() {
	local name given
	while IFS='|' read -r typed name; do
		given=$(tab "$1" "wgctl status $typed\\t")
		given=${given#wgctl status }
		assert_equal "$("$1" -c "printf %s $given")" "$name"
	done <<-'END'
		Ann|Ann Lee
		Ann\ L|Ann Lee
		"Ann L|Ann Lee
		'Ann L|Ann Lee
		Bo|Bo's "pad"
		dol|dollar$(touch came-true)
		semi|semi; touch came-true
		site:|site:one
		k=|k=v
		back|back\slash
		Zo|Zoë
	END
	[[ ! -e came-true ]]
}

@test "TAB: names that a shell has to quote" {
	new_world
	rm bin/wgctl
	cat >bin/wgctl <<-'END'
		#!/bin/sh
		printf '%s\n' : "$(printf 'Ann Lee\twg0')" "Bo's \"pad\"" 'dollar$(touch came-true)' 'semi; touch came-true' site:one k=v 'back\slash' Zoë
	END
	chmod +x bin/wgctl
	each_shell presses_names
}

presses_wg() {
	assert_equal "$(tab "$1" 'wg sh\t')" "wg show"
	assert_equal "$(tab "$1" 'wg show wgca pri\t')" "wg show wgca private-key"
	assert_equal "$(tab "$1" 'wg dow\t')" "wg dow"
}

@test "TAB: by the name wg" {
	new_tunnels
	SHARE=$PWD/share
	mkdir -p share/bash-completion/completions share/zsh/site-functions share/fish/vendor_completions.d
	cp "$BATS_FILE_TMPDIR/wg/wg" share/bash-completion/completions
	cp "$BATS_FILE_TMPDIR/wg/_wg" share/zsh/site-functions
	cp "$BATS_FILE_TMPDIR/wg/wg.fish" share/fish/vendor_completions.d
	ln -s "$WGCTL" bin/wg
	each_shell presses_wg
}
