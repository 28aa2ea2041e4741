# SPDX-License-Identifier: MIT
# Endpoints with names: the resolver is one that the test decides on.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	need_tun
	need wg
	common_setup
	new_pair
	new_tunnel
	mkdir -p "/etc/netns/$left"
}

teardown() {
	common_teardown
}

# endpoint TEXT: of the peer in $A.conf
endpoint() {
	sed -i "s,^Endpoint.*,Endpoint = $1," "$A.conf"
}

answers_from_hosts() {
	echo 'hosts: files' >"/etc/netns/$left/nsswitch.conf"
	printf '%s\n' "$@" >"/etc/netns/$left/hosts"
}

nobody_answers() {
	echo 'hosts: dns' >"/etc/netns/$left/nsswitch.conf"
	echo 'nameserver 127.0.0.1' >"/etc/netns/$left/resolv.conf"
}

@test "a host and a service by name" {
	answers_from_hosts '192.0.2.2 far.example'
	endpoint far.example:domain
	left "$WGCTL" up -q "$A.conf"
	run wg show "$A" endpoints
	assert_output "$pub_b	192.0.2.2:53"
}

@test "an IPv6 host by name" {
	answers_from_hosts '2001:db8::2 far.example'
	endpoint far.example:51821
	left "$WGCTL" up -q "$A.conf"
	run wg show "$A" endpoints
	assert_output "$pub_b	[2001:db8::2]:51821"
}

@test "a numeric endpoint asks nobody" {
	nobody_answers
	endpoint '[2001:db8::2]:51821'
	left timeout 5 "$WGCTL" up -q "$A.conf"
	run wg show "$A" endpoints
	assert_output "$pub_b	[2001:db8::2]:51821"
}

@test "a host that does not exist: at once, with the peer's line, nothing begun" {
	answers_from_hosts '192.0.2.2 far.example'
	endpoint near.example:51821
	run left timeout 5 "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_output --regexp "^$A.conf:6: error: cannot resolve the endpoint \`near.example:51821': "
	assert_gone "$left" "$A"
}

@test "nobody answers: asked as often as WG_ENDPOINT_RESOLUTION_RETRIES says" {
	nobody_answers
	endpoint far.example:51821
	WG_ENDPOINT_RESOLUTION_RETRIES=0 run left timeout 20 "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_output --regexp "^$A.conf:6: error: cannot resolve the endpoint \`far.example:51821': "
	WG_ENDPOINT_RESOLUTION_RETRIES=1 run left timeout 20 "$WGCTL" up "$A.conf"
	assert_failure 1
	assert_line --index 0 --regexp "^wgctl: cannot resolve \`far.example:51821': .*; trying again in 1.00 seconds$"
	assert_line --index 1 --regexp "^$A.conf:6: error: "
	assert_gone "$left" "$A"
}

@test "WG_ENDPOINT_RESOLUTION_RETRIES that is no number" {
	for value in '' many -1 1.5; do
		WG_ENDPOINT_RESOLUTION_RETRIES=$value run left "$WGCTL" up "$A.conf"
		assert_failure 1
		assert_output "wgctl: WG_ENDPOINT_RESOLUTION_RETRIES is \`$value'; it takes a number or infinity"
	done
	WG_ENDPOINT_RESOLUTION_RETRIES=infinity left "$WGCTL" up -q "$A.conf"
}
