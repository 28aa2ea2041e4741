#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# wgctl up, reload, save and down on the kernel's own WireGuard, and the choice between that and an engine.

bats_require_minimum_version 1.5.0
load helpers

# The far end is an interface of the kernel's in another network namespace, set up by the real wg; its datagrams come and
# go over the loopback of the first, where it was made.
setup() {
	need_machine
	key_a=$(wg genkey) key_b=$(wg genkey)
	pub_a=$(wg pubkey <<<"$key_a") pub_b=$(wg pubkey <<<"$key_b")
	guest <<-END
		cat >/tmp/up.sh <<-'SCRIPT'
			conf=/etc/wireguard/wg0.conf
			far() { nsenter -t \$(cat /tmp/far) -n "\$@"; }
			world() {
				for family in -4 -6; do
					ip \$family rule
					ip \$family route show table all | grep -v "fe80:\|^multicast\|far"
				done
			}
			is_kernels() { grep -qx DEVTYPE=wireguard /sys/class/net/wg0/uevent && [ ! -e /var/run/wireguard/wg0.sock ]; }
			is_engines() { [ -e /sys/class/net/wg0/tun_flags ] && [ -S /var/run/wireguard/wg0.sock ]; }
			is_gone() {
				[ ! -e /sys/class/net/wg0 ] && [ ! -e /var/run/wireguard/wg0.sock ] && [ ! -e /run/wgctl/wg0.record ] || fail "something is left"
				equal "\$(world)" "\$(cat /tmp/world)"
			}
		SCRIPT
		. /tmp/up.sh
		unshare -n sleep 1000 >/dev/null 2>&1 &
		echo \$! >/tmp/far
		until [ "\$(readlink /proc/\$!/ns/net)" != "\$(readlink /proc/self/ns/net)" ]; do usleep 10000; done
		echo $key_b >/tmp/key
		ip link add far type wireguard
		wg set far listen-port 51821 private-key /tmp/key peer $pub_a allowed-ips 10.9.0.1/32,fd09::1/128
		ip link set far netns \$(cat /tmp/far)
		far ip addr add 10.9.0.2/24 dev far
		far ip link set far up
		far ip addr add 10.8.0.2/24 dev far
		mkdir -p /etc/wireguard
		umask 077
		cat >\$conf <<-'FILE'
			[Interface]
			PrivateKey = $key_a
			ListenPort = 51820
			Address = 10.9.0.1/24, fd09::1/64
			MTU = 1380

			[Peer]
			# the far end
			PublicKey = $pub_b
			Endpoint = 127.0.0.1:51821
			AllowedIPs = 10.9.0.0/24, fd09::/64, 10.77.0.0/16
		FILE
		world >/tmp/world
	END
}

teardown() {
	[ -n "$(missing)" ] || guest <<-'END'
		wgctl down -q wg0 >/dev/null 2>&1 || true
		kill $(cat /tmp/far)
		rm -f /etc/wireguard/*
	END
}

# there: the script on stdin, in the guest, with the functions of setup and with the kernel's module chosen.
there() {
	{
		echo '. /tmp/up.sh; export WGCTL_ENGINE=kernel'
		cat
	} | guest
}

@test "up makes a link of the kernel's, which wg knows; down leaves nothing" {
	there <<-END
		equal "\$(wgctl up wg0 2>&1)" "$(
			printf '%s\n' '[#] ip link add wg0 type wireguard' \
				'[#] wg setconf wg0 <(wg-quick strip /etc/wireguard/wg0.conf)' \
				'[#] ip -4 address add 10.9.0.1/24 dev wg0' \
				'[#] ip -6 address add fd09::1/64 dev wg0' \
				'[#] ip link set mtu 1380 up dev wg0' \
				'[#] ip -4 route add 10.77.0.0/16 dev wg0'
		)"
		is_kernels
		equal "\$(wg show wg0 peers) \$(wg show wg0 listen-port) \$(cat /sys/class/net/wg0/mtu)" "$pub_b 51820 1380"
		ping -q -c 1 -W 5 10.9.0.2
		wgctl status wg0
		refuted "wgctl: wg0 already exists; \\\`wgctl down wg0' takes a tunnel of that name down" wgctl up wg0
		equal "\$(wgctl down wg0 2>&1)" "[#] ip link delete dev wg0"
		is_gone
	END
}

@test "reload under traffic: nothing is lost, and only what differs is touched" {
	there <<-END
		wgctl up -q wg0
		ping -q -c 1 -W 5 10.9.0.2
		index=\$(cat /sys/class/net/wg0/ifindex)
		handshake=\$(wg show wg0 latest-handshakes)
		ping -i 0.05 -c 60 -W 5 10.9.0.2 >/tmp/pings &
		sed -i 's/^Address = /&10.8.0.1\/24, /; s/^AllowedIPs = /&10.8.0.0\/24, 10.66.0.0\/16, /; s/, 10.77.0.0.*//' \$conf
		sed -i 's/^PublicKey.*/&\nPersistentKeepalive = 25/' \$conf
		equal "\$(wgctl reload wg0 2>&1)" "$(
			printf '%s\n' '[#] wg syncconf wg0 <(wg-quick strip /etc/wireguard/wg0.conf)' \
				'[#] ip -4 address add 10.8.0.1/24 dev wg0' \
				'[#] ip -4 route add 10.66.0.0/16 dev wg0' \
				'[#] ip -4 route delete 10.77.0.0/16 dev wg0'
		)"
		# Whoever runs the link: it stays, also where an engine would be started now.
		unset WGCTL_ENGINE
		equal "\$(wgctl reload wg0 2>&1)" "[#] wg syncconf wg0 <(wg-quick strip /etc/wireguard/wg0.conf)"
		wait \$!
		grep "60 packets received, 0% packet loss" /tmp/pings
		is_kernels
		equal "\$(cat /sys/class/net/wg0/ifindex) \$(wg show wg0 latest-handshakes)" "\$index \$handshake"
		equal "\$(wg show wg0 allowed-ips | cut -f 2 | tr ' ' '\n' | sort | xargs)" "10.66.0.0/16 10.8.0.0/24 10.9.0.0/24 fd09::/64"
		equal "\$(wg show wg0 persistent-keepalive | cut -f 2)" 25
		wgctl down -q wg0
		is_gone
	END
}

