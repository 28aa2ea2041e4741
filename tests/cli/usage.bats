# SPDX-License-Identifier: MIT
# Help, version, and what is said to a slip of the fingers.
# shellcheck disable=SC2154 # set by helpers.bash, and by bats' run

setup() {
	load helpers.bash
	common_setup
}

teardown() {
	common_teardown
}

@test "--version, -v and version print the version" {
	for word in --version -v version; do
		run --separate-stderr "$WGCTL" $word
		assert_success
		assert_output --regexp '^wgctl [0-9]+\.[0-9]+'
		assert_equal "$stderr" ""
	done
}

@test "help, --help and -h list the commands on stdout" {
	for word in help --help -h; do
		run --separate-stderr "$WGCTL" $word
		assert_success
		for command in up reload down save check strip show watch status metrics qr showconf set setconf addconf syncconf genkey genpsk pubkey version help; do
			assert_line --regexp "^  $command +[a-z]"
		done
		assert_equal "$stderr" ""
	done
}

@test "no command at all: the list on stderr, failure" {
	run --separate-stderr "$WGCTL"
	assert_failure 1
	assert_equal "$output" ""
	[[ $stderr == *"Usage: wgctl COMMAND"* ]]
}

@test "every command explains itself on stdout" {
	for command in up down save check strip show watch status metrics qr showconf set setconf addconf syncconf genkey genpsk pubkey version help; do
		for form in "help $command" "$command --help" "$command -h"; do
			run --separate-stderr "$WGCTL" $form
			assert_success
			assert_line --index 0 --regexp "^Usage: wgctl $command"
			assert_equal "$stderr" ""
		done
	done
}

@test "an unknown command: the nearest is suggested" {
	run "$WGCTL" shwo
	assert_failure 1
	assert_output "wgctl: unknown command \`shwo'; did you mean \`show'?"
	run "$WGCTL" pubkye
	assert_failure 1
	assert_output "wgctl: unknown command \`pubkye'; did you mean \`pubkey'?"
	run "$WGCTL" frobnicate
	assert_failure 1
	assert_output "wgctl: unknown command \`frobnicate'; \`wgctl help' lists them"
	run "$WGCTL" help donw
	assert_failure 1
	assert_output "wgctl: unknown command \`donw'; did you mean \`down'?"
}

@test "an unknown option: the nearest is suggested" {
	run "$WGCTL" up --quite wg0
	assert_failure 1
	assert_line "wgctl: unknown option \`--quite' of \`up'; did you mean \`--quiet'?"
	run "$WGCTL" down -z wg0
	assert_failure 1
	assert_line "wgctl: unknown option \`-z' of \`down'"
	run "$WGCTL" up --quiet=yes wg0
	assert_failure 1
	run "$WGCTL" genkey --quiet
	assert_failure 1
	run "$WGCTL" --frobnicate
	assert_failure 1
	assert_output --partial "unknown option \`--frobnicate'"
}

@test "up, reload and down take exactly one file or name" {
	for command in up down; do
		run --separate-stderr "$WGCTL" $command
		assert_failure 1
		assert_equal "$stderr" "Usage: wgctl $command [-q|--quiet] [-n|--dry-run] [--dns WAY] FILE|NAME"
		run --separate-stderr "$WGCTL" $command a b
		assert_failure 1
	done
}
