# SPDX-License-Identifier: MIT
# DNS: over resolvconf as wg-quick does it, over systemd-resolved, and in /etc/resolv.conf itself, whatever that is. Each
# test has an /etc/resolv.conf of its own, in a mount namespace: nothing here touches the machine's.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg wg-quick unshare
	common_setup
	new_pair
	new_tunnel
	sed -i '/^Address/a DNS = 10.9.0.53, fd09::53, corp.example' "$A.conf"
	sed -i '/^Address/a DNS = 10.9.0.99' "$B.conf"
	export WG_QUICK_USERSPACE_IMPLEMENTATION=$WGCTL_ENGINE
	mkdir etc bin
	printf 'nameserver 192.0.2.53\n# office\noptions edns0' >etc/resolv.conf
	cp etc/resolv.conf before
	# The programs that a machine may have, as far as these tests give them.
	export PATH=$PWD/bin:$PATH
	use_folder
}

teardown() {
	[[ -z ${etc_pid:-} ]] || kill "$etc_pid"
	common_teardown
}

# A process that keeps a mount namespace, in which COMMAND... was run first.
keep_mounts() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private bash -e -c '"$@"; echo >mounted; exec sleep 1000' bash "$@" 3>&- &
	etc_pid=$!
	wait_for 5 test -e mounted
	rm mounted
}

# Another /etc, which is writable: all of the machine's, as links, but with our resolv.conf.
use_folder() {
	local name
	for name in passwd group hosts nsswitch.conf ld.so.cache ld.so.conf ld.so.conf.d; do
		[[ ! -e /etc/$name ]] || cp -rL "/etc/$name" etc/
	done
	keep_mounts mount --bind "$PWD/etc" /etc
}

# at COMMAND...: in that mount namespace and in $left.
at() {
	nsenter -t "$etc_pid" -m --wd="$PWD" nsenter --net="/run/netns/$left" "$@" 3>&-
}

up() { at "$WGCTL" up -q --dns=file "$@"; }
down() { at "$WGCTL" down -q "$@"; }
resolv() { at cat /etc/resolv.conf; }
servers() { resolv | awk '$1 == "nameserver" {print $2}' | xargs; }

assert_before() {
	resolv >after
	diff before after
}

@test "the file: written for the tunnel, and the very same again" {
	run at "$WGCTL" up --dns=file "$A.conf"
	assert_success
	assert_line "[#] printf '%s\\n' 'nameserver 10.9.0.53' 'nameserver fd09::53' 'search corp.example' >/etc/resolv.conf"
	resolv
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	resolv | grep -qx 'search corp.example'
	run at "$WGCTL" down "$A"
	assert_success
	assert_line "[#] restore /etc/resolv.conf"
	refute_output --partial warning
	assert_before
	[[ $(ls etc/resolv.conf*) == etc/resolv.conf ]]
}
