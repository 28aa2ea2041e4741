# SPDX-License-Identifier: MIT
# wg and wgctl side by side: see differential.py, and differential.md for the differences that are meant to be.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg python3 unshare
	common_setup
	export WGCTL WGENGINE=$WGCTL_ENGINE
}

teardown() {
	common_teardown
}

# all SUITES MINIMUM: the suites pass, with at least so many cases.
all() {
	local count
	run "$BATS_TEST_DIRNAME/differential.py" $1
	[[ $status -eq 0 ]] || fail "$(grep -A 40 '^not ok' <<<"$output")"
	count=$(grep -c '^ok' <<<"$output")
	((count >= $2)) || fail "only $count cases"
}

@test "configuration files, words, key files and whole command lines" {
	all "files kept set keys other" 1200
}
