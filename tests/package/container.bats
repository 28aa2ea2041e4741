# SPDX-License-Identifier: MIT
# The steps of the Dockerfile, each stage in a fresh system of its own, and its health check beside a tunnel.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup_file() {
	load helpers.bash
	fresh_system
}

setup() {
	load ../cli/helpers.bash
	load helpers.bash
	need_tun
	need mmdebstrap jq
	common_setup
	source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	SYSTEM=$(build_directory)/package/system.tar
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

# not_ignored DIRECTORY: of the source, an archive of what .dockerignore leaves.
not_ignored() {
	local options=() line
	while read -r line; do
		case $line in
		'#'* | '') ;;
		'**/'*) options+=(--no-anchored --exclude="${line#\*\*/}") ;;
		*) options+=(--anchored --exclude="./$line") ;;
		esac
	done <"$source_dir/.dockerignore"
	tar -C "$source_dir" "${options[@]}" --transform "s,^\./$1/,./," -c "./$1/"
}

# copy WORDS...: of COPY.
copy() {
	if [[ $1 == --from=* ]]; then
		mkdir -p "$(dirname "root/$3")"
		cp "${1#--from=}/$2" "root/$3"
	else
		mkdir -p "root/$2"
		not_ignored "$1" | tar -C "root/$2" --no-same-owner -x
	fi
}

# Does what the Dockerfile says, and writes down what to start and how to look after health.
follow() {
	local instruction words
	while read -r instruction words; do
		case $instruction in
		FROM) next_stage "$(sed -n 's/.* AS //p' <<<"$words")" ;;
		COPY)
			# shellcheck disable=SC2086 # several words
			copy $words
			;;
		RUN) twice inside -- sh -e -c "$words" >&2 ;;
		ENTRYPOINT) mapfile -t entrypoint < <(jq -r '.[]' <<<"$words") ;;
		HEALTHCHECK) health=${words#* CMD } ;;
		ARG | CMD | '#'* | '') ;;
		*) fail "an unknown instruction: $instruction" ;;
		esac || fail "failed: $instruction $words"
	done <"$source_dir/Dockerfile"
}

# run_container NAMESPACE INTERFACE: what docker would start, as process 1.
run_container() {
	inside "$1" --pid --fork -- "${entrypoint[@]}" "$2" >container.log 2>&1 &
	container=$!
	started+=("$container")
}

# process_1 NAMESPACE: its number outside of the container.
process_1() {
	local pid
	for pid in $(ip netns pids "$1"); do
		! grep -qP '^NSpid:.*\t1$' "/proc/$pid/status" || echo "$pid"
	done
}

@test "the image is made; it is one tunnel, knows whether it is well, and ends with it" {
	new_pair
	stage=""
	follow
	install -m 600 "$source_dir/examples/hub.conf" "$A.conf"
	install -m 600 "$source_dir/examples/container.conf" "root/etc/wireguard/$B.conf"
	install -m 600 "$source_dir/examples/container.key" root/etc/wireguard/
	run -1 inside "$right" -- sh -c "$health"
	run_container "$right" "$B"
	# Up, but of no use: nobody answers.
	wait_for 20 link_exists "$right" "$B"
	run -1 inside "$right" -- sh -c "$health"
	left "$WGCTL" up -q "./$A.conf"
	ping_through "$right" 10.60.0.1
	wait_for 10 inside "$right" -- sh -c "$health"
	# What `docker stop' does.
	kill -TERM "$(process_1 "$right")"
	wait "$container"
	refute link_exists "$right" "$B"
	[[ -z $(ip netns pids "$right") ]]
	run -1 inside "$right" -- sh -c "$health"
	left "$WGCTL" down -q "./$A.conf"
}
