# SPDX-License-Identifier: MIT
# What `make install' puts where: wgctl and its manual page, and both by the names wg and wg-quick where configure was told so.

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

WGCTL=${WGCTL:-${top_builddir:-$BATS_TEST_DIRNAME/../..}/wgctl}
source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp "$WGCTL" wgctl
}

# installed [FLAG...]: configures, and installs the wgctl that is there already into ./root.
installed() {
	"$source_dir/configure" --quiet --prefix=/usr "$@" >/dev/null
	staged install-binPROGRAMS install-exec-hook install-man install-data-hook
}

# Hooks that there are none of are fine.
staged() {
	local target
	for target; do
		! make -n -o wgctl "$target" >/dev/null 2>&1 || make --quiet -o wgctl DESTDIR="$PWD/root" "$target"
	done
}

@test "without --enable-wg-compat there is no wg" {
	installed
	run bash -c "find root -name '*wg*' -not -type d | sort"
	assert_output "$(printf 'root/usr/%s\n' bin/wgctl share/man/man{5/wgctl.conf.5,8/wgctl.8,8/wgengine.8})"
	cmp root/usr/share/man/man8/wgctl.8 "$source_dir/man/wgctl.8"
}

@test "with --enable-wg-compat wgctl and its page are there by the name wg too, and go with them" {
	installed --enable-wg-compat
	assert_equal "$(readlink root/usr/bin/wg)" wgctl
	assert_equal "$(readlink root/usr/share/man/man8/wg.8)" wgctl.8
	assert_equal "$(readlink root/usr/bin/wg-quick)" wgctl
	assert_equal "$(readlink root/usr/share/man/man8/wg-quick.8)" wgctl.8
	run root/usr/bin/wg-quick up
	assert_failure 1
	assert_line --index 0 'Usage: wg-quick [ up | down | save | strip ] [ CONFIG_FILE | INTERFACE ]'
	run root/usr/bin/wg-quick show wg0
	assert_failure 1
	run root/usr/bin/wg-quick --help
	assert_success
	run root/usr/bin/wg --version
	assert_success
	assert_output --regexp '^wireguard-tools v[0-9.]+ - wgctl '
	run root/usr/bin/wg up
	assert_failure
	assert_line --index 0 "Invalid subcommand: \`up'"
	run bash -c 'root/usr/bin/wg genkey | root/usr/bin/wg pubkey'
	assert_success
	assert_output --regexp '^[A-Za-z0-9+/]{43}=$'
	# Again, over what is there.
	staged install-exec-hook install-data-hook
	assert_equal "$(readlink root/usr/bin/wg)" wgctl
	staged uninstall-hook
	run find root -name wg -o -name wg.8 -o -name 'wg-quick*'
	assert_output ""
}
