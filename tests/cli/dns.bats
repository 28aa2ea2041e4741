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
	nsenter -t "$etc_pid" -m nsenter --net="/run/netns/$left" env -C "$PWD" "$@" 3>&-
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

@test "reload: new servers, and none; what was before is not lost" {
	up "$A.conf"
	sed -i 's/^DNS.*/DNS = 10.9.0.54/' "$A.conf"
	run at "$WGCTL" reload -q "$A.conf"
	assert_success
	assert_equal "$(servers)" 10.9.0.54
	sed -i '/^DNS/d' "$A.conf"
	at "$WGCTL" reload -q "$A.conf"
	assert_before
	sed -i '/^Address/a DNS = 10.9.0.55' "$A.conf"
	at "$WGCTL" reload -q --dns=file "$A.conf"
	assert_equal "$(servers)" 10.9.0.55
	down "$A"
	assert_before
}

@test "reload keeps to the way that up went" {
	up "$A.conf"
	run at "$WGCTL" reload --dns=resolvconf "$A.conf"
	assert_failure 1
	assert_output --partial "the name servers were set by --dns=file: take the tunnel down and up again"
	at "$WGCTL" reload -q --dns=off "$A.conf"
	assert_before
}

@test "no such way" {
	run at "$WGCTL" up --dns=magic "$A.conf"
	assert_failure 1
	assert_line "wgctl: --dns takes resolved, resolvconf, file or off, not \`magic'"
}

@test "off: nothing is touched" {
	at "$WGCTL" up -q --dns=off "$A.conf"
	assert_before
	down "$A"
}

@test "a later step fails: the file is as before" {
	sed -i '/^Address/a PostUp = false' "$A.conf"
	run up "$A.conf"
	assert_failure 1
	assert_before
}

@test "two tunnels: the last one counts, in whatever order they go" {
	local first second
	for first in "$A" "$B"; do
		second=$B
		[[ $first == "$A" ]] || second=$A
		up "$A.conf"
		up "$B.conf"
		assert_equal "$(servers)" 10.9.0.99
		down "$first"
		if [[ $second == "$A" ]]; then
			assert_equal "$(servers)" "10.9.0.53 fd09::53"
		else
			assert_equal "$(servers)" 10.9.0.99
		fi
		down "$second"
		assert_before
	done
}

@test "both at once, many times: the file is whole and as before" {
	local pids
	for _ in 1 2 3 4 5; do
		up "$A.conf" &
		pids=$!
		up "$B.conf"
		wait "$pids"
		assert_equal "$(resolv | grep -c '^# wgctl')" 3
		down "$A" &
		pids=$!
		down "$B"
		wait "$pids"
		assert_before
	done
}

@test "there was no file: there is none again" {
	rm etc/resolv.conf
	up "$A.conf"
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	assert_equal "$(stat -c %a etc/resolv.conf)" 644
	down "$A"
	[[ ! -e etc/resolv.conf ]]
}

@test "owner and mode stay" {
	chown 1:2 etc/resolv.conf
	chmod 640 etc/resolv.conf
	up "$A.conf"
	assert_equal "$(stat -c %u:%g:%a etc/resolv.conf)" 1:2:640
	down "$A"
	assert_equal "$(stat -c %u:%g:%a etc/resolv.conf)" 1:2:640
	assert_before
}

@test "a file of any bytes" {
	local text
	for text in '' '\n' '\n\n\n' 'no end' '#|nameserver 1.1.1.1\n' 'a\0b\n\0' '\r\nnameserver 1.1.1.1\r\n'; do
		printf %b "$text" >etc/resolv.conf
		cp etc/resolv.conf before
		up "$A.conf"
		assert_equal "$(servers)" "10.9.0.53 fd09::53"
		down "$A"
		cmp before etc/resolv.conf
	done
}

