# SPDX-License-Identifier: MIT
# PreUp, PostUp, PreDown and PostDown: when they run, in which order, and what becomes of the tunnel if they fail.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg wg-quick
	common_setup
	new_pair
	new_tunnel
	export WG_QUICK_USERSPACE_IMPLEMENTATION=$WGCTL_ENGINE
}

teardown() {
	common_teardown
}

# with LINE...: these lines in [Interface].
with() {
	local line
	for line in "$@"; do
		sed -i "/^Address/a $(sed 's/[&\\]/\\&/g' <<<"$line")" "$A.conf"
	done
}

# Two of each kind, which write to the file that $LOG names what they are, and what there is then.
all_kinds() {
	local kind
	# shellcheck disable=SC2016 # for the hooks' shell
	for kind in PreUp PostUp PreDown PostDown; do
		echo "$kind = echo $kind 2 %i >>\$LOG; wg show %i listen-port >>\$LOG 2>&1 || :"
		echo "$kind = echo $kind 1 %i-%i \$LC_ALL | tr a-z A-Z >>\$LOG # %i"
	done
}

@test "all kinds, each in the file's order, as wg-quick runs them" {
	mapfile -t lines < <(all_kinds)
	with "${lines[@]}"
	LOG=$PWD/theirs left wg-quick up "./$A.conf"
	LOG=$PWD/theirs left wg-quick down "./$A.conf"
	assert_gone "$left" "$A"
	LOG=$PWD/ours left "$WGCTL" up -q "./$A.conf"
	[[ $(wc -l <ours) -ge 6 ]]
	LOG=$PWD/ours left "$WGCTL" down -q "$A"
	assert_gone "$left" "$A"
	# Before 1.0.20260223 wg-quick ran PreUp before there was an interface.
	diff <(sed '3,4{/^[0-9U]/d}' theirs | grep -v '^Unable') <(sed '3,4{/^[0-9U]/d}' ours | grep -v '^Unable')
	run cat ours
	assert_line "PREUP 1 ${A^^}-${A^^} C"
	assert_line "PostDown 2 $A"
}

@test "a command fails where it does with wg-quick" {
	local command
	# shellcheck disable=SC2016 # for the hooks' shell
	for command in 'false; true' 'false | true' '! true; true' 'x=; [[ abc == @(a|b)bc ]] && false || true' 'exit 7' \
		'nothing-of-this-name' 'shopt -s nullglob' 'if false; then :; fi' 'echo "' 'kill -KILL $BASHPID'; do
		new_tunnel
		with "PostUp = $command"
		LC_ALL=C theirs=0 ours=0
		left wg-quick up "./$A.conf" || theirs=1
		! link_exists "$left" "$A" || left wg-quick down "./$A.conf"
		assert_gone "$left" "$A"
		left "$WGCTL" up -q "./$A.conf" || ours=1
		! link_exists "$left" "$A" || left "$WGCTL" down -q "./$A.conf"
		assert_gone "$left" "$A"
		assert_equal "$command: $ours" "$command: $theirs"
	done
}

