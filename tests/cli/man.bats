# SPDX-License-Identifier: MIT
# The manual page says what the programs say of themselves, and what the comparison with wg relies on.
# shellcheck disable=SC2016 # backquotes of Markdown

setup() {
	load helpers.bash
	common_setup
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	page=$top/man/wgctl.8
	files=$top/man/wgctl.conf.5
	engine=$top/man/wgengine.8
}

teardown() {
	common_teardown
}

# described MACRO [PAGE]: the first words of the page's list items of this sort.
described() { sed -n "s/^\.It $1 //p" "${2:-$page}" | tr -s ', ' '\n' | sort -u; }

# section NAME: its lines.
section() { sed -n "/^\.Sh $1\$/,/^\.Sh /p" "$page"; }

# includes LIST WANTED: each line of the second is one of the first.
includes() {
	local missing
	missing=$(comm -13 <(sort -u <<<"$1") <(sort -u <<<"$2"))
	[[ -z $missing && -n $2 ]] || fail "not in the page: $missing"
}

@test "mandoc finds nothing to complain about" {
	need mandoc
	run bash -c 'mandoc -T lint "$@" 2>&1 | grep -v "mandoc.db\|referenced manual not found"' - "$top"/man/*.[58]
	assert_output ""
}

@test "every command and each of its options" {
	local command commands option
	commands=$("$WGCTL" help | sed -n 's/^  \([a-z]*\) .*/\1/p')
	includes "$(described Cm)" "$commands"
	for command in $commands; do
		for option in $("$WGCTL" help "$command" | sed -n 's/^  \(-.*\)  .*/\1/p' | grep -oE -- '-[a-z-]+'); do
			# --json is "Fl Fl json", and -q may be one of "Fl nq".
			if [[ $option == --* ]]; then
				grep -q "Fl Fl ${option#--}\b" "$page" || fail "$command $option"
			else
				grep -qE "Fl [a-z]*${option#-}" "$page" || fail "$command $option"
			fi
		done
	done
}

@test "every field of show, and every word of set" {
	local words
	words=$("$WGCTL" help show | sed -n '1s/.*\[\(.*\)\]$/\1/p' | tr -d ' ' | tr '|' '\n')
	includes "$(described Cm)" "$words"
	words=$("$WGCTL" help set | sed -n 1p | grep -oE '(\[|\] )[a-z-]+' | grep -oE '[a-z-]+' | grep -v '^ip')
	[[ $words == *keepalive* ]] || fail "no words"
	for word in $words; do
		grep -qE "Cm $word\b" "$page" || fail "$word"
	done
}

@test "every environment variable, and no other" {
	local read
	read=$(grep -rhoE '(getenv|is_set)\("[A-Z_]+"' "$top/src/cli" | grep -oE '[A-Z_]{3,}' | sort -u)
	assert_equal "$(described Ev)" "$read"
}

@test "every key of the JSON, and no other" {
	need_tun
	need jq
	namespaces+=("$A")
	ip netns add "$A"
	ip netns exec "$A" "$WGCTL_ENGINE" "$A" 3>&-
	ip netns exec "$A" "$WGCTL" set "$A" peer "$("$WGCTL" genkey | "$WGCTL" pubkey)"
	for words in "show --json" "watch --json --count 1" "status --json"; do
		ip netns exec "$A" "$WGCTL" $words "$A" >>json || [[ $words == status* ]]
	done
	assert_equal "$(wc -l <json)" 3
	assert_equal "$(section JSON | sed -n 's/^\.It Li //p' | tr -s ', ' '\n' | sort -u)" \
		"$(jq -r '.. | objects | keys[]' json | sort -u)"
}

@test "every key of a file, where it stands and whose it is, and no other" {
	assert_equal "$(awk '
		/^\.Sh / { section = $2; sub(/S$/, "", section) }
		/^\.Ss Keys of / { whose = toupper($4); sub(/WG-/, "", whose) }
		/^\.It Li [A-Z]/ { for (i = 3; i <= NF; i++) if ($i != ",") print section, whose, $i }' "$files" | sort)" \
		"$(sed -nE 's/^\tX\([A-Z_]+, "(\w+)", (\w+), (\w+)\).*/\2 \3 \1/p' "$top/src/conf/keyword.h" | sort)"
}

@test "nothing is wrong with the examples of files" {
	umask 077
	mkdir credentials
	for key in private.key credentials/wireguard credentials/preshared; do
		"$WGCTL" genkey >"$key"
	done
	awk '/^\.Bd -literal/ { file = "wg" ++n ".conf"; next } /^\.Ed/ { file = "" } file { print >file }' "$files"
	CREDENTIALS_DIRECTORY=$PWD/credentials run -0 "$WGCTL" check wg1.conf wg2.conf wg3.conf
	assert_output ""
	[[ ! -e wg4.conf ]]
}

