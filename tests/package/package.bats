# SPDX-License-Identifier: MIT
# Debian's package: made from what `make dist' makes, looked over by lintian, installed into a fresh system, used there, and purged
# without a trace. What was downloaded of that system is kept in the build directory.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup_file() {
	local download
	load helpers.bash
	fresh_system 3>&- &
	download=$!
	unpack_dist || return
	# The unit tests are a suite of their own.
	(cd "$PACKAGES"/wgctl-*/ && DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -us -uc -b >&2) || return
	wait "$download"
}

setup() {
	load ../cli/helpers.bash
	load helpers.bash
	need_tun
	need dpkg-buildpackage lintian mmdebstrap
	common_setup
	SYSTEM=$(build_directory)/package/system.tar
}

teardown() {
	common_teardown
}

# All files of the system, but for what apt, dpkg and adduser note of their own work.
files() {
	find root -xdev \( -path root/proc -o -path root/dev -o -path root/tmp -o -path root/var/log -o -path root/var/lib/apt \
		-o -path root/var/lib/dpkg -o -path root/var/cache/apt -o -path root/var/cache/ldconfig -o -path root/run/adduser \
		-o -path root/etc/passwd- -o -path root/etc/group- -o -path root/etc/shadow- -o -path root/etc/gshadow- \) -prune -o -print | sort
}

@test "lintian finds nothing" {
	run -0 lintian --allow-root --fail-on error,warning "$PACKAGES"/wgctl_*.changes
	assert_output ""
}

@test "a fresh system: install, a tunnel up and down, purge, and no file is left" {
	new_pair
	mkdir root
	tar xf "$SYSTEM" -C root
	cp -L /etc/resolv.conf root/etc/resolv.conf
	thrice inside -- apt-get update -qq
	files >before
	cp root/etc/passwd passwd
	cp "$PACKAGES"/wgctl_*.deb root/tmp/wgctl.deb
	thrice inside -- apt-get install -y -qq --no-install-recommends /tmp/wgctl.deb
	run stat -c '%a %U' root/etc/wireguard
	assert_output "700 root"
	for name in server client; do
		[[ $name == server ]] && to=$A || to=$B
		install -m 600 "root/usr/share/doc/wgctl/examples/$name.conf" "root/etc/wireguard/$to.conf"
	done
	inside "$left" -- wgctl up -q "$A"
	inside "$right" -- wgctl up -q "$B"
	ping_through "$right" 10.192.122.1
	# The engine runs as the account that came with the package.
	run ps -o uid= -p "$(ip netns pids "$left" | paste -sd,)"
	assert_line --regexp "^ *$(inside -- id -u wgengine)$"
	run -0 inside "$right" -- wgctl status "$B"
	inside "$right" -- wgctl down -q "$B"
	inside "$left" -- wgctl down -q "$A"
	wait_for 5 no_engine "$left" "$A"
	wait_for 5 no_engine "$right" "$B"
	rm root/etc/wireguard/*.conf
	inside -- apt-get purge -y -qq --autoremove wgctl
	files >after
	diff before after
	# The account stays, as Debian has it: its number must not become another's.
	run diff --changed-group-format='%>' --unchanged-group-format= passwd root/etc/passwd
	assert_output --regexp "^wgengine:[^/]*:/nonexistent:/usr/sbin/nologin$"
}
