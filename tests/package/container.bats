# SPDX-License-Identifier: MIT
# The steps of the Dockerfile, each stage in a fresh system of its own, and its health check beside a tunnel.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup_file() {
	load ../cli/helpers.bash
	load helpers.bash
	need_tun
	need mmdebstrap jq
	fresh_system
	source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$BATS_FILE_TMPDIR" || return
	follow
	mv root image
}

setup() {
	load ../cli/helpers.bash
	load helpers.bash
	common_setup
	source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
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

# Does what the Dockerfile says: ./build and ./root; and writes down what to start and how to look after health.
follow() {
	local instruction words stage=""
	while read -r instruction words; do
		case $instruction in
		FROM) next_stage "$(sed -n 's/.* AS //p' <<<"$words")" ;;
		COPY)
			# shellcheck disable=SC2086 # several words
			copy $words
			;;
		RUN) thrice inside -- sh -e -c "$words" >&2 ;;
		ENTRYPOINT) jq -r '.[]' <<<"$words" >entrypoint ;;
		HEALTHCHECK) echo "${words#* CMD }" >health ;;
		ARG | CMD | '#'* | '') ;;
		*) false ;;
		esac || fail "an unknown instruction, or it failed: $instruction $words"
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
	local entrypoint health
	new_pair
	ln -s "$BATS_FILE_TMPDIR/image" root
	mapfile -t entrypoint <"$BATS_FILE_TMPDIR/entrypoint"
	health=$(<"$BATS_FILE_TMPDIR/health")
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

# In the stage that built: the packages are there already, but for those of script/setup alone.
@test "the README's way to install, from the bare source" {
	local commands
	new_namespace left l
	ln -s "$BATS_FILE_TMPDIR/build" root
	commands=$(sed -n '/^## Install/,/^## Five/s/^    //p' "$source_dir/README.md")
	assert_equal "$(tail -n 1 <<<"$commands")" "sudo make install"
	mkdir root/bare
	git -C "$source_dir" archive HEAD | tar -x -C root/bare
	printf '#!/bin/sh\nexec "$@"\n' >root/usr/local/bin/sudo
	chmod +x root/usr/local/bin/sudo
	inside -- env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin MAKEFLAGS=-j2 sh -e -c "cd /bare; $commands" >install.log 2>&1 ||
		fail "$(tail -n 20 install.log)"
	install -m 600 "$source_dir/examples/server.conf" "root/tmp/$A.conf"
	inside "$left" -- /usr/local/bin/wgctl up -q "/tmp/$A.conf"
	link_exists "$left" "$A"
	inside "$left" -- /usr/local/bin/wgctl down -q "/tmp/$A.conf"
	assert_gone "$left" "$A"
	[[ -e root/usr/local/share/man/man5/wgctl.conf.5 ]]
}
