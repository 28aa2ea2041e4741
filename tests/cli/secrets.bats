#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run
# No key stays in wgctl's memory until its end, and none gets out: not into arguments, messages or files.

load helpers.bash

memory=$BATS_TEST_DIRNAME/../conformance/memory.py

setup() {
	common_setup
	need wg python3
	# A command of a sanitizer's build may leave what it likes, and may not be traced.
	if nm "$WGCTL" | grep -q __asan_; then sanitized=yes; fi
}

teardown() {
	common_teardown
}

# leaves_nothing ARGUMENT...: of memory.py
leaves_nothing() {
	[[ -z ${sanitized:-} ]] || return 0
	run /usr/bin/python3 "$memory" "$@"
	assert_success
}

# A namespace $one and a configuration for the interface $A in it, its keys also in private and psk.
make_configuration() {
	need_tun
	new_namespace one 1
	wg genkey >private
	wg genpsk >psk
	wg genkey >other
	cat >"$A.conf" <<-END
		[Interface]
		PrivateKey = $(cat private)
		Address = 10.9.0.1/24
		[Peer]
		PublicKey = $(wg pubkey <other)
		PresharedKey = $(cat psk)
		AllowedIPs = 10.9.0.2/32
	END
}

@test "the search finds what a command leaves behind" {
	run /usr/bin/python3 "$memory" --printed sh -c 'key=$(wg genkey); echo "$key"'
	assert_failure 1
	assert_output --partial "left behind: key 1: 3 of 3 parts as base64"
}

@test "genkey and genpsk leave nothing" {
	leaves_nothing --printed "$WGCTL" genkey
	leaves_nothing --printed "$WGCTL" genpsk
}

@test "pubkey leaves nothing of the private key, right or wrong" {
	wg genkey >private
	leaves_nothing --input private --secret "$(cat private)" "$WGCTL" pubkey
	echo "$(cat private) and more" >trailing
	if [[ -z ${sanitized:-} ]]; then
		run /usr/bin/python3 "$memory" --input trailing --secret "$(cat private)" "$WGCTL" pubkey
		assert_failure 1
		refute_output --partial "left behind"
	fi
}

@test "up, show and down leave nothing" {
	make_configuration
	local secrets=(--secret "$(cat private)" --secret "$(cat psk)")
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" up "./$A.conf"
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" show "$A"
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" show "$A" dump
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" watch --count 2 --interval 0.1 "$A"
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" status "$A"
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" show "$A" private-key
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" show all preshared-keys
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" down "$A"
}

@test "metrics and qr leave nothing" {
	make_configuration
	local secrets=(--secret "$(cat private)" --secret "$(cat psk)")
	ip netns exec "$one" "$WGCTL" up -q "./$A.conf" 3>&-
	leaves_nothing "${secrets[@]}" ip netns exec "$one" "$WGCTL" metrics "$A"
	leaves_nothing "${secrets[@]}" "$WGCTL" qr "./$A.conf"
	for ((number = 0; number < 150; number++)); do # another size of code, other pieces of memory
		printf 'AllowedIPs = 10.8.0.%d/32\n' "$number"
		((number % 50)) || leaves_nothing "${secrets[@]}" "$WGCTL" qr "./$A.conf"
	done >>"$A.conf"
	ip netns exec "$one" "$WGCTL" down -q "$A"
}

@test "a file that is refused leaves nothing" {
	make_configuration
	printf 'AllowedIPs = 10.9.0.2/33\n' >>"$A.conf"
	if [[ -z ${sanitized:-} ]]; then
		run /usr/bin/python3 "$memory" --secret "$(cat private)" --secret "$(cat psk)" \
			ip netns exec "$one" "$WGCTL" up "./$A.conf"
		assert_failure 1
		assert_output --partial "is no prefix"
		refute_output --partial "left behind"
	fi
}

