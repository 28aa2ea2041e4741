# SPDX-License-Identifier: MIT
# DNS with the real programs that manage it: Debian's resolvconf, openresolv and systemd-resolved, each in a world of its
# own: /etc, /run, /usr and the network are the test's. Names are asked for through the C library, and two name servers
# answer: the cable's, 192.0.2.2, says 203.0.113.1; the tunnel's, 10.9.0.2, says 203.0.113.2.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg unshare python3 apt-get dbus-daemon
	common_setup
	new_pair
	new_tunnel
	right "$WGCTL" up -q "$B.conf"
	# Each way finds its own servers: no file of theirs says how.
	sed -i '/^Address/a DNS = 10.9.0.2, corp.example' "$A.conf"
	cp "$A.conf" with-dns.conf
	right python3 "$BATS_TEST_DIRNAME/nameserver.py" "$PWD/answers" 192.0.2.2=203.0.113.1 10.9.0.2=203.0.113.2 &
	wait_for 5 test -e answers
}

teardown() {
	[[ -n ${BATS_TEST_COMPLETED:-} ]] || tail -n 20 ./*.log
	[[ -z ${world_pid:-} ]] || kill "$world_pid"
	common_teardown
}

# world [PACKAGE]: a process that keeps the mounts of a machine with that package, and with an empty /run.
world() {
	local packages part
	packages=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build/packages
	umask 022 # other accounts have to read it
	mkdir -p world/usr world/etc
	if [[ -n ${1:-} ]]; then
		"$BATS_TEST_DIRNAME/../unpack" "$packages" "$1"
		for part in bin sbin lib; do
			[[ ! -d $packages/$1/$part ]] || { mkdir -p "world/usr/$part" && cp -a "$packages/$1/$part/." "world/usr/$part/"; }
		done
		cp -a "$packages/$1/usr/." world/usr/
		[[ ! -d $packages/$1/etc ]] || cp -a "$packages/$1/etc/." world/etc/
	fi
	cp -L /etc/{passwd,group,hosts,ld.so.cache} world/etc/
	[[ ! -d /etc/alternatives ]] || cp -a /etc/alternatives world/etc/
	echo 'hosts: files dns' >world/etc/nsswitch.conf
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private bash -e -c '
		mount -t overlay -o "lowerdir=$PWD/world/usr:/usr" none /usr
		mount --bind world/etc /etc
		mount -t tmpfs -o mode=755 none /run
		mkdir -m 755 /run/dbus /run/systemd /run/wireguard
		echo >mounted
		exec sleep 1000' 3>&- &
	world_pid=$!
	wait_for 5 test -e mounted
}

# at COMMAND...: in that world and in $left.
at() {
	in_ns "$left" nsenter -t "$world_pid" -m env -C "$PWD" "$@"
}

up() { at "$WGCTL" up "$@" "$A.conf"; }
down() { at "$WGCTL" down "$A"; }

# answers NAME ADDRESS
answers() {
	[[ $(at getent ahostsv4 "$1" | awk 'NR == 1 { print $1 }') == "$2" ]]
}

unknown() {
	! at getent ahostsv4 "$1"
}

# The cable's name server is asked, and knows nothing of our domain.
assert_outside() {
	wait_for 10 answers host.example 203.0.113.1
	wait_for 10 unknown intranet
}

assert_inside() {
	wait_for 10 answers host.example 203.0.113.2
	wait_for 10 answers intranet 203.0.113.2
}

# All that resolvconf keeps, and where /etc/resolv.conf leads; not the time.
kept() {
	at sh -c 'readlink /etc/resolv.conf; cat /etc/resolv.conf; grep -r . /run/resolvconf | sort'
}

# The machine's own entry, as a DHCP client makes it.
begin_resolvconf() {
	at mkdir -p /run/resolvconf
	at resolvconf -a cable.dhcp <<<'nameserver 192.0.2.2'
	at resolvconf -u
	kept >before
	assert_outside
}

assert_before() {
	kept >after
	diff before after
	assert_outside
}

# life LINE: a tunnel that comes and goes, in all the ways that it may go; up and down say LINE, with -a or -d for VERB.
life() {
	run up
	assert_success
	assert_line "[#] ${1//VERB/-a} -m 0 -x"
	refute_output --partial warning
	assert_inside
	assert_equal "$(at awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf)" 10.9.0.2
	at grep -x 'search corp.example' /etc/resolv.conf
	run down
	assert_success
	assert_line "[#] ${1//VERB/-d} -f"
	refute_output --partial warning
	assert_before
	# A reload without them, and with them again.
	up -q
	sed -i '/^DNS/d' "$A.conf"
	at "$WGCTL" reload -q "$A.conf"
	assert_before
	cp with-dns.conf "$A.conf"
	at "$WGCTL" reload -q "$A.conf"
	assert_inside
	# The engine is killed: its link goes, and down has the rest to do.
	kill_engine
	run ! diff <(kept) before
	run at "$WGCTL" down "$A"
	assert_line "[#] ${1//VERB/-d} -f"
	assert_before
	# A step behind it fails.
	sed -i '/^Address/a PostUp = false' "$A.conf"
	run up
	assert_failure 1
	assert_before
}

@test "Debian's resolvconf: the tunnel's server first, by the order that it has for tunnels" {
	world resolvconf
	at mkdir -p /run/resolvconf/interface
	at touch /run/resolvconf/enable-updates /run/resolvconf/resolv.conf
	ln -sf /run/resolvconf/resolv.conf world/etc/resolv.conf
	begin_resolvconf
	life "resolvconf VERB tun.$A"
}

@test "openresolv: the tunnel's server alone" {
	world openresolv
	begin_resolvconf
	up -q
	assert_equal "$(at grep -c '^nameserver' /etc/resolv.conf)" 1
	down
	assert_before
	life "resolvconf VERB $A"
}

# A system bus without systemd, and systemd-resolved on it.
start_resolved() {
	if [[ -x /lib/systemd/systemd-resolved ]]; then world; else world systemd-resolved; fi
	grep -q ^systemd-resolve: world/etc/passwd || {
		echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >>world/etc/passwd
		echo 'systemd-resolve:x:991:' >>world/etc/group
	}
	printf '%s\n' '<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>' \
		'<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/>' \
		'<allow receive_sender="*"/></policy></busconfig>' >bus.conf
	mkdir -p world/etc/systemd
	printf '%s\n' '[Resolve]' DNS=192.0.2.2 FallbackDNS= LLMNR=no MulticastDNS=no DNSSEC=no Cache=no >world/etc/systemd/resolved.conf
	ln -sf /run/systemd/resolve/stub-resolv.conf world/etc/resolv.conf
	at install -d -o systemd-resolve -g systemd-resolve /run/systemd/resolve
	at dbus-daemon --config-file="$PWD/bus.conf" --nofork >bus.log 2>&1 &
	wait_for 5 at test -S /run/dbus/system_bus_socket
	# shellcheck disable=SC2016 # for the inner shell
	at sh -c 'echo $$ >resolved.pid; exec /lib/systemd/systemd-resolved' >resolved.log 2>&1 &
	wait_for 10 at resolvectl dns
	wait_for 10 at test -e /run/systemd/resolve/stub-resolv.conf
	status >before
	at cat /etc/resolv.conf >before.conf
	assert_outside
}

# All that systemd-resolved knows, but for which server it asked last.
status() {
	at resolvectl status | grep -v 'Current DNS Server' | sed 's|^ *||'
}

assert_unlinked() {
	status >after
	diff before after
	at cat /etc/resolv.conf | diff before.conf -
	assert_equal "$(readlink world/etc/resolv.conf)" /run/systemd/resolve/stub-resolv.conf
	assert_outside
}

@test "systemd-resolved: asked through the tunnel, for all names, and never outside" {
	start_resolved
	run up
	assert_success
	assert_line "[#] resolvectl dns $A 10.9.0.2 && resolvectl domain $A corp.example ~."
	refute_output --partial warning
	assert_equal "$(at resolvectl dns "$A" | cut -d : -f 2-)" " 10.9.0.2"
	assert_equal "$(at resolvectl domain "$A" | cut -d : -f 2-)" " corp.example ~."
	assert_inside
	at resolvectl --cache=no query host.example | grep "203.0.113.2.*-- link: $A"
	run down
	assert_success
	assert_line "[#] resolvectl revert $A"
	refute_output --partial warning
	assert_unlinked
	# A reload without, and with.
	up -q
	sed -i '/^DNS/d' "$A.conf"
	at "$WGCTL" reload -q "$A.conf"
	assert_equal "$(at resolvectl dns "$A" | cut -d : -f 2-)" ""
	assert_outside
	cp with-dns.conf "$A.conf"
	at "$WGCTL" reload -q "$A.conf"
	assert_inside
	# With its link goes what was told of it.
	kill_engine
	assert_unlinked
	run at "$WGCTL" down -q "$A"
	assert_success
	assert_output "wgctl: the engine of $A is gone; clearing what it left behind"
	assert_unlinked
	sed -i '/^Address/a PostUp = false' "$A.conf"
	run up
	assert_failure 1
	assert_unlinked
}

@test "systemd-resolved: a domain with ~ is asked for inside, all else outside" {
	sed -i 's/^DNS.*/DNS = 10.9.0.2, ~corp.example/' "$A.conf"
	start_resolved
	up -q
	wait_for 10 answers host.corp.example 203.0.113.2
	wait_for 10 answers host.example 203.0.113.1
	at "$WGCTL" down -q "$A"
	wait_for 10 answers host.corp.example 203.0.113.1
	assert_unlinked
}

@test "systemd-resolved has ended: the file, and the link to its own again" {
	start_resolved
	kill "$(<resolved.pid)"
	wait_for 5 test ! -e "/proc/$(<resolved.pid)"
	run up
	assert_success
	assert_line --partial ">/etc/resolv.conf"
	assert_inside
	down
	assert_equal "$(readlink world/etc/resolv.conf)" /run/systemd/resolve/stub-resolv.conf
}
