# SPDX-License-Identifier: MIT
# `make dist': the same bytes, whoever makes the archive, and also when it is made out of an archive.
# shellcheck disable=SC2154 # set by bats' run

bats_require_minimum_version 1.5.0
load /usr/lib/bats/bats-support/load.bash
load /usr/lib/bats/bats-assert/load.bash

source_dir=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# make_dist DIRECTORY SOURCE [NAME=VALUE...]
make_dist() {
	local dir=$1 source=$2
	shift 2
	mkdir "$dir"
	(
		cd "$dir" || exit
		"$source/configure" --quiet >/dev/null
		env "$@" make --quiet dist
	)
	archive=$(echo "$dir"/wgctl-*.tar.gz)
}

@test "the same bytes twice, and once more out of the archive" {
	cd "$BATS_TEST_TMPDIR"
	make_dist first "$source_dir"
	first=$PWD/$archive
	run tar tzf "$first"
	assert_line --regexp '^wgctl-[0-9.]*/configure$'
	assert_line --regexp '^wgctl-[0-9.]*/CHANGELOG.md$'
	umask 077
	tar xzf "$first"
	chmod -R go= wgctl-*/
	umask 027
	make_dist second "$PWD/$(echo wgctl-*/)" LC_ALL=C.UTF-8 TZ=Asia/Tokyo
	cmp "$first" "$archive"
	# All of it is of one time, which can be said.
	rm -rf second
	make_dist second "$source_dir" SOURCE_DATE_EPOCH=86400
	run ! cmp "$first" "$archive"
	run bash -c "TZ=UTC tar tvzf $archive | grep -v ' 0/0 .* 1970-01-02 00:00 '"
	assert_output ""
}
