# SPDX-License-Identifier: MIT
# Debian's package: made from what `make dist' makes, looked over by lintian, installed into a fresh system, used there, and purged
# without a trace. What was downloaded of that system is kept in the build directory.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup_file() {
	local build
	build=$(dirname "${WGCTL:-${top_builddir:-$BATS_TEST_DIRNAME/../..}/wgctl}")
	build=$(cd "$build" && pwd)
	export SYSTEM=$build/package/system.tar PACKAGES=$BATS_FILE_TMPDIR
	cd "$PACKAGES" || return
	make --quiet -C "$build" dist >&2 || return
	tar xzf "$build"/wgctl-*.tar.gz || return
	# The unit tests are a suite of their own.
	(cd wgctl-*/ && DEB_BUILD_OPTIONS="nocheck parallel=2" dpkg-buildpackage -us -uc -b >&2) || return
	[[ -e $SYSTEM ]] || new_system
}

# The release that this machine runs, from where its own packages come from.
new_system() {
	local sources
	sources=$(compgen -G '/etc/apt/sources.list.d/*.sources' || echo /etc/apt/sources.list)
	mkdir -p "$(dirname "$SYSTEM")"
	# shellcheck disable=SC2086 # several files
	mmdebstrap --quiet --variant=apt --mode=root "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$SYSTEM.part" $sources >&2 &&
		mv "$SYSTEM.part" "$SYSTEM"
}

setup() {
	load ../cli/helpers.bash
	need_tun
	need dpkg-buildpackage lintian mmdebstrap
	common_setup
}

teardown() {
	common_teardown
}

# inside [NETWORK-NAMESPACE] -- COMMAND...: in the system ./root. Its mounts go with the last of its processes.
inside() {
	local enter=()
	[[ $1 == -- ]] || enter=(ip netns exec "$1")
	while [[ $1 != -- ]]; do shift; done
	shift
	# shellcheck disable=SC2016 # for the inner shell
	"${enter[@]}" unshare --mount --propagation private sh -e -c \
		'mount --rbind /dev root/dev; mount -t proc proc root/proc; exec chroot root "$@"' sh \
		env -u WGCTL_ENGINE DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@" 3>&-
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
	inside -- apt-get update -qq
	files >before
	cp root/etc/passwd passwd
	cp "$PACKAGES"/wgctl_*.deb root/tmp/wgctl.deb
	inside -- apt-get install -y -qq --no-install-recommends /tmp/wgctl.deb
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
