# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A machine that runs Debian's kernel with its WireGuard, emulated, for the tests of this folder: one for each file of
# tests. It is a process with a serial port, and at most a TAP device in a namespace of the test's own, $machine_ns.

kernel_tests=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd -- "$kernel_tests/../.." && pwd)
downloads=$repo/build/kernel
device_set=$(dirname "$WGCTL")/tests/kernel/device_set
python=/usr/bin/python3
[ -x "$python" ] || python=python3

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# equal GOT EXPECTED
equal() {
	[ "$1" = "$2" ] || fail "expected: $2" "got:      $1"
}

# missing: what this machine lacks for an emulated one, if anything.
missing() {
	local command
	for command in qemu-system-x86_64 apt-get cpio depmod "${CC:-cc}"; do
		command -v "$command" >/dev/null || echo "$command"
	done
	[ "$(uname -m)" = x86_64 ] || echo 'an amd64 machine'
	# For a namespace with a TAP device.
	[ -z "${needs_root:-}" ] || { [ "$(id -u)" = 0 ] && [ -c /dev/net/tun ]; } || echo 'root and /dev/net/tun'
}

# need_machine: for each test. Skips it where there can be no machine; where CI promised everything, fails.
need_machine() {
	local missing
	missing=$(missing)
	[ -n "$missing" ] || return 0
	[ "${CI:-}" != true ] || fail "needs $missing"
	skip "needs $missing"
}

# boot [ARGUMENT...]: makes the image of the machine and starts it; further arguments go to the emulator. Ends when the
# guest answers. Not every start of the emulator is one, hence the second try. What the emulator has translated it finds
# again by its address only: hence `norandmaps', with which starting a program costs a fifth.
boot() {
	[ -z "$(missing)" ] || return 0
	# Lazy binding would write down what only registers hold.
	"${CC:-cc}" -O1 -shared -fPIC -Wl,-z,now -o "$BATS_FILE_TMPDIR/residue.so" "$kernel_tests/residue.c"
	"$kernel_tests/image" "$downloads" "$BATS_FILE_TMPDIR" "$WGCTL" "$WGENGINE" "$device_set" "$(command -v wg)" \
		"$BATS_FILE_TMPDIR/residue.so" >"$BATS_FILE_TMPDIR/image.log" 2>&1 ||
		fail "$(cat "$BATS_FILE_TMPDIR/image.log")"
	start_machine "$@"
	! guest true || return 0
	stop_machine
	start_machine "$@"
	guest true ||
		fail "the guest does not come up" "$(cat "$BATS_FILE_TMPDIR/console")"
}

start_machine() {
	cd "$BATS_FILE_TMPDIR" || return
	${machine_ns:+ip netns exec "$machine_ns"} qemu-system-x86_64 -accel tcg -cpu qemu64,+ssse3 -smp 1 -m 512 -nodefaults -no-user-config -no-reboot -display none \
		-kernel vmlinuz -initrd initramfs -append "console=ttyS0 quiet panic=-1 norandmaps random.trust_cpu=on" -serial file:console \
		-device virtio-serial-pci -chardev socket,id=scripts,path=scripts,server=on,wait=off -device virtserialport,chardev=scripts \
		"$@" </dev/null >emulator.log 2>&1 3>&- &
	echo $! >pid
	until [ -S scripts ]; do
		kill -0 "$(cat pid)" 2>/dev/null || fail "$(cat emulator.log)"
		sleep 0.02
	done
}

stop_machine() {
	local pid
	[ -e "$BATS_FILE_TMPDIR/pid" ] || return 0
	pid=$(cat "$BATS_FILE_TMPDIR/pid")
	kill "$pid" 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.02
	done
	rm -f "$BATS_FILE_TMPDIR/scripts"
}

# For a file that needs no more than the machine.
setup_file() { boot "$@"; }
teardown_file() { stop_machine; }

# guest [SCRIPT]: runs it in the guest (by default what is on stdin), with guest/lib.sh, until the first command that fails.
guest() {
	{
		echo '. /lib.sh; set -e'
		if (($#)); then printf '%s\n' "$*"; else cat; fi
	} | "$python" "$kernel_tests/guest.py" "$BATS_FILE_TMPDIR/scripts" 60
}