@test "a link: it makes way, and comes back; whoever writes behind it is not hindered" {
	mkdir etc/run
	mv etc/resolv.conf etc/run/resolv.conf
	ln -s run/resolv.conf etc/resolv.conf
	up "$A.conf"
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	cmp before etc/run/resolv.conf
	echo 'nameserver 192.0.2.54' >etc/run/resolv.conf
	up "$B.conf"
	down "$A"
	down "$B"
	assert_equal "$(readlink etc/resolv.conf)" run/resolv.conf
	assert_equal "$(servers)" 192.0.2.54
}

@test "a link to nowhere" {
	ln -sf ../run/nobody/resolv.conf etc/resolv.conf
	up "$A.conf"
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	down "$A"
	assert_equal "$(readlink etc/resolv.conf)" ../run/nobody/resolv.conf
}

# Mounts of the test, in its namespace.
mounts() {
	nsenter -t "$etc_pid" -m env -C "$PWD" mount "$@"
}

@test "mounted file by file, as in a container: written in place" {
	cp etc/resolv.conf outside
	mounts --bind outside etc/resolv.conf
	mounts --bind outside /etc/resolv.conf
	up "$A.conf"
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	up "$B.conf"
	assert_equal "$(awk '$1 == "nameserver" {print $2}' outside)" 10.9.0.99
	down "$A"
	down "$B"
	cmp before outside
}

@test "the folder cannot be written to, the file can" {
	cp etc/resolv.conf outside
	mounts --bind outside /etc/resolv.conf
	mounts -o remount,bind,ro /etc
	run up "$A.conf"
	assert_success
	refute_output --partial warning
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	down "$A"
	cmp before outside
}

@test "a link in a folder that cannot be written to: written behind it" {
	mkdir run
	mv etc/resolv.conf run/resolv.conf
	ln -s "$PWD/run/resolv.conf" etc/resolv.conf
	mounts -o remount,bind,ro /etc
	up "$A.conf"
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	up "$B.conf"
	assert_equal "$(servers)" 10.9.0.99
	down "$A"
	down "$B"
	cmp before run/resolv.conf
	assert_equal "$(readlink etc/resolv.conf)" "$PWD/run/resolv.conf"
}

@test "nothing can be written: a warning with what it means, and up it is" {
	mounts -o remount,bind,ro /etc
	run up "$A.conf"
	assert_success
	assert_output --partial "wgctl: warning: cannot set the name servers (DNS): cannot write /etc/resolv.conf: Read-only file system; names are asked as before, outside the tunnel"
	run down "$A"
	assert_success
	assert_before
}

@test "a full disk: nothing changes, and it is said" {
	mkdir small
	mounts -t tmpfs -o size=16k,mode=755 none small
	[[ $(at stat -f -c %T small) == tmpfs ]]
	at cp -a before small/resolv.conf
	at cp etc/hosts etc/passwd small/
	run ! at dd if=/dev/zero of=small/fill bs=4k count=9
	mounts --bind small /etc
	sed -i "s/^DNS.*/DNS = $(printf '10.1.%d.1, ' {1..60} | sed 's/, $//')\nDNS = $(printf 'd%0200d.example, ' {1..25} | sed 's/, $//')/" "$A.conf"
	run up "$A.conf"
	assert_success
	assert_output --partial "cannot write /etc/resolv.conf: No space left on device"
	assert_before
	down "$A"
	assert_before
	assert_equal "$(at sh -c 'ls small/resolv.conf*')" small/resolv.conf
}

@test "the engine is killed: down gives the file back" {
	up "$A.conf"
	kill_engine
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	run down "$A"
	assert_before
}

@test "the engine is killed: so does up" {
	up "$A.conf"
	kill_engine
	at "$WGCTL" up -q --dns=off "$A.conf"
	assert_before
	down "$A"
}

@test "a reboot, and /run is empty: up gives the file back before it asks for names" {
	up "$A.conf"
	kill_engine
	rm "/run/wgctl/$A.record"
	at sed -i '/^# wgctl: for/s/boot .*/boot another/' /etc/resolv.conf
	sed -i '/^DNS/d' "$A.conf"
	run at "$WGCTL" up "$A.conf"
	assert_success
	assert_output --partial "/etc/resolv.conf still had lines for $A, which are gone now"
	assert_before
	down "$A"
}