@test "a command that fails on the way up: all is undone, and no command for the way down runs" {
	with "PostDown = echo PostDown >>$PWD/log" "PreDown = echo PreDown >>$PWD/log" "PostUp = exit 3" \
		"PreUp = echo PreUp >>$PWD/log"
	run left "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line "[#] exit 3"
	assert_line "wgctl: cannot run the PostUp command \`exit 3': it ended with exit status 3"
	assert_equal "$(<log)" PreUp
	assert_gone "$left" "$A"
	[[ ! -e /run/wgctl/$A.record ]]
}

@test "a command that fails on the way down: it is said, and the rest goes on" {
	with "PostDown = echo PostDown >>$PWD/log" "PreDown = echo PreDown >>$PWD/log" "PreDown = exit 4"
	sed -i 's/^PreDown = exit 4/PreDown = exit 4 # %i/' "$A.conf"
	left "$WGCTL" up -q "$A.conf"
	run left "$WGCTL" down "$A"
	assert_failure 1
	assert_line --partial "wgctl: cannot run the PreDown command \`exit 4"
	assert_line --partial "it ended with exit status 4"
	assert_gone "$left" "$A"
	assert_equal "$(<log)" $'PreDown\nPostDown'
	[[ ! -e /run/wgctl/$A.record ]]
}

@test "down runs what up recorded, whatever the file says now" {
	with "PreDown = echo PreDown >>$PWD/log"
	left "$WGCTL" up -q "$A.conf"
	rm "$A.conf"
	left "$WGCTL" down -q "$A"
	assert_equal "$(<log)" PreDown
}

@test "reload runs none; those of the new file run on the way down" {
	with "PreDown = echo old >>$PWD/log"
	left "$WGCTL" up -q "$A.conf"
	sed -i '/^PreDown/d' "$A.conf"
	with "PreUp = echo PreUp >>$PWD/log" "PostUp = echo PostUp >>$PWD/log" "PreDown = echo new >>$PWD/log" \
		"PostDown = echo PostDown >>$PWD/log"
	left "$WGCTL" reload -q "$A.conf"
	[[ ! -e log ]]
	left "$WGCTL" down -q "$A"
	assert_equal "$(<log)" $'new\nPostDown'
}

@test "they see the variables that wg-quick calls its own" {
	cat >"$A.conf" <<-END
		[Interface]
		PrivateKey = $(wg genkey)
		PostUp = echo "up <\$INTERFACE> <\$CONFIG_FILE>" >>log
		PreDown = echo "down <\$INTERFACE> <\$CONFIG_FILE>" >>log
	END
	for file in "$A.conf" "./$A.conf"; do
		left env WG_QUICK_USERSPACE_IMPLEMENTATION="$WGCTL_ENGINE" wg-quick up "./$A.conf"
		left env WG_QUICK_USERSPACE_IMPLEMENTATION="$WGCTL_ENGINE" wg-quick down "./$A.conf"
		mv log theirs
		INTERFACE=other left "$WGCTL" up -q "$file"
		INTERFACE=other left "$WGCTL" down -q "$file"
		diff theirs log
		rm log
	done
	run cat theirs
	assert_line "up <$A> <$PWD/$A.conf>"
	assert_line "down <$A> <$PWD/$A.conf>"
}

@test "a dry run shows them, and runs none" {
	with "PreUp = echo %i >>$PWD/log"
	run left "$WGCTL" up -n "$A.conf"
	assert_success
	assert_line "[#] echo $A >>$PWD/log"
	[[ ! -e log ]]
}

@test "the engine was killed: down runs its commands all the same" {
	with "PreDown = echo PreDown >>$PWD/log" "PostDown = echo PostDown >>$PWD/log"
	left "$WGCTL" up -q "$A.conf"
	kill_engine
	left "$WGCTL" down -q "$A"
	assert_equal "$(<log)" $'PreDown\nPostDown'
}

@test "they read and write what wgctl was given" {
	with "PostUp = read word; echo \"heard \$word\""
	run --separate-stderr left "$WGCTL" up -q "$A.conf" <<<"hello"
	assert_success
	assert_output "heard hello"
}

@test "without a bash, sh runs them" {
	mkdir bin
	ln -s "$(command -v sh)" "$(command -v readlink)" bin
	# shellcheck disable=SC2016 # for the hooks' shell
	with "PostUp = readlink /proc/\$\$/exe >$PWD/shell"
	PATH=$PWD/bin run "$(command -v ip)" netns exec "$left" "$WGCTL" up -q "$A.conf" 3>&-
	assert_success
	assert_equal "$(<shell)" "$(readlink -f "$(command -v sh)")"
}

@test "a signal ends a command that hangs, and all is undone" {
	mkfifo hang
	with "PostUp = echo \$\$ >$PWD/pid.new; mv pid.new pid; exec cat $PWD/hang"
	left "$WGCTL" up "$A.conf" 2>log &
	started+=($!)
	wait_for 10 test -e pid
	kill -TERM "$(ps -o ppid= -p "$(<pid)" | tr -d ' ')"
	refute wait "${started[0]}"
	grep -q "interrupted; undoing" log
	refute kill -0 "$(<pid)"
	assert_gone "$left" "$A"
}

@test "whoever ignores the end of children does not hide it from wgctl" {
	with "PostUp = exit 5"
	run left perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$WGCTL" up -q "$A.conf"
	assert_failure 1
	assert_output --partial "it ended with exit status 5"
	assert_gone "$left" "$A"
}
