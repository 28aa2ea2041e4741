# SPDX-License-Identifier: MIT
# metrics: read with the parser of Prometheus' client library and compared with `show --json'; over HTTP as systemd serves it.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg jq curl
	/usr/bin/python3 -c 'import prometheus_client.openmetrics.parser' || leave "needs python3-prometheus-client"
	common_setup
	private_sockets
	parser=$BATS_TEST_DIRNAME/metrics.py
}

teardown() {
	common_teardown
}

# samples FILE [SHOW]: into the file samples, a line each
samples() {
	/usr/bin/python3 "$parser" "$@" >samples
}

# sample JQ: of the samples, with name, labels and value as $n, $l and $v
sample() {
	jq -r ". as [\$n, \$l, \$v] | $1" samples
}

key() {
	perl -MMIME::Base64 -e 'print encode_base64(pack("H*", sprintf("%064x", shift)), "")' "$1"
}

@test "a live tunnel: the values of show, peers by name and key, states and drops" {
	new_pair
	new_tunnel
	echo '# Name = "bob" \ the	2nd' >>"$A.conf" # a tab is white space in a name, and left as it is
	sed -i 's/\t/ /' "$A.conf"
	left "$WGCTL" up -q "$A.conf"
	right "$WGCTL" up -q "$B.conf"
	ping_through "$left" 10.9.0.2
	left ping -c 1 -W 1 10.9.0.77 || true # nobody's
	# Until nothing moves: what the keepalive sends, too.
	still() {
		"$WGCTL" show --json >show
		"$WGCTL" metrics >metrics
		"$WGCTL" show --json | cmp - show
	}
	wait_for 10 still
	samples metrics show
	assert_equal "$(sample 'select($n == "wgctl_up") | "\($l.interface) \($v)"' | sort)" "$A 1
$B 1"
	assert_equal "$(sample 'select($n == "wgctl_peer_state" and $l.interface == "'"$A"'") | "\($l.name) \($l.state) \($v)"')" \
		'"bob" \ the 2nd up 1
"bob" \ the 2nd idle 0
"bob" \ the 2nd down 0'
	sample 'select($n == "wgctl_peer_latest_handshake_timestamp_seconds") | $v > 1700000000' | grep -c true >count
	assert_equal "$(cat count)" 2
	# The drops that the engine reports.
	sample 'select($n == "wgctl_interface_dropped_packets_total" and $l.interface == "'"$A"'") | "drop_\($l.reason)=\($v)"' |
		sort >ours
	printf 'get=1\n\n' | nc -N -U "$SOCKETS/$A.sock" | sed '/^public_key/,$d' | grep ^drop_ | sort >theirs
	grep -q '^drop_no_peer=' theirs
	diff -u theirs ours
	# One of them alone, and no secret in any.
	"$WGCTL" metrics --openmetrics "$B" >metrics
	samples metrics
	assert_equal "$(sample '$l.interface // empty' | sort -u)" "$B"
	"$WGCTL" metrics >>metrics
	run grep -F -e "$key_a" -e "$key_b" -e "$psk" metrics
	assert_failure 1
}

