# SPDX-License-Identifier: MIT
# The steps of the Dockerfile, each stage in a fresh system of its own, and its health check beside a tunnel.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup_file() {
	load helpers.bash
	unpack_dist
}

setup() {
	load ../cli/helpers.bash
	load helpers.bash
	need_tun
	need mmdebstrap
	common_setup
	source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	fresh_system
}

teardown() {
	common_teardown
}

# next_stage NAME: a new ./root; that of the stage before is kept by its name.
next_stage() {
	[[ ! -e root ]] || mv root "$stage"
	stage=$1
	mkdir root
	tar xf "$SYSTEM" -C root
	cp -L /etc/resolv.conf root/etc/resolv.conf
}

# copy WORDS...: of COPY.
copy() {
	local from=""
	[[ $1 != --from=* ]] || { from=${1#--from=} && shift; }
	mkdir -p "$(dirname "root/$2")"
	if [[ -n $from ]]; then
		cp "$from/$1" "root/$2"
	else
		mkdir -p "root/$2"
		[[ $1 == . ]] || set -- "$1/" "$2/"
		# What .dockerignore leaves, as far as it matters: what is in the archive of `make dist'.
		cp -a "$PACKAGES"/wgctl-*/"$1/." "root/$2"
	fi
}

# Does what the Dockerfile says, and writes down how to look after health.
follow() {
	local instruction words
	while read -r instruction words; do
		case $instruction in
		FROM) next_stage "$(sed -n 's/.* AS //p' <<<"$words")" ;;
		COPY)
			# shellcheck disable=SC2086 # several words
			copy $words
			;;
		RUN) inside -- sh -e -c "$words" >&2 ;;
		HEALTHCHECK) health=${words#* CMD } ;;
		ARG | ENTRYPOINT | CMD | '#'* | '') ;;
		*) fail "an unknown instruction: $instruction" ;;
		esac || fail "failed: $instruction $words"
	done <"$source_dir/Dockerfile"
}

@test "the image is made, and knows whether its tunnel is well" {
	new_pair
	stage=""
	follow
	run -1 inside "$right" -- sh -c "$health"
	install -m 600 "$source_dir/examples/hub.conf" "$A.conf"
	install -m 600 "$source_dir/examples/container.conf" "root/etc/wireguard/$B.conf"
	install -m 600 "$source_dir/examples/container.key" root/etc/wireguard/
	left "$WGCTL" up -q "./$A.conf"
	inside "$right" -- wgctl up -q "$B"
	ping_through "$right" 10.60.0.1
	run -0 inside "$right" -- sh -c "$health"
	inside "$right" -- wgctl down -q "$B"
	run -1 inside "$right" -- sh -c "$health"
	left "$WGCTL" down -q "./$A.conf"
}
