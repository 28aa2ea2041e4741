# SPDX-License-Identifier: MIT
# wgctl save and SaveConfig: the file says what the tunnel is, is otherwise as it was, and is never lost.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg
	common_setup
	new_pair
	new_keys
	pub_c=$(wg genkey | wg pubkey)
	write_file
}

teardown() {
	[[ -z ${full:-} ]] || umount "$full"
	common_teardown
}

write_file() {
	cat >"$A.conf" <<-END
		# The office
		[Interface]
		PrivateKey = $key_a # secret
		ListenPort = 51820
		Address = 10.9.0.1/24
		MTU = 1400
		PostUp = true && true # twice

		# Bob's laptop,
		# since May
		[Peer]
		# Name = bob
		PublicKey = $pub_b
		AllowedIPs = 10.9.0.2/32, !10.9.1.0/24
		Endpoint = localhost:51821
		PersistentKeepalive = 25
		# the end
	END
	cp -p "$A.conf" before
}

up() {
	left "$WGCTL" up -q "./$A.conf"
}

@test "nothing changed: not a byte, and the same file" {
	up
	local -r inode=$(stat -c %i "$A.conf")
	left "$WGCTL" save "$A"
	cmp before "$A.conf"
	assert_equal "$(stat -c %i "$A.conf")" "$inode"
}

@test "what changed, and nothing else" {
	up
	left wg set "$A" listen-port 51999 peer "$pub_b" allowed-ips 10.9.0.2/32,10.8.0.0/16 persistent-keepalive 0 \
		endpoint 192.0.2.2:7
	left wg set "$A" peer "$pub_c" preshared-key <(echo "$psk") allowed-ips fd00::/64 endpoint 192.0.2.2:9
	ip -n "$left" address add 10.9.0.7/24 dev "$A"
	ip -n "$left" link set "$A" mtu 1300
	chmod 640 "$A.conf"
	left "$WGCTL" save "$A" # by the record's file
	diff - "$A.conf" <<-END
		# The office
		[Interface]
		PrivateKey = $key_a # secret
		ListenPort = 51999
		Address = 10.9.0.1/24, 10.9.0.7/24
		MTU = 1300
		PostUp = true && true # twice

		# Bob's laptop,
		# since May
		[Peer]
		# Name = bob
		PublicKey = $pub_b
		AllowedIPs = 10.9.0.2/32, 10.8.0.0/16
		Endpoint = localhost:51821
		# the end

		[Peer]
		PublicKey = $pub_c
		PresharedKey = $psk
		AllowedIPs = fd00::/64
		Endpoint = 192.0.2.2:9
	END
	assert_equal "$(stat -c %a "$A.conf")" 640
	left wg set "$A" peer "$pub_b" remove
	left "$WGCTL" save "./$A.conf"
	assert_equal "$(sed -n '/MTU/,/Peer/p' "$A.conf")" "MTU = 1300
PostUp = true && true # twice

[Peer]"
	run cat "$A.conf"
	refute_output --partial bob
	refute_output --partial "since May"
	left "$WGCTL" down -q "$A"
	up # what was saved can be read
	assert_equal "$(wg show "$A" listen-port)" 51999
}

@test "SaveConfig: on the way down, between PreDown and the end" {
	sed -i "/MTU/a SaveConfig = true\nPreDown = wg set %i listen-port 52000" "$A.conf"
	up
	wg set "$A" peer "$pub_c"
	run left "$WGCTL" down "$A"
	assert_success
	assert_line "[#] wgctl save $A # to $PWD/$A.conf"
	assert_gone "$left" "$A"
	grep -qx "ListenPort = 52000" "$A.conf"
	grep -qx "PublicKey = $pub_c" "$A.conf"
	grep -qx "# since May" "$A.conf"
	grep -qx "Endpoint = localhost:51821" "$A.conf"
	cp "$A.conf" before
	up
	left "$WGCTL" down -q "$A"
	cmp before "$A.conf"
}