@test "a reboot, and /run is empty: so does down, and so does another tunnel" {
	local tunnel
	for tunnel in "$A" "$B"; do
		up "$A.conf"
		kill_engine
		rm "/run/wgctl/$A.record"
		at sed -i '/^# wgctl: for/s/boot .*/boot another/' /etc/resolv.conf
		[[ $tunnel == "$A" ]] || up "$B.conf"
		run down "$tunnel"
		assert_success
		assert_before
	done
}

@test "a reboot, and /run is what it was" {
	local command
	for command in 'down -q' 'up -q --dns=off'; do
		sed -i '/^PreDown/d; /^Address/a PreDown = touch ran' "$A.conf"
		up "$A.conf"
		kill_engine
		sed -i 's/^boot .*/boot another/' "/run/wgctl/$A.record"
		at sed -i '/^# wgctl: for/s/boot .*/boot another/' /etc/resolv.conf
		# shellcheck disable=SC2086 # words
		at "$WGCTL" $command "$A.conf"
		assert_before
		[[ ! -e ran ]]
		! link_exists "$left" "$A" || down "$A.conf"
		rm -f ran
	done
}

@test "somebody else writes the file anew: theirs stays, and it is said" {
	up "$A.conf"
	echo 'nameserver 192.0.2.99' >etc/resolv.conf
	cp etc/resolv.conf before
	run down "$A"
	assert_success
	assert_output "wgctl: warning: /etc/resolv.conf has no lines for $A any more; it is left as it is"
	assert_before
}

@test "somebody else adds lines: they stay" {
	up "$A.conf"
	sed -i '1i options timeout:1' etc/resolv.conf
	sed -i '/^nameserver 10/a options attempts:2' etc/resolv.conf
	echo >>etc/resolv.conf
	echo 'options rotate' >>etc/resolv.conf
	down "$A"
	assert_equal "$(resolv)" "$(
		printf 'options attempts:2\noptions timeout:1\n'
		cat before
		printf '\noptions rotate'
	)"
}

@test "domains alone: a warning" {
	sed -i 's/^DNS.*/DNS = corp.example/' "$A.conf"
	run up "$A.conf"
	assert_success
	assert_output --regexp "wgctl: warning: $A.conf:[0-9]+: domains alone do nothing: DNS wants a server's address, too"
	assert_before
	down "$A"
}

# A resolvconf that writes down what it is asked for, in $LOG.
recorder() {
	# shellcheck disable=SC2016 # for the script
	printf '%s\n' '#!/bin/sh' 'echo "$@" >>"$LOG"' '[ "$1" != -a ] || cat >>"$LOG"' "exit ${1:-0}" >bin/resolvconf
	chmod 755 bin/resolvconf
}

@test "resolvconf is called as wg-quick calls it" {
	local order
	recorder
	for order in '' 'lo\ntun*\ntap*\n' '# none\nen+([0-9])*\n'; do
		rm -rf etc/resolvconf ours theirs
		[[ -z $order ]] || { mkdir etc/resolvconf && printf %b "$order" >etc/resolvconf/interface-order; }
		LOG=$PWD/theirs at wg-quick up "./$A.conf"
		LOG=$PWD/theirs at wg-quick down "./$A.conf"
		LOG=$PWD/ours at "$WGCTL" up -q "./$A.conf"
		LOG=$PWD/ours at "$WGCTL" down -q "$A"
		[[ $(wc -l <theirs) == 5 ]]
		diff theirs ours
		assert_before
	done
}

@test "reload tells resolvconf what is new, and nothing that is not" {
	recorder
	export LOG=$PWD/log
	at "$WGCTL" up -q "$A.conf"
	at "$WGCTL" reload -q "$A.conf"
	assert_equal "$(wc -l <log)" 4
	sed -i 's/^DNS.*/DNS = 10.9.0.54/' "$A.conf"
	rm log
	at "$WGCTL" reload -q "$A.conf"
	assert_equal "$(<log)" "-a $A -m 0 -x"$'\n''nameserver 10.9.0.54'
	rm log
	sed -i '/^DNS/d' "$A.conf"
	at "$WGCTL" reload -q "$A.conf"
	assert_equal "$(<log)" "-d $A -f"
}

