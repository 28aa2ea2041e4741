# SPDX-License-Identifier: MIT
# shellcheck shell=dash disable=SC3043 # busybox knows local
# What the scripts of the tests share, in the guest. A process costs much there.

fail() {
	echo "$*"
	exit 1
}

# equal GOT EXPECTED
equal() {
	[ "$1" = "$2" ] || fail "expected: $2
got:      $1"
}

# same NAME...: all that wg and wgctl show about the interfaces is the same, and how they end.
same() {
	views wg "$@" >/tmp/wg.views 2>&1
	views wgctl "$@" >/tmp/wgctl.views 2>&1
	diff /tmp/wg.views /tmp/wgctl.views || fail "$*: they differ"
}

views() {
	local tool=$1 name field
	shift
	for name; do
		for field in '' public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips \
			latest-handshakes transfer persistent-keepalive dump; do
			$tool show $name $field || echo "$name $field: $?"
		done
	done
}

# refuted MESSAGE COMMAND...: it fails, and says that.
refuted() {
	local message=$1
	shift
	if "$@" >/tmp/refuted 2>&1; then
		fail "succeeded, and should not have: $*"
	fi
	equal "$(cat /tmp/refuted)" "$message"
}

# residue HEX COMMAND...: 0 if the command left nothing of these bytes in its memory, 99 if it did.
residue() {
	local inverted status=0
	inverted=$(echo "$1" | tr 0123456789abcdef fedcba9876543210)
	shift
	RESIDUE=$inverted LD_PRELOAD=/programs/residue.so "$@" >/tmp/residue || status=$?
	return $status
}