@test "a file that cannot be saved to does not hinder the way down" {
	sed -i "/MTU/a SaveConfig = true" "$A.conf"
	up
	left wg set "$A" listen-port 51999
	echo "[broken" >"$A.conf"
	run left "$WGCTL" down -q "$A"
	assert_failure 1
	assert_line --partial "save $A to $PWD/$A.conf: "
	assert_gone "$left" "$A"
	assert_equal "$(cat "$A.conf")" "[broken"
	run left "$WGCTL" down -q "$A"
	assert_failure 1
	assert_output --partial "is not a WireGuard interface"
}

@test "SaveConfig that was taken back, and an engine that is gone" {
	sed -i "/MTU/a SaveConfig = true" "$A.conf"
	up
	left wg set "$A" listen-port 51999
	cp before "$A.conf"
	left "$WGCTL" down -q "$A"
	cmp before "$A.conf"
	sed -i "/MTU/a SaveConfig = true" "$A.conf"
	cp "$A.conf" before
	up
	left wg set "$A" listen-port 51999
	kill_engine
	run left "$WGCTL" down -q "$A"
	assert_output --partial "wgctl: warning: nothing was saved to $PWD/$A.conf: "
	assert_success
	cmp before "$A.conf"
}

@test "a disk that is full: the file is as it was, and nothing beside it" {
	mkdir full
	mount -t tmpfs -o size=8k,nr_inodes=10 tmpfs full
	full=$PWD/full
	mv "$A.conf" full/
	ln -s "full/$A.conf" "$A.conf"
	up
	left wg set "$A" listen-port 51999
	run dd if=/dev/zero of=full/fill bs=1k
	run left "$WGCTL" save -q "./$A.conf"
	assert_failure 1
	assert_output "wgctl: cannot save $A to ./$A.conf: cannot write the new file: No space left on device; the file is as it was"
	cmp before "full/$A.conf"
	assert_equal "$(ls full)" "fill
$A.conf"
	rm full/fill
	left "$WGCTL" save "./$A.conf" # a link is followed
	[[ -L $A.conf ]]
	diff <(sed 's/51820/51999/' before) "full/$A.conf"
}

@test "the owner stays; no file, no tunnel, a broken file" {
	up
	chown 12345:23456 "$A.conf"
	left wg set "$A" listen-port 51999
	left "$WGCTL" save "$A"
	assert_equal "$(stat -c %u:%g:%a "$A.conf")" 12345:23456:600
	echo "MTU = 1" >>"$A.conf"
	run left "$WGCTL" save -q "$A"
	assert_failure 1
	assert_output --partial "$A.conf:18:1: error: 'MTU' belongs in [Interface], not in [Peer]"
	rm "$A.conf"
	run left "$WGCTL" save -q "$A"
	assert_failure 1
	assert_output "wgctl: cannot save $A to $PWD/$A.conf: cannot open the file: No such file or directory"
	write_file
	left "$WGCTL" down -q "$A"
	run left "$WGCTL" save -q "./$A.conf"
	assert_failure 1
	assert_output --partial "wgctl: cannot save $A to ./$A.conf: "
	cmp before "$A.conf"
}

@test "the mark of a default route is not the file's, and link-local addresses are the system's" {
	cat >"$A.conf" <<-END
		[Interface]
		PrivateKey = $key_a
		ListenPort = 51820
		Address = 10.9.0.1/24, fd09::1/64, fe80::5/64
		SaveConfig = true
		[Peer]
		PublicKey = $pub_b
		AllowedIPs = 0.0.0.0/0, ::/0
		Endpoint = 192.0.2.2:51821
	END
	cp "$A.conf" before
	up
	assert_equal "$(wg show "$A" fwmark)" 0xca6c
	left "$WGCTL" down -q "$A"
	cmp before "$A.conf"
}

@test "--dry-run changes nothing" {
	up
	left wg set "$A" listen-port 51999
	run left "$WGCTL" save -n "$A"
	assert_success
	assert_output "[#] wgctl save $A # to $PWD/$A.conf"
	cmp before "$A.conf"
}
