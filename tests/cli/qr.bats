# SPDX-License-Identifier: MIT
# qr: what it draws is painted and read by zbarimg, byte for byte what the app on a phone shall get.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
	need wg zbarimg
	new_keys
	export WGCTL_PATH=/nonexistent
	"$WGCTL" qr /dev/null 2>&1 | grep -q 'without libqrencode' && leave "needs a build with libqrencode"
	return 0
}

teardown() {
	common_teardown
}

# reads FILE [dark]: the code in it, byte for byte, into the file read
reads() {
	/usr/bin/python3 "$BATS_TEST_DIRNAME/qr.py" picture.pgm "${@:2}" <"$1"
	zbarimg --quiet --raw --oneshot -Sbinary picture.pgm >"read"
}

@test "the smallest file, and one with all that the app knows and does not" {
	printf '[Interface]\nPrivateKey = %s\n' "$key_a" | tee expected >wg0.conf
	"$WGCTL" qr wg0.conf >code
	reads code
	cmp expected read

	echo "$psk" >psk.key
	cat >wg0.conf <<-END
		# a comment
		[interface]
		privatekey=$key_a # another
		ListenPort = 51820
		FwMark = 0x1
		Address = 10.9.0.2/24,fd09::2
		Address = 10.9.1.2/32
		DNS = 9.9.9.9, example.org, 2620:fe::fe
		MTU = 1400
		Table = off
		PostUp = echo secret # of nobody else
		KillSwitch = no
		SaveConfig = true

		[Peer]
		Name = office
		PublicKey = $pub_b
		#wgctl: PresharedKeyFile = psk.key
		AllowedIPs = 10.0.0.0/8, !10.128.0.0/9, ::/0
		Endpoint = vpn.example.org:51820
		PersistentKeepalive = 25

		[Peer]
		# Name = bob
		PublicKey = $pub_a
		Endpoint = [2001:db8::1]:7
		PersistentKeepalive = off
	END
	cat >expected <<-END
		[Interface]
		PrivateKey = $key_a
		ListenPort = 51820
		Address = 10.9.0.2/24, fd09::2/128, 10.9.1.2/32
		DNS = 9.9.9.9, 2620:fe::fe, example.org
		MTU = 1400

		[Peer]
		PublicKey = $pub_b
		PresharedKey = $psk
		AllowedIPs = 10.0.0.0/9, ::/0
		Endpoint = vpn.example.org:51820
		PersistentKeepalive = 25

		[Peer]
		PublicKey = $pub_a
		Endpoint = [2001:db8::1]:7
	END
	run --separate-stderr "$WGCTL" qr wg0.conf
	assert_success
	printf '%s\n' "$output" >code
	for word in 5:FwMark 10:Table 11:PostUp 12:KillSwitch 13:SaveConfig; do
		[[ $stderr == *"wg0.conf:${word%:*}: ${word#*:} is left out"* ]] || fail "$word: $stderr"
	done
	reads code
	cmp expected read
	# It is a configuration: read and shown again it is the same.
	mv read wg0.conf
	"$WGCTL" qr ./wg0.conf >code
	reads code
	cmp expected read
}

@test "as much as a code holds, and a byte more" {
	local number
	{
		printf '[Interface]\nPrivateKey = %s\n\n[Peer]\nPublicKey = %s\nAllowedIPs = 10.0.0.0/32' "$key_a" "$pub_b"
		for ((number = 0; number < 200; number++)); do
			printf ', 10.0.0.%d/32' "$number"
		done
		printf '\n'
	} >large
	((30 < 2953 - $(stat -c %s large))) && fail "not large enough"
	# Cut between prefixes, and filled up with digits.
	head -c 2920 large | sed '$s/, [^,]*$//' >wg0.conf
	printf '\nEndpoint = %s:1\n' "$(head -c $((2953 - $(stat -c %s wg0.conf) - 15)) /dev/zero | tr '\0' a)" >>wg0.conf
	assert_equal "$(stat -c %s wg0.conf)" 2953
	"$WGCTL" qr wg0.conf >code
	reads code
	cmp wg0.conf read
	sed -i 's/:1$/:12/' wg0.conf
	run --separate-stderr "$WGCTL" qr wg0.conf
	assert_failure 1
	assert_output ""
	assert_equal "$stderr" "wgctl: wg0.conf: 2954 bytes are too many: a QR code holds 2953; give the file to the app instead, or shorten AllowedIPs"
}

