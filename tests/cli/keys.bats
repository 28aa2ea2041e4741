# SPDX-License-Identifier: MIT
# genkey, genpsk, pubkey: beside wg's.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
}

teardown() {
	common_teardown
}

# compare_pubkey < INPUT: both make the same of it.
compare_pubkey() {
	local input=$BATS_TEST_TMPDIR/input theirs=0 ours=0
	cat >"$input"
	wg pubkey <"$input" >theirs.out 2>theirs.err || theirs=$?
	"$WGCTL" pubkey <"$input" >ours.out 2>ours.err || ours=$?
	assert_equal "$ours" "$theirs"
	cmp theirs.out ours.out
	diff <(sed 's/^wg:/wgctl:/' theirs.err) ours.err
}

@test "genkey makes a clamped key of 44 characters" {
	run --separate-stderr "$WGCTL" genkey
	assert_success
	assert_output --regexp '^[A-Za-z0-9+/]{43}=$'
	assert_equal "$stderr" ""
	read -ra bytes -d "" < <(base64 -d <<<"$output" | od -An -tu1 -v) || true
	assert_equal ${#bytes[@]} 32
	assert_equal $((bytes[0] & 7)) 0
	assert_equal $((bytes[31] & 192)) 64
}

@test "genkey and genpsk never make the same key twice" {
	for command in genkey genpsk; do
		assert_not_equal "$("$WGCTL" $command)" "$("$WGCTL" $command)"
	done
}

@test "genkey | pubkey equals wg pubkey, both ways" {
	need wg
	for _ in {1..20}; do
		key=$("$WGCTL" genkey)
		assert_equal "$("$WGCTL" pubkey <<<"$key")" "$(wg pubkey <<<"$key")"
		key=$(wg genkey)
		assert_equal "$("$WGCTL" pubkey <<<"$key")" "$(wg pubkey <<<"$key")"
	done
}

@test "pubkey takes and refuses what wg pubkey does" {
	need wg
	key=$(wg genkey)
	compare_pubkey <<<"$key"
	printf %s "$key" | compare_pubkey
	printf '%s\n\n \t\r\n' "$key" | compare_pubkey
	printf '%s\0\0' "$key" | compare_pubkey
	compare_pubkey </dev/null
	compare_pubkey <<<"${key:0:43}"
	compare_pubkey <<<"${key}x"
	printf '%s\n\nx' "$key" | compare_pubkey
	compare_pubkey <<<" $key"
	compare_pubkey <<<"${key:0:20}*${key:21}"
	compare_pubkey <<<"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="
	compare_pubkey <<<"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	wg genpsk | compare_pubkey
}

@test "no message of pubkey repeats the key" {
	key=$("$WGCTL" genkey)
	run "$WGCTL" pubkey <<<"${key}x"
	assert_failure 1
	refute_output --partial "${key:0:8}"
}

@test "genkey and genpsk warn of a file that everybody may read, as wg does" {
	need wg
	for command in genkey genpsk; do
		for mode in 600 660 604 601 602 666; do
			: >key
			chmod $mode key
			wg $command 2>theirs >key
			"$WGCTL" $command 2>ours >key
			cmp theirs ours
			assert_equal "$(wc -c <key)" 45
		done
	done
	"$WGCTL" genkey 2>&1 >/dev/null | cmp - /dev/null
}

@test "genkey fails when nobody takes the key" {
	run bash -c '"$1" genkey >/dev/full' - "$WGCTL"
	assert_failure 1
	assert_output --partial "No space left on device"
}

@test "genkey, genpsk and pubkey take no arguments" {
	for command in genkey genpsk pubkey; do
		run --separate-stderr "$WGCTL" $command more
		assert_failure 1
		assert_equal "$output" ""
		assert_equal "$stderr" "Usage: wgctl $command"
	done
}
