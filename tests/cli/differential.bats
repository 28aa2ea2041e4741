# SPDX-License-Identifier: MIT
# wg and wgctl side by side: see differential.py, and differential.md for the differences that are meant to be.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg python3 unshare wireguard-go
	common_setup
	export WGCTL
}

teardown() {
	common_teardown
}

# all ENGINE SUITES MINIMUM: the suites pass, with at least so many cases.
all() {
	local count
	WGENGINE=$1 run "$BATS_TEST_DIRNAME/differential.py" $2
	[[ $status -eq 0 ]] || fail "$(grep -A 40 '^not ok' <<<"$output")"
	count=$(grep -c '^ok' <<<"$output")
	((count >= $3)) || fail "only $count cases"
}

@test "configuration files, words, key files and whole command lines" {
	all "$WGCTL_ENGINE" "files kept set keys other" 1200
}

@test "half of them with wireguard-go as the engine" {
	all wireguard-go "files/2 kept set keys/2 other" 700
}