@test "names and reasons from elsewhere are quoted, or passed over" {
	local odd=$'a"b\\\xff'
	{
		printf 'private_key=%064d\nlisten_port=7\nfwmark=51820\ndrop_no_peer=3\n' 1
		printf 'drop_evil"} 1=4\ndrop_evil{}=1\ndrop_=5\ndrop_ecn=x\n'
		printf 'public_key=%064x\nlast_handshake_time_sec=%d\ntx_bytes=18446744073709551615\nrx_bytes=4\n' 1 "$(date +%s)"
		printf 'drop_forged=1\ndrop_forged=6\n'
		printf 'public_key=%064x\nendpoint=[2001:db8::1]:7\ntx_bytes=9\n' 2
		printf 'public_key=%064x\n' 3
		printf 'errno=0\n\n'
	} >reply
	stub_engine "$A" reply
	export WGCTL_PATH=$PWD
	printf '[Interface]\n[Peer]\nPublicKey = %s\nName = a"b\\c\\nä\n' "$(key 1)" >"$A.conf"
	"$WGCTL" show --json >show
	"$WGCTL" metrics >metrics
	samples metrics show
	# OpenMetrics says the same, to the last digit.
	mv samples older
	"$WGCTL" metrics --openmetrics >metrics
	samples metrics show
	assert_equal "$(sed s/18446744073709551615/18446744073709551616/ samples)" "$(cat older)"
	grep -qx '# UNIT wgctl_peer_receive_bytes bytes' metrics
	assert_equal "$(sample 'select($n == "wgctl_peer_info" and $l.name) | $l.name')" 'a"b\c\nä'
	assert_equal "$(sample 'select($n | endswith("_dropped_packets_total")) | "\($l.public_key) \($l.reason) \($v)"')" \
		"null no_peer 3
$(key 1) forged 6"
	assert_equal "$(sample 'select($n == "wgctl_peer_state" and $v == 1) | $l.state')" $'up\ndown\nidle'
	# The name of a socket may be anything; what is no UTF-8 is replaced.
	mv "$SOCKETS/$A.sock" "$SOCKETS/$odd.sock"
	"$WGCTL" metrics >metrics
	samples metrics
	assert_equal "$(sample 'select($n == "wgctl_up") | $l.interface')" $'a"b\\\ufffd'
	grep -qxF $'wgctl_up{interface="a\\"b\\\\\ufffd"} 1' metrics
}

@test "an engine that hangs takes its second, and no more; one that talks nonsense is not up" {
	new_namespace left l
	left "$WGCTL_ENGINE" "$A"
	wait_for 5 "$WGCTL" show "$A"
	echo nonsense >reply
	stub_engine "$B" reply
	local pid count
	for pid in $(engine_pids "$left" "$A"); do kill -STOP "$pid"; done
	for count in 1 2 3 4 5 6 7 8; do
		ln -s "$A.sock" "$SOCKETS/$A$count.sock"
	done
	local start=$EPOCHREALTIME
	"$WGCTL" metrics >metrics
	local took=$((${EPOCHREALTIME/./} - ${start/./}))
	for pid in $(engine_pids "$left" "$A"); do kill -CONT "$pid"; done
	((took >= 4000000 && took < 9000000)) || fail "nine that hang took $took us"
	samples metrics
	assert_equal "$(sample 'select($n == "wgctl_up") | $v' | sort | uniq -c | tr -s ' ')" " 10 0"
	assert_equal "$(sample 'select($n | startswith("wgctl_interface"))')" ""
	"$WGCTL" metrics >metrics
	samples metrics
	assert_equal "$(sample 'select($n == "wgctl_up" and $l.interface != "'"$B"'") | $v' | sort -u)" 1
}

@test "no interface at all; one that is not there; wrong words" {
	"$WGCTL" metrics >metrics
	samples metrics
	assert_equal "$(sample '$n')" wgctl_build_info
	# The manual page has all of them, and no other.
	assert_equal "$(sed -n '/^\.Sh METRICS/,/^\.Sh ENV/s/^\.It Li //p' "$BATS_TEST_DIRNAME/../../man/wgctl.8" | tr -s ', ' '\n' | sort)" \
		"$(sed -n 's/^# TYPE \([a-z_]*\) [a-z]*$/\1/p' metrics | sort)"
	run --separate-stderr "$WGCTL" metrics "$A"
	assert_failure 1
	assert_output ""
	assert_equal "$stderr" "wgctl: there is no interface \`$A'"
	run --separate-stderr "$WGCTL" metrics an-interface-that-cannot-be
	assert_failure 1
	assert_output ""
	for words in "a b" "--http $A" "--htpt" "--http --openmetrics"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$WGCTL" metrics $words
		assert_failure 1
		assert_output ""
		[[ $stderr == *"Usage: wgctl metrics "* ]] || fail "$words: $stderr"
	done
}

# answers STATUS: what one request from standard input is answered; the body is in the file body
answers() {
	"$WGCTL" metrics --http >answer
	sed 's/\r$//; /^$/q' answer >head.txt
	sed '1,/^\r$/d' answer >body
	assert_equal "$(sed -n '1s/^HTTP\/1\.1 \([0-9]*\) .*/\1/p' head.txt)" "$1"
	grep -qx "Content-Length: $(stat -c %s body)" head.txt
	grep -qx 'Connection: close' head.txt
	[[ $1 == 200 || ! -s body ]] || fail "status $1 with a body"
}