@test "every option of the engine, and no other" {
	local known
	known=$(sed -nE 's/^\t\t\{"([a-z-]+)", .*/\1/p' "$top/src/engine/main.c" | sort)
	assert_equal "$(sed -n '/^\.Sh DESC/,$p' "$engine" | grep '^\.It Fl' | sed -E 's/.*Fl Fl ([a-z-]+).*/\1/' | sort)" "$known"
	for option in $known; do
		[[ $("${WGENGINE:-$WGCTL_ENGINE}" --help) == *"--$option"* ]] || fail "not in --help: $option"
	done
}

@test "every environment variable of the engine, and no other" {
	assert_equal "$(described Ev "$engine")" \
		"$(grep -rhoE '(getenv|inherited_fd)\("[A-Z_]+"' "$top/src/engine" | grep -oE '[A-Z_]{3,}' | grep -v ^WG_TEST_ | sort -u)"
}

@test "every key of the engine's socket and every reason for a drop, and no other" {
	assert_equal "$(described Li "$engine")" "$({
		sed -nE 's/^\tX\([A-Z_0-9]+, "(\w+)", .*/\1/p' "$top/src/conf/uapi.h" | grep -v ^errno
		sed -nE 's/^\tX\([A-Z_0-9]+, "(\w+)",.*/drop_\1/p' "$top/src/engine/drop.h"
	} | sort)"
}

# examples PAGE: the commands of its examples.
examples() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/s/^\(\.Dl \)\{0,1\}[#$] //p' "$1" | sed 's/\\e/\\/g'
}

# on_machine FILE: in a namespace with sockets of its own, as a shell that ends at the first failure.
on_machine() {
	# shellcheck disable=SC2016 # for the inner shell
	ip netns exec "$A" unshare --mount --propagation private sh -e -c '
		mkdir -p /run/wireguard /run/wgctl
		mount -t tmpfs none /run/wireguard
		mount -t tmpfs none /run/wgctl
		exec bash -e "$1"' - "$1" 3>&-
}

@test "the examples of the command work, one after the other" {
	need_tun
	namespaces+=("$A")
	ip netns add "$A"
	mkdir bin
	ln -s "$WGCTL" "$WGCTL_ENGINE" bin
	printf '%s\n' '[Interface]' "PrivateKey = $("$WGCTL" genkey)" '[Peer]' '# Name = alice' \
		"PublicKey = $("$WGCTL" genkey | tee alice | "$WGCTL" pubkey)" 'AllowedIPs = 10.9.0.2/32' >wg0.conf
	examples "$page" >commands
	sed -i '/^wgctl set/a wgctl show wg0 allowed-ips' commands
	WGCTL_PATH=$PWD PATH=$PWD/bin:$PATH run -0 on_machine commands
	assert_line "$("$WGCTL" pubkey <alice)	10.9.0.2/32 10.9.0.7/32"
	assert_line "$("$WGCTL" pubkey <alice)"
	assert_line "$("$WGCTL" pubkey <private.key)"
	assert_line "[#] ip link delete dev wg0"
}

@test "the examples of the engine work" {
	need_tun
	need nc
	namespaces+=("$A")
	ip netns add "$A"
	mkdir bin
	ln -s "$WGCTL" "${WGENGINE:-$WGCTL_ENGINE}" bin
	examples "$engine" >commands
	assert_equal "$(wc -l <commands)" 2
	# The first goes on while the second asks it; what it dropped is a packet for nobody.
	sed -i '1s/$/ \& engine=$!/
		1a trap "kill $engine" EXIT\
		until [ -S /var/run/wireguard/wg0.sock ]; do kill -0 "$engine"; done\
		wgctl set wg0 private-key <(wgctl genkey)\
		ip address add 10.9.0.1/24 dev wg0\
		ip link set wg0 up\
		ping -c 1 -W 1 10.9.0.2 || true' commands
	PATH=$PWD/bin:$PATH run -0 on_machine commands
	assert_line --regexp "^drop_no_peer=[1-9]"
	assert_line --partial "wgengine: wg0: ready"
}

@test "the differences from wg are those of differential.md" {
	# Each row is known by its first pattern.
	assert_equal "$(section 'DIFFERENCES FROM WG' | sed -n 's/^\.\\" //p')" \
		"$(sed -n '/^## On purpose/,/^## Because/s/^| `\([^`]*\)`.*/\1/p' "$BATS_TEST_DIRNAME/differential.md")"
}
