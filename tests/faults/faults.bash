# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Faults of faults.c for one program, in files of the working directory:
#	LD_PRELOAD=$(faults_library) FAULTS=$PWD/faults FAULTS_PROGRAM=wgengine wgengine ...

faults_here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

# Builds the library where it is missing; prints its path.
faults_library() {
	[ -e "$PWD/faults.so" ] || "${CC:-cc}" -O1 -shared -fPIC -o "$PWD/faults.so" "$faults_here/faults.c" || return
	echo "$PWD/faults.so"
}

faults_field() {
	case $1 in
	clock) echo 0 ;;
	send) echo 1 ;;
	alloc_first) echo 2 ;;
	alloc_last) echo 3 ;;
	allocs) echo 4 ;;
	sends_failed) echo 5 ;;
	esac
}

# faults_new FILE: no faults.
faults_new() { printf '%-20s' 0 0 0 0 0 0 >"$1"; }

# faults_set FILE FIELD NUMBER: also under a program that runs.
faults_set() {
	printf '%-20s' "$3" | dd of="$1" bs=20 seek="$(faults_field "$2")" conv=notrunc status=none
}

# faults_wrap SCRIPT FILE PROGRAM: makes a script that runs the program with the faults of the file.
faults_wrap() {
	local library
	library=$(faults_library) || return
	faults_new "$2"
	printf '%s\n' '#!/bin/sh' "export LD_PRELOAD='$library' FAULTS='$PWD/$2' FAULTS_PROGRAM='${3##*/}'" \
		'export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"' "exec '$3' \"\$@\"" >"$1"
	chmod +x "$1"
}

faults_get() { # FILE FIELD
	local text
	text=$(dd if="$1" bs=20 count=1 skip="$(faults_field "$2")" status=none)
	echo $((10#0${text// /}))
}
