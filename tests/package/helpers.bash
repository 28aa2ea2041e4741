# SPDX-License-Identifier: MIT
# What the tests of the package share: Debian systems in folders.
# shellcheck disable=SC2154 # set by bats

build_directory() {
	dirname "$(realpath "${WGCTL:-${top_builddir:-$BATS_TEST_DIRNAME/../..}/wgctl}")"
}

# unpack_dist: into $PACKAGES, a folder for the file's tests, what `make dist' makes. Files run beside each other.
unpack_dist() {
	export PACKAGES=$BATS_FILE_TMPDIR
	# shellcheck disable=SC2016 # for the inner shell
	flock "$(build_directory)" sh -c 'make --quiet -C "$1" dist >&2 && tar xzf "$1"/wgctl-*.tar.gz -C "$2"' sh "$(build_directory)" "$PACKAGES"
}

# fresh_system: $SYSTEM, an archive of the release that this machine runs, from where its own packages come from. It is made
# once for a build directory.
fresh_system() {
	local sources release part
	export SYSTEM
	SYSTEM=$(build_directory)/package/system.tar
	part=${SYSTEM%.tar}-part.tar # mmdebstrap goes by the end of the name
	mkdir -p "$(dirname "$SYSTEM")"
	exec 8>"$SYSTEM.lock"
	flock 8
	if [[ ! -e $SYSTEM ]]; then
		release=$(. /etc/os-release && echo "$VERSION_CODENAME")
		sources=$(grep -lsE "^(deb |Suites:).* $release( |\$)" /etc/apt/sources.list /etc/apt/sources.list.d/*.sources || true)
		# It gives sh the number of a file that it opens, of which that reads but one digit.
		# shellcheck disable=SC2086 # several files
		thrice mmdebstrap --quiet --aptopt='Acquire::Retries "5"' --variant=apt --mode=root "$release" "$part" $sources >&2 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &&
			mv "$part" "$SYSTEM"
	fi
	exec 8>&-
	[[ -e $SYSTEM ]]
}

# thrice COMMAND...: what comes over a network may fail.
thrice() {
	"$@" || "$@" || "$@"
}

# inside [NETWORK-NAMESPACE [OPTION-OF-UNSHARE...]] -- COMMAND...: in the system ./root. Its mounts go with the last of its processes.
inside() {
	local enter=() options=()
	[[ $1 == -- ]] || { enter=(ip netns exec "$1") && shift; }
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016 # for the inner shell
	"${enter[@]}" unshare --mount --propagation private "${options[@]}" sh -e -c \
		'mount --rbind /dev root/dev; mount -t proc proc root/proc; exec chroot root "$@"' sh \
		env -u WGCTL_ENGINE DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@" 3>&- </dev/null
}