@test "HTTP: what is answered, and how" {
	printf 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' | answers 200
	grep -qx 'Content-Type: text/plain; version=0.0.4; charset=utf-8' head.txt
	[[ $(tail -n 1 body) != "# EOF" ]] || fail "OpenMetrics, unasked"
	samples body
	# What Prometheus sends, and another's way to write it.
	printf 'GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n\r\n' | answers 200
	grep -qx 'Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' head.txt
	assert_equal "$(tail -n 1 body)" "# EOF"
	samples body
	printf 'GET / HTTP/1.1\r\nHost: x\r\naccept:text/plain, Application/OpenMetrics-Text\r\nX: y\r\n\r\n' | answers 200
	assert_equal "$(tail -n 1 body)" "# EOF"
	printf 'GET / HTTP/1.1\r\nX-Accept: application/openmetrics-text\r\nAccept: text/plain\r\n\r\n' | answers 200
	[[ $(tail -n 1 body) != "# EOF" ]] || fail "OpenMetrics, unasked"
	printf 'GET /metrics?name=x HTTP/1.0\r\n\r\nmore' | answers 200
	printf 'GET /?/metrics HTTP/1.0\r\n\r\n' | answers 200
	printf 'GET // HTTP/1.1\r\n\r\n' | answers 404
	printf 'GET /metricsx HTTP/1.1\r\n\r\n' | answers 404
	printf 'GET /../metrics HTTP/1.1\r\n\r\n' | answers 404
	printf 'POST /metrics HTTP/1.1\r\nContent-Length: 1\r\n\r\nx' | answers 405
	grep -qx 'Allow: GET' head.txt
	printf 'get /metrics HTTP/1.1\r\n\r\n' | answers 405
	printf 'GET /metrics\r\n\r\n' | answers 400
	printf 'GET /metrics HTTP/2.0\r\n\r\n' | answers 400
	printf 'GET /metrics HTTP/1.1 x\r\n\r\n' | answers 400
	printf 'GET /met\0rics HTTP/1.1\r\n\r\n' | answers 400
	printf '\r\n\r\n' | answers 400
	printf 'GET /metrics HTTP/1.1\r\nHost: x\r\n' | answers 400 # it ends
	answers 400 </dev/null
	{
		printf 'GET /metrics HTTP/1.1\r\nX: '
		head -c 10000 /dev/zero | tr '\0' x
		printf '\r\n\r\n'
	} >large
	answers 431 <large
	# In pieces, as a network may bring it.
	{
		printf 'GET /met'
		cat <(printf 'rics HTTP/1.1\r')
		cat <(printf '\n\r')
		cat <(printf '\n')
	} | answers 200
}

@test "HTTP: who says nothing, or says it slowly, is answered in time" {
	local start=$EPOCHREALTIME
	mkfifo quiet
	exec 9<>quiet
	printf 'GET /metr' >&9
	answers 408 <quiet
	exec 9>&-
	local took=$((${EPOCHREALTIME/./} - ${start/./}))
	((took >= 5000000 && took < 10000000)) || fail "it took $took us"
}

@test "HTTP: who reads the answer slowly does not get all of it" {
	perl -e 'printf "public_key=%064x\n", $_ for 1 .. 2000; print "errno=0\n\n"' >reply
	stub_engine "$A" reply
	mkfifo slow
	perl -e 'select undef, undef, undef, 0.1 while sysread STDIN, $_, 1000' <slow 3>&- &
	started+=($!)
	local start=$EPOCHREALTIME
	run -142 bash -c 'printf "GET / HTTP/1.1\r\n\r\n" | "$1" metrics --http >slow' - "$WGCTL" # SIGALRM
	local took=$((${EPOCHREALTIME/./} - ${start/./}))
	((took >= 9000000 && took < 20000000)) || fail "it took $took us"
}

