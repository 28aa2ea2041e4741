# SPDX-License-Identifier: MIT
# Where wgctl is not wg-quick: quick.md lists it, DIFFERENCES FROM WG-QUICK of the manual page says it, and the tests that both name show
# it. Those here run both.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
	list=$BATS_TEST_DIRNAME/quick.md
	page=$BATS_TEST_DIRNAME/../../man/wgctl.8
}

teardown() {
	common_teardown
}

# $A.conf with these lines in [Interface], and a namespace for it.
begin() {
	need_tun
	need wg wg-quick nft
	[[ -n ${left:-} ]] || new_namespace left l
	export WG_QUICK_USERSPACE_IMPLEMENTATION=$WGCTL_ENGINE
	printf '%s\n' '[Interface]' "PrivateKey = $(wg genkey)" "$@" >"$A.conf"
}

theirs() { left wg-quick "$1" "./$A.conf"; }
ours() { left "$WGCTL" "$1" -q "./$A.conf"; }

# listed HEADING: the tests that the tables behind it name.
listed() {
	sed -n "/^## $1/,/^## /s/^| \`\([^|]*\)\` .*/\1/p" "$list"
}

@test "the manual page, the list and the tests agree" {
	local entries file name
	entries=$(listed "On purpose")
	assert_equal "$(sed -n '/^\.Sh DIFFERENCES FROM WG-QUICK/,/^\.Sh /s/^\.\\" //p' "$page")" "$entries"
	[[ $(wc -l <<<"$entries") -gt 20 ]] || fail "only some"
	while IFS= read -r name; do
		file=${name%%: *}
		grep -qxF "@test \"${name#*: }\" {" "$BATS_TEST_DIRNAME/$file" || fail "no test: $name"
	done < <(listed "On purpose" && listed "Because")
}

@test "MTU and Table without a value are errors, others a warning" {
	local key
	for key in DNS Address PostUp; do
		begin "$key =  "
		theirs up
		theirs down
		run ours up
		assert_success
		assert_output --regexp "$A.conf:3:[0-9]+: warning: '$key' has no value, and says nothing"
		ours down
	done
	for key in MTU Table; do
		begin "$key ="
		theirs up
		theirs down
		run ours up
		assert_failure 1
		assert_output --partial "$A.conf:3:"
		assert_output --partial "'$key' has no value: write one or remove the line"
		assert_gone "$left" "$A"
	done
}

@test "a server of names that is no address is an error" {
	begin 'DNS = 999.1'
	mkdir bin
	printf '#!/bin/sh\ncat >>%s\n' "$PWD/told" >bin/resolvconf
	chmod +x bin/resolvconf
	PATH=$PWD/bin:$PATH theirs up
	PATH=$PWD/bin:$PATH theirs down
	grep -qx 'nameserver 999.1' told
	run ours up
	assert_failure 1
	assert_output --partial "$A.conf:3:7: error: '999.1' is no address"
}

@test "who is not root is told so, and sudo is not asked" {
	begin
	mkdir bin
	printf '#!/bin/sh\necho "$*" >>%s\n' "$PWD/asked" >bin/sudo
	chmod +x bin/sudo
	PATH=$PWD/bin:$PATH unshare --user wg-quick up "./$A.conf"
	grep -q "up ./$A.conf" asked
	rm asked
	PATH=$PWD/bin:$PATH run unshare --user "$WGCTL" up "./$A.conf"
	assert_failure 1
	assert_output --partial "wgctl: "
	[[ ! -e asked ]]
}