@test "resolvconf fails: a warning with what it means" {
	recorder 7
	LOG=$PWD/log run at "$WGCTL" up -q "$A.conf"
	assert_success
	assert_output --partial "warning: cannot set the name servers (DNS): resolvconf ended with exit status 7; names are asked as before"
}

@test "a dry run asks nobody for anything" {
	recorder
	LOG=$PWD/log run at "$WGCTL" up -n "$A.conf"
	assert_success
	assert_line "[#] resolvconf -a $A -m 0 -x"
	[[ ! -e log ]]
	run at "$WGCTL" up -n --dns=file "$A.conf"
	assert_success
	assert_line --partial ">/etc/resolv.conf"
	assert_before
}

# A resolvectl that writes down what it is told, in $LOG, and knows nothing.
use_resolved() {
	# shellcheck disable=SC2016 # for the script
	printf '%s\n' '#!/bin/sh' '[ $# = 1 ] || echo "$@" >>"$LOG"' "exit ${1:-0}" >bin/resolvectl
	chmod 755 bin/resolvectl
	printf 'nameserver 127.0.0.53\noptions edns0 trust-ad\n' >etc/resolv.conf
	cp etc/resolv.conf before
	export LOG=$PWD/log
}

@test "systemd-resolved is told of the servers, and of all names or those of a domain" {
	use_resolved
	at "$WGCTL" up -q "$A.conf"
	assert_equal "$(<log)" "dns $A 10.9.0.53 fd09::53"$'\n'"domain $A corp.example ~."
	sed -i 's/^DNS.*/DNS = 10.9.0.53, ~corp.example/' "$A.conf"
	rm log
	at "$WGCTL" reload -q "$A.conf"
	assert_equal "$(<log)" "dns $A 10.9.0.53"$'\n'"domain $A ~corp.example"
	rm log
	at "$WGCTL" down -q "$A"
	assert_equal "$(<log)" "revert $A"
	assert_before
}

@test "systemd-resolved is told nothing of a link that is gone" {
	use_resolved
	at "$WGCTL" up -q "$A.conf"
	kill_engine
	rm log
	run at "$WGCTL" down -q "$A"
	assert_success
	[[ ! -e log ]]
}

@test "systemd-resolved does not run: the next way" {
	use_resolved 1
	recorder
	run at "$WGCTL" up "$A.conf"
	assert_success
	assert_line "[#] resolvconf -a $A -m 0 -x"
}

@test "systemd-resolved runs, but is not asked: the next way" {
	use_resolved
	recorder
	sed -i 's/^nameserver.*/nameserver 192.0.2.53 # not 127.0.0.53/' etc/resolv.conf
	run at "$WGCTL" up "$A.conf"
	assert_success
	assert_line "[#] resolvconf -a $A -m 0 -x"
}

@test "a resolvconf that is systemd-resolved's, which does not run: the file" {
	use_resolved 1
	ln -s resolvectl bin/resolvconf
	at "$WGCTL" up -q "$A.conf"
	assert_equal "$(servers)" "10.9.0.53 fd09::53"
	[[ ! -e log ]]
	down "$A"
	assert_before
}

# A file of a full tunnel, which sends all there is to the other end.
full_tunnel() {
	sed -i 's,^AllowedIPs.*,AllowedIPs = 0.0.0.0/0\, ::/0,' "$A.conf"
}

@test "a full tunnel whose servers cannot be set: up fails, as names would be asked outside of it; --dns=off takes that" {
	full_tunnel
	mounts -o remount,bind,ro /etc
	run up "$A.conf"
	assert_failure 1
	assert_output --partial "wgctl: cannot set the name servers (DNS): cannot write /etc/resolv.conf: Read-only file system (names asked outside the tunnel would be a leak; \`--dns=off' takes that)"
	assert_gone "$left" "$A"
	at "$WGCTL" up -q --dns=off "$A.conf"
	down "$A"
}
