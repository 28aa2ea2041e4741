#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The command of another architecture, under qemu-user (see script/cross).

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	umask 077
	cat >wg0.conf <<'EOF'
[Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
ListenPort = 51820
FwMark = 0x12345678
Address = 10.7.0.1/24, fd07::1/64

[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
Endpoint = [2001:db8::2]:51821
AllowedIPs = 10.7.0.2/32, 192.0.2.0/24, fd07::2/128
PersistentKeepalive = 25
EOF
}

@test "keys are those of this machine" {
	for _ in 1 2 3; do
		"$WGCTL" genkey >key
		[ "$("$WGCTL" pubkey <key)" = "$(wg pubkey <key)" ]
	done
	[ "$("$WGCTL" genpsk | wc -c)" = 45 ]
}

@test "a file is read and written again" {
	"$WGCTL" strip "$PWD/wg0.conf" >stripped
	diff stripped - <<'EOF'
[Interface]
PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=
ListenPort = 51820
FwMark = 0x12345678

[Peer]
PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
Endpoint = [2001:db8::2]:51821
AllowedIPs = 10.7.0.2/32, 192.0.2.0/24, fd07::2/128
PersistentKeepalive = 25

EOF
}

@test "a file is checked" {
	"$WGCTL" check "$PWD/wg0.conf"
	sed -i 's/51821/518210/' wg0.conf
	run "$WGCTL" check "$PWD/wg0.conf"
	[ "$status" = 1 ]
	[[ $output == *"wg0.conf:9:"* ]]
}
