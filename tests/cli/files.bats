# SPDX-License-Identifier: MIT
# Which file is read, and what is said of one that cannot be used. None of these starts anything.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
	KEY=$("$WGCTL" genkey)
	PEER=$("$WGCTL" genkey | "$WGCTL" pubkey)
	export WGCTL_ENGINE=/nonexistent/engine WGCTL_PATH=/nonexistent
}

teardown() {
	common_teardown
}

good_file() {
	printf '[Interface]\nPrivateKey = %s\nAddress = 10.9.0.1/24\n' "$KEY"
}

# refused NAME LINE...: up of a file with these lines below the good ones fails; $output says why.
refused() {
	good_file >"$1.conf"
	printf '%s\n' "${@:2}" >>"$1.conf"
	run "$WGCTL" up "$1.conf"
	assert_failure 1
	refute_output --partial "[#]"
}

@test "a name that is nowhere: what was looked for, where" {
	if [[ ! -e /etc/wireguard || -x /etc/wireguard ]]; then
		WGCTL_PATH='' run "$WGCTL" up "$A"
		assert_failure 1
		assert_output "wgctl: $A: no configuration found; looked for /etc/wireguard/$A.conf"
	fi
	WGCTL_PATH=/nonexistent:$PWD run "$WGCTL" up "$A"
	assert_failure 1
	assert_output "wgctl: $A: no configuration found; looked for /nonexistent/$A.conf, $PWD/$A.conf"
}

@test "a file that is not there" {
	run "$WGCTL" up "./$A.conf"
	assert_failure 1
	assert_output "wgctl: ./$A.conf: no such file"
	run "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_output "wgctl: $A.conf: no such file here, and there is no /nonexistent/$A.conf.conf either"
}

@test "a name is looked for in WGCTL_PATH, in its order" {
	mkdir one two
	echo nonsense >one/"$A.conf"
	echo nonsense >two/"$A.conf"
	WGCTL_PATH=none:one:two run "$WGCTL" up "$A"
	assert_failure 1
	assert_output --partial "one/$A.conf:1:"
	rm one/"$A.conf"
	WGCTL_PATH=none:one:two: run "$WGCTL" up "$A"
	assert_failure 1
	assert_output --partial "two/$A.conf:1:"
}

@test "a file beside is taken by its name, and only with its ending" {
	echo nonsense >"$A.conf"
	echo nonsense >"$B"
	run "$WGCTL" up "$A.conf"
	assert_output --partial "$A.conf:1:"
	run "$WGCTL" up "$B"
	assert_output --partial "no configuration found"
	run "$WGCTL" up "./$B"
	assert_failure 1
	assert_output "wgctl: ./$B: a configuration file is named after its interface: NAME.conf"
}

@test "names that cannot be an interface's" {
	for name in "a b" "averyveryverylongname" ".." "a:b" "wg0;x" "ä" default all; do
		run "$WGCTL" up -- "$name"
		assert_failure 1
		assert_output --partial "cannot be the name of an interface"
	done
	for name in "-x" "a b" "averyveryverylongname" "." default all; do
		good_file >"./$name.conf"
		run "$WGCTL" up "./$name.conf"
		assert_failure 1
		assert_output --partial "\`$name' cannot be the name of an interface"
	done
	run "$WGCTL" up ""
	assert_failure 1
}

@test "a key that is none: the place, and not the key" {
	refused "$A" '[Peer]' "PublicKey = ${PEER:0:40}" 'AllowedIPs = 10.9.0.2/32'
	assert_output --regexp "^$A.conf:5:[0-9]+: error: "
	refute_output --partial "${PEER:0:10}"
}

@test "an unknown key: the one that was probably meant" {
	refused "$A" '[Peer]' "PublicKey = $PEER" 'AllowedIp = 10.9.0.2/32'
	assert_output --regexp "^$A.conf:6:1: error: .*AllowedIPs"
}

@test "other mistakes carry their place" {
	refused "$A" 'ListenPort = 65536'
	assert_output --regexp "^$A.conf:4:[0-9]+: error: "
	refused "$A" 'Address = 10.9.0.300/24'
	assert_output --regexp "^$A.conf:4:[0-9]+: error: "
	refused "$A" '[Peer]' "PublicKey = $PEER" 'AllowedIPs = 10.9.0.2/33'
	assert_output --regexp "^$A.conf:6:[0-9]+: error: "
	refused "$A" '[Peer]' "PublicKey = $PEER" 'Endpoint = nowhere'
	assert_output --regexp "^$A.conf:6:[0-9]+: error: "
	refused "$A" '[Peer]' 'AllowedIPs = 10.9.0.2/32'
	assert_output --regexp "^$A.conf:4(:[0-9]+)?: error: "
}

@test "a directory is no configuration file" {
	mkdir "$A.conf"
	run "$WGCTL" up "./$A.conf"
	assert_failure 1
	assert_output --partial "./$A.conf"
}

@test "a table that has no number is refused, with its line" {
	refused "$A" 'Table = nowhere'
	assert_output --partial "$A.conf:4: error: 'nowhere' is no routing table here: name one that"
}

@test "a kill switch without a default route of ours is refused" {
	refused "$A" '#wgctl: KillSwitch = yes'
	assert_output --partial "$A.conf:4: error: KillSwitch needs a peer with AllowedIPs = 0.0.0.0/0"
	for table in off 1234; do
		refused "$A" '#wgctl: KillSwitch = yes' "Table = $table" '[Peer]' "PublicKey = $PEER" 'AllowedIPs = ::/0'
		assert_output --partial "$A.conf:4: error: KillSwitch needs Table = auto"
	done
}

@test "a file that others can reach: a warning as wg-quick's, and on it goes" {
	need_tun
	good_file >"$A.conf"
	chmod 777 .
	for mode in 604 602 601 644; do
		chmod $mode "$A.conf"
		run "$WGCTL" up "$A.conf"
		assert_line "wgctl: warning: $A.conf is accessible to other users; \`chmod 600 $A.conf' keeps its keys secret"
		assert_line --partial "/nonexistent/engine"
	done
	for mode in 600 660; do
		chmod $mode "$A.conf"
		run "$WGCTL" up "$A.conf"
		refute_output --partial "accessible"
	done
	chmod 644 "$A.conf"
	chmod 700 .
	run "$WGCTL" up "$A.conf"
	refute_output --partial "accessible"
}

@test "host bits in AllowedIPs: a warning with its place" {
	need_tun
	good_file >"$A.conf"
	printf '[Peer]\nPublicKey = %s\nAllowedIPs = 10.9.0.2/24\n' "$PEER" >>"$A.conf"
	run "$WGCTL" up "$A.conf"
	assert_line --regexp "^$A.conf:6:[0-9]+: warning: .*10\.9\.0\.2/24"
}
