# SPDX-License-Identifier: MIT
# What configure's hardening left in the programs, and what it leaves out where it must. It reads the finished files: a flag
# that the compiler was given and ignored does not count.

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

WGCTL=${WGCTL:-${top_builddir:-$BATS_TEST_DIRNAME/../..}/wgctl}
WGENGINE=${WGENGINE:-${top_builddir:-$BATS_TEST_DIRNAME/../..}/wgengine}
source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
build_dir=$(dirname "$WGENGINE")

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# configured FLAG...: a build directory of its own in the present one, with $objects made in it, warnings being errors.
objects=(src/conf/text.o src/engine/uapi_server.o)
configured() {
	"$source_dir/configure" --quiet --enable-werror "$@"
	make --quiet "${objects[@]}"
}

@test "both programs can be loaded anywhere" {
	for program in "$WGCTL" "$WGENGINE"; do
		run readelf -hdW "$program"
		assert_success
		assert_output --regexp 'Type: +DYN'
		assert_output --regexp 'FLAGS_1.*\bPIE\b'
	done
}

@test "what the linker resolves is read-only before main()" {
	for program in "$WGCTL" "$WGENGINE"; do
		run readelf -dlW "$program"
		assert_success
		assert_output --partial GNU_RELRO
		assert_output --partial BIND_NOW
		assert_output --regexp 'FLAGS_1.*\bNOW\b'
	done
}

@test "no memory is writable and executable" {
	for program in "$WGCTL" "$WGENGINE"; do
		run readelf -dlW "$program"
		assert_success
		assert_output --regexp 'GNU_STACK( +0x[0-9a-f]+){5} RW '
		refute_output --regexp 'LOAD( +0x[0-9a-f]+){5} RWE'
		refute_output --partial TEXTREL
	done
}

@test "libraries come from where the system has them" {
	for program in "$WGCTL" "$WGENGINE"; do
		run readelf -dW "$program"
		assert_success
		assert_output --partial '(NEEDED)'
		refute_output --regexp '\((RPATH|RUNPATH)\)'
	done
}

@test "stacks are guarded and copies are checked" {
	for program in "$WGCTL" "$WGENGINE"; do
		run nm -D --undefined-only "$program"
		assert_success
		assert_output --partial __stack_chk_fail
		assert_output --regexp '__v?snprintf_chk'
	done
}

@test "a large frame is probed page by page" {
	[[ $(uname -m) == x86_64 ]] || skip "the probe is known for x86-64 only"
	# fill() has 64 KiB.
	objdump -d --no-show-raw-insn "$build_dir/src/engine/uapi_server.o" >code
	grep -A 1 'sub  *\$0x1000,%rsp' code | grep -qE '(or|mov)[lq] +\$0x0,\(%rsp\)'
}

@test "indirect jumps may only land where the compiler means them to" {
	case $(uname -m) in
	x86_64) expected='IBT, SHSTK' start=(/usr/lib*/crt1.o /usr/lib/x86_64-linux-gnu/crt1.o) ;;
	aarch64) expected='BTI, PAC' start=(/usr/lib*/crt1.o /usr/lib/aarch64-linux-gnu/crt1.o) ;;
	*) skip "no such protection on $(uname -m)" ;;
	esac
	local object count=0
	for object in "$build_dir"/src/*/*.o; do
		readelf -nW "$object" >notes
		grep -qF "$expected" notes || fail "$object says nothing of $expected"
		count=$((count + 1))
	done
	assert [ "$count" -gt 50 ]
	# The programs say it only where the system's own start-up files do.
	readelf -nW "${start[@]}" >notes 2>/dev/null || true
	if grep -qF "$expected" notes; then
		readelf -nW "$WGENGINE" >notes
		grep -qF "$expected" notes
	fi
}

@test "a level of _FORTIFY_SOURCE that a distribution asks for stays, and warns of nothing" {
	configured CPPFLAGS=-D_FORTIFY_SOURCE=2
	run make --always-make --dry-run "${objects[@]}"
	assert_output --partial -D_FORTIFY_SOURCE=2
	refute_output --partial -U_FORTIFY_SOURCE
	nm src/conf/text.o | grep -q __vsnprintf_chk
}

@test "without optimisation there is no _FORTIFY_SOURCE, and nothing warns" {
	configured CFLAGS=-O0
	run make --always-make --dry-run "${objects[@]}"
	refute_output --partial _FORTIFY_SOURCE
	assert_output --partial -fstack-protector-strong
}

@test "--disable-hardening leaves all of it out" {
	configured --disable-hardening
	run make --always-make --dry-run "${objects[@]}" wgctl
	refute_output --regexp 'FORTIFY|-fstack|-fcf-protection|-fPIE|-pie|relro'
}