@test "HTTP: garbage is answered, and nothing crashes" {
	perl -e '
		srand 7;
		my @pieces = ("GET", " ", "/metrics", "/", "HTTP/1.1", "\r\n", "\n", "\r", "Accept:", "application/openmetrics-text",
			"?", "\0", ":", "\t", "POST", "%2e", "x" x 5000, "\x80\xff", "GET /metrics HTTP/1.1\r\n", "\r\n\r\n");
		for my $number (1 .. 150) {
			open my $file, ">", "garbage.$number" or die;
			print $file ("", "GET / HTTP/1.1\r\n", "GET /x HTTP/1.1\r\n")[$number % 3];
			print $file rand() < 0.2 ? chr int rand 256 : $pieces[rand @pieces] for 1 .. rand 20;
		}'
	local file
	for file in garbage.*; do
		"$WGCTL" metrics --http <"$file" >answer
		head -n 1 answer | grep -qE $'^HTTP/1\\.1 (200|400|404|405|431) [A-Z][A-Za-z ]*\r$' || fail "$file: $(head -n 1 answer)"
		head -n 1 answer | cut -d ' ' -f 2 >>statuses
	done
	assert_equal "$(sort -u statuses | tr '\n' ' ')" "200 400 404 405 431 "
}

@test "the units: systemd takes them, and what the service runs answers on the socket" {
	need systemd-analyze systemd-socket-activate
	local build words address
	build=$(dirname "$(grep -oE '/[^ ]*/wgctl' wgctl | tail -n 1)") # behind private_sockets' wrapper
	[[ -f $build/Makefile ]] || build=$build_dir
	make -s -C "$build" systemdsystemunitdir="$PWD/units" install-{nodist,dist}_systemdsystemunitDATA >&2
	run grep '^Exec' "units/wgctl-metrics@.service"
	assert_output --regexp '^ExecStart=/[^@$ ]*/bin/wgctl metrics --http$'
	sed -i "s,^ExecStart=.*/wgctl ,ExecStart=$WGCTL ," "units/wgctl-metrics@.service"
	run -0 env SYSTEMD_UNIT_PATH="$PWD/units:" systemd-analyze verify --man=no --recursive-errors=yes \
		wgctl-metrics.socket wgctl-metrics@0.service
	assert_output ""
	# A namespace of its own, so that the port is free.
	new_namespace left l
	read -ra words < <(sed -n 's/^ExecStart=//p' "units/wgctl-metrics@.service")
	address=$(sed -n 's/^ListenStream=//p' units/wgctl-metrics.socket)
	ip netns exec "$left" systemd-socket-activate --listen="$address" --accept --inetd "${words[@]}" >log 2>&1 3>&- &
	started+=($!)
	scrape() { ip netns exec "$left" curl -sS --max-time 10 -o body -D head.txt "http://$address/$1"; }
	wait_for 5 scrape metrics
	left "$WGCTL_ENGINE" "$A"
	wait_for 5 "$WGCTL" show "$A"
	"$WGCTL" show --json >show
	scrape metrics
	samples body show
	scrape elsewhere
	head -n 1 head.txt | grep -q '^HTTP/1.1 404 '
}

@test "the service's filter of system calls has all that it takes" {
	need systemd-analyze strace
	local unit=$BATS_TEST_DIRNAME/../../systemd/wgctl-metrics@.service.in
	nm "$(grep -oE '/[^ ]*/wgctl' wgctl | tail -n 1)" | grep -q __asan_ && return 0 # which takes more
	new_namespace left l
	left "$WGCTL_ENGINE" "$A"
	wait_for 5 "$WGCTL" show "$A"
	printf 'GET /metrics HTTP/1.1\r\n\r\n' |
		strace -f -qq -o trace "$WGCTL" metrics --http >answer
	grep -q '^wgctl_up{' answer
	# From the program's own start on, behind the wrapper's.
	tac trace | sed '/execve(.*wgctl", \["/q' | sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' | sort -u >calls
	grep -qx connect calls
	# calls_of SET: the names in it, and in the sets in it
	calls_of() {
		local word
		systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([@a-z0-9_-]*\)$/\1/p' | while read -r word; do
			[[ $word == "$1" ]] && continue
			if [[ $word == @* ]]; then calls_of "$word"; else echo "$word"; fi
		done
	}
	grep -qx 'SystemCallFilter=@system-service' "$unit"
	grep -qx 'SystemCallFilter=~@privileged @resources' "$unit"
	calls_of @system-service | sort -u >allowed
	{
		calls_of @privileged
		calls_of @resources
	} | sort -u >refused
	assert [ -s refused ]
	run comm -23 calls <(comm -23 allowed refused)
	assert_output ""
}
