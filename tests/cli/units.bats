# SPDX-License-Identifier: MIT
# The units of systemd: systemd takes them, and what they run brings a tunnel up, changes it and takes it down.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
	local build
	build=$(dirname "$WGCTL")
	[[ -f $build/Makefile ]] || build=$build_dir
	make -s -C "$build" systemdsystemunitdir="$PWD/units" \
		install-{nodist,dist}_systemdsystemunitDATA >&2
	# The programs of this build, which is not installed.
	grep '^Exec' units/wgctl@.service >lines
	sed -i "s,^\(Exec.*=\)/.*/wgctl ,\1$WGCTL ," units/wgctl@.service
}

teardown() {
	common_teardown
}

# unit_runs KIND INTERFACE: what the unit runs, as systemd would.
unit_runs() {
	local words setting
	mapfile -t setting < <(sed -n 's/^Environment=//p' units/wgctl@.service)
	read -ra words < <(sed -n "s/^$1=//; T; s/%i/$2/gp" units/wgctl@.service)
	[[ ${#words[@]} -eq 3 ]] || fail "$1 is not in the unit"
	left env WGCTL_PATH="$PWD" "${setting[@]}" "${words[@]}"
}

@test "no directory of configure is left open in what is run" {
	run cat lines
	assert_line --regexp '^ExecStart=/[^@$ ]*/bin/wgctl run %i$'
	assert_line --regexp '^ExecReload=/[^@$ ]*/bin/wgctl reload %i$'
	assert_equal "${#lines[@]}" 2
}

@test "systemd takes them without a word" {
	need systemd-analyze
	run -0 env SYSTEMD_UNIT_PATH="$PWD/units:" systemd-analyze verify --man=no --recursive-errors=yes \
		wgctl@wg0.service wgctl.target
	assert_output ""
	# It does see mistakes.
	sed -i 's,^ExecReload=/,&no-such,' units/wgctl@.service
	run ! env SYSTEMD_UNIT_PATH="$PWD/units:" systemd-analyze verify --man=no --recursive-errors=yes \
		wgctl@wg0.service wgctl.target
	assert_output --partial no-such
}

@test "what they run: start, reload, stop" {
	need_tun
	need wg
	new_pair
	new_tunnel
	unit_runs ExecStart "$A" &
	started+=("$!")
	wait_for 10 link_exists "$left" "$A"
	right "$WGCTL" up -q "$B.conf"
	ping_through "$left" 10.9.0.2
	sed -i 's/^Address.*/&, 10.9.8.7\/32/' "$A.conf"
	unit_runs ExecReload "$A"
	run addresses "$left" "$A"
	assert_line --partial 10.9.8.7/32
	kill -TERM "$(pgrep -f "wgctl run $A\$")"
	wait "${started[0]}"
	assert_gone "$left" "$A"
}