# says_nothing_of KEY FILE...: neither the key nor half of it, in base64 or hexadecimal. (A message may repeat 20 characters
# of what makes no sense.)
says_nothing_of() {
	local key=$1 hex at
	shift
	hex=$(base64 -d <<<"$key" | od -An -v -tx1 | tr -d ' \n')
	for ((at = 0; at + 22 <= ${#key}; at++)); do
		echo "${key:at:22}"
	done >patterns
	for ((at = 0; at + 30 <= ${#hex}; at += 2)); do
		echo "${hex:at:30}"
	done >>patterns
	run grep -rliF -f patterns "$@"
	assert_output ""
}

@test "no key in messages, arguments and files of a tunnel that says all it can" {
	make_configuration
	export LOG_LEVEL=verbose
	ip netns exec "$one" "$WGCTL" up "./$A.conf" >said 2>&1 3>&-
	ip netns exec "$one" "$WGCTL" show "$A" >>said 2>&1
	ip netns exec "$one" wg set "$A" private-key other
	printf 'set=1\nprivate_key=%sx\n\n' "$(base64 -d private | od -An -v -tx1 | tr -d ' \n')" |
		ip netns exec "$one" nc -N -U "$SOCKETS/$A.sock" >>said
	for pid in $(ip netns pids "$one"); do
		cat "/proc/$pid/cmdline" "/proc/$pid/environ" >>arguments
	done
	assert [ -s arguments ]
	[[ ! -d /run/wgctl ]] || cp -r /run/wgctl state
	ip netns exec "$one" "$WGCTL" down "$A" >>said 2>&1
	grep -q "errno=" said
	rm -f core
	mkdir -p state
	for key in "$(cat private)" "$(cat psk)" "$(cat other)"; do
		says_nothing_of "$key" said arguments state
	done
}

@test "no message repeats a key, however wrong it stands in the file" {
	local key hex name value section count=0
	export WGCTL_ENGINE=/bin/false # where a file is right
	key=$(wg genkey)
	hex=$(base64 -d <<<"$key" | od -An -v -tx1 | tr -d ' \n')
	local values=("$key" "${key%=}" "${key}x" "$key=" "x$key" "${key:0:30}" "${key:14}" "${key/=/!}" "$hex" "0x$hex"
		"${key:0:20} ${key:20}" "'$key'" "$key # $key" "$key, $key" "$key:51820" "10.0.0.1/24, $key")
	local names=(PrivateKey PresharedKey PublicKey ListenPort FwMark Address MTU Endpoint AllowedIPs PersistentKeepalive
		Table DNS PostUp SaveConfig Key "$key")
	for name in "${names[@]}"; do
		for value in "${values[@]}"; do
			for section in Interface Peer; do
				printf '[%s]\n%s = %s\n' "$section" "$name" "$value" >"$A.conf"
				! "$WGCTL" up "./$A.conf" >>said 2>&1 || fail "$name = $value"
				count=$((count + 1))
			done
		done
	done
	for value in "${values[@]}"; do
		for name in "$value" "[$value]" "PrivateKey $value" "; $value" "PrivateKey: $value"; do
			printf '[Interface]\n%s\n' "$name" >"$A.conf"
			! "$WGCTL" up "./$A.conf" >>said 2>&1 || fail "$name"
			count=$((count + 1))
		done
		"$WGCTL" pubkey <<<"$value" 2>>said >/dev/null || count=$((count + 1))
	done
	assert [ "$(wc -l <said)" -ge "$count" ]
	says_nothing_of "$key" said
}

# dumps COMMAND...: "yes" or "no": does it leave a core when it is aborted while it reads?
dumps() {
	/usr/bin/python3 - "$@" <<-'END'
		import os, resource, signal, subprocess, sys, time
		resource.setrlimit(resource.RLIMIT_CORE, [resource.getrlimit(resource.RLIMIT_CORE)[1]] * 2)
		process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
		while os.read(os.open(f"/proc/{process.pid}/wchan", os.O_RDONLY), 99)[-9:] != b"pipe_read":
		    time.sleep(0.01)
		process.send_signal(signal.SIGABRT)
		_, status = os.waitpid(process.pid, 0)
		print("yes" if os.WCOREDUMP(status) else "no")
	END
}

@test "wgctl leaves no core" {
	[[ -z ${sanitized:-} ]] || return 0
	run dumps "$WGCTL" pubkey
	assert_output no
	# As long as other programs do; a system may be told to write none at all.
	run dumps cat
	assert_output --regexp '^(yes|no)$'
}