@test "exclusions that leave too much" {
	{
		printf '[Interface]\nPrivateKey = %s\n[Peer]\nPublicKey = %s\n' "$(wg genkey)" "$(wg genkey | wg pubkey)"
		awk 'BEGIN { printf "AllowedIPs = ::/0"; for (i = 0; i < 12000; i++) printf ", !%x::1", 8192 + i; print "" }'
	} >wg0.conf
	run --separate-stderr "$WGCTL" qr wg0.conf
	assert_failure 1
	assert_output ""
	assert_equal "$stderr" "wgctl: wg0.conf: AllowedIPs come to too many prefixes: exclude less"
}

@test "no key, a wrong file, no file, wrong words: no code" {
	printf '[Interface]\nAddress = 10.0.0.1\n' >wg0.conf
	run --separate-stderr "$WGCTL" qr wg0.conf
	assert_failure 1
	assert_output ""
	assert_equal "$stderr" "wgctl: wg0.conf: there is no PrivateKey: the app wants one"
	printf '[Interface]\nAdress = 10.0.0.1\n' >wg0.conf
	run --separate-stderr "$WGCTL" qr wg0.conf
	assert_failure 1
	assert_output ""
	[[ $stderr == "wg0.conf:2:1: error: "* ]] || fail "$stderr"
	run --separate-stderr "$WGCTL" qr nobody
	assert_failure 1
	assert_output ""
	for words in "" "a b" "--large a"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$WGCTL" qr $words
		assert_failure 1
		[[ $stderr == *"Usage: wgctl qr FILE|NAME"* ]] || fail "$words: $stderr"
	done
}

@test "without colours it is read from a terminal that is light on dark" {
	printf '[Interface]\nPrivateKey = %s\n' "$key_a" >wg0.conf
	WG_COLOR_MODE=never "$WGCTL" qr wg0.conf >code
	NO_COLOR=1 "$WGCTL" qr wg0.conf >code2
	NO_COLOR=1 WG_COLOR_MODE=always "$WGCTL" qr wg0.conf >colours
	run grep -c $'\e' code
	assert_output 0
	cmp code code2
	reads code dark
	cmp wg0.conf read
	reads colours
	cmp wg0.conf read
	# On a terminal, by what it says that it is.
	local kind
	for kind in dumb xterm; do
		run -0 env TERM=$kind script -qec "stty cols 200; '$WGCTL' qr wg0.conf" /dev/null
		printf '%s\n' "$output" | tr -d '\r' >"$kind"
	done
	cmp code dumb
	cmp colours xterm
}

@test "no file is made for it" {
	need strace
	printf '[Interface]\nPrivateKey = %s\n' "$key_a" >wg0.conf
	# No leaks are looked for under strace, where they cannot be.
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq -o trace -e trace=%file,memfd_create \
		"$WGCTL" qr wg0.conf >code
	grep -q 'wg0.conf' trace
	run grep -E 'O_CREAT|O_TMPFILE|O_WRONLY|O_RDWR|memfd_create|mkdir|rename|mknod' trace
	assert_failure 1
	reads code
	cmp wg0.conf read
}

@test "it warns before a file that everybody may read" {
	printf '[Interface]\nPrivateKey = %s\n' "$key_a" >wg0.conf
	touch code
	chmod 644 code
	run --separate-stderr bash -c '"$1" qr wg0.conf >code' - "$WGCTL"
	assert_success
	[[ $stderr == *"writing to world accessible file"* ]] || fail "$stderr"
	chmod 600 code
	run --separate-stderr bash -c '"$1" qr wg0.conf >code' - "$WGCTL"
	assert_success
	assert_equal "$stderr" ""
	reads code
}

@test "a terminal that is too narrow gets no broken code" {
	printf '[Interface]\nPrivateKey = %s\n' "$key_a" >wg0.conf
	"$WGCTL" qr wg0.conf >code
	local high wide
	high=$(wc -l <code)
	wide=$((high * 2 - 1)) # an odd number of rows
	run /usr/bin/python3 - "$WGCTL" "$wide" <<-'END'
		import fcntl, os, pty, struct, subprocess, sys, termios
		wide = int(sys.argv[2])
		for columns in wide - 1, wide:
		    master, slave = pty.openpty()
		    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
		    done = subprocess.run([sys.argv[1], "qr", "wg0.conf"], stdout=slave, stderr=subprocess.PIPE, text=True)
		    print(columns, done.returncode, done.stderr.strip())
	END
	assert_line --index 0 "$((wide - 1)) 1 wgctl: the code is $wide columns wide and $high lines high, the terminal $((wide - 1)) and 24: make it larger, or its letters smaller"
	assert_line --index 1 "$wide 0 "
}