@test "a later step fails: nothing is left; a reload that fails leaves what was" {
	there <<-'END'
		sed -i 's/^Address.*/&\nPostUp = false/' $conf
		if wgctl up wg0 >/tmp/said 2>&1; then fail up; fi
		grep -qF "[#] ip link delete dev wg0" /tmp/said
		is_gone
		sed -i '/^PostUp/d' $conf
		wgctl up -q wg0
		before=$(wg showconf wg0; ip addr show dev wg0; ip route show dev wg0)
		sed -i 's/^Address = /&10.8.0.1\/24, /; s/^AllowedIPs = /&10.8.0.0\/24, 203.0.113.0\/24, /; s/^ListenPort.*/ListenPort = 51821/' $conf
		if wgctl reload -q wg0; then fail reload; fi
		equal "$(wg showconf wg0; ip addr show dev wg0; ip route show dev wg0)" "$before"
		wgctl down -q wg0
		is_gone
	END
}

@test "a default route: the mark is on the kernel's device, and goes with it" {
	there <<-'END'
		sed -i 's/^AllowedIPs.*/AllowedIPs = 0.0.0.0\/0/' $conf
		# This kernel has no netfilter either, which libnftables does not forgive.
		equal "$(wgctl up -q wg0 2>&1)" "wgctl: warning: no packet filter for wg0: netfilter: Protocol not supported; so packets from strangers to the tunnel's addresses are not dropped, where the system's own filter lets them in"
		equal "$(wg show wg0 fwmark)" 0xca6c
		ping -q -c 1 -W 5 10.8.0.2 # where only the default route leads
		wgctl down -q wg0
		is_gone
	END
}

@test "save writes what the kernel's device is now" {
	there <<-END
		wgctl up -q wg0
		wg set wg0 peer $pub_b allowed-ips 10.9.0.0/24,10.88.0.0/16 persistent-keepalive 21
		wgctl save -q wg0
		grep -qx "AllowedIPs = 10.9.0.0/24, 10.88.0.0/16" \$conf
		grep -qx "PersistentKeepalive = 21" \$conf
		grep -qx "# the far end" \$conf
		wgctl down -q wg0
		is_gone
	END
}

@test "the link is deleted by another: down undoes the rest" {
	there <<-'END'
		sed -i 's/^AllowedIPs.*/AllowedIPs = 0.0.0.0\/0/' $conf
		wgctl up -q wg0 2>/dev/null
		ip link del wg0
		wgctl down -q wg0
		is_gone
	END
}

@test "by the name wg-quick: the kernel's module first, unless WGCTL_ENGINE names an engine" {
	there <<-'END'
		unset WGCTL_ENGINE
		ln -sf /programs/wgctl /tmp/wg-quick
		WG_QUICK_USERSPACE_IMPLEMENTATION=wgengine /tmp/wg-quick up wg0 2>&1 | grep -x "\[#\] ip link add wg0 type wireguard"
		is_kernels
		ping -q -c 1 -W 5 10.9.0.2
		/tmp/wg-quick down wg0
		is_gone
		WGCTL_ENGINE=wgengine /tmp/wg-quick up wg0
		is_engines
		WGCTL_ENGINE=wgengine /tmp/wg-quick down wg0
		is_gone
		wgctl up -q wg0
		is_engines
		wgctl down -q wg0
		is_gone
	END
}

@test "a kernel without WireGuard: it is said; by the name wg-quick the engine does the work" {
	there <<-'END'
		far ip link del far
		rmmod wireguard
		handler=$(cat /proc/sys/kernel/modprobe)
		echo /bin/false >/proc/sys/kernel/modprobe
		wgctl up wg0 >/tmp/said 2>&1 && fail up || true
		(
			equal "$(cat /tmp/said)" "[#] ip link add wg0 type wireguard
		wgctl: cannot make the link wg0: this kernel has no WireGuard, or its module cannot be loaded; without WGCTL_ENGINE=kernel an engine does the work"
			is_gone
			unset WGCTL_ENGINE
			ln -sf /programs/wgctl /tmp/wg-quick
			/tmp/wg-quick up wg0
			is_engines
			/tmp/wg-quick down wg0
			is_gone
			WG_QUICK_USERSPACE_IMPLEMENTATION=false /tmp/wg-quick up wg0 >/tmp/said 2>&1 && fail up || true
			grep -qx "\[#\] false wg0" /tmp/said
			is_gone
		) && status=0 || status=$?
		echo $handler >/proc/sys/kernel/modprobe
		exit $status
	END
}
