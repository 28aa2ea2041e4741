# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# bash, with bash-completion, asks `wgctl complete' what fits; src/cli/complete.h explains the answer.
_wgctl() {
	# shellcheck disable=SC2034 # prev is _init_completion's
	local cur prev words cword line word quote='' skip=''
	local -a lines
	_init_completion -n =: || return 0
	mapfile -t lines < <(wgctl complete -- "${words[@]:0:cword+1}" 2>/dev/null)
	# Outside of quotes readline has a word begin again behind each = and :
	case $cur in
	[\'\"]*) quote=${cur:0:1} ;;
	*) skip=${cur%"${cur##*[${COMP_WORDBREAKS//[^=:]/}]}"} ;;
	esac
	for line in "${lines[@]:1}"; do
		word=${line%%$'\t'*}
		[[ -n $quote ]] || printf -v word %q "$word"
		[[ $quote$word == "$cur"* ]] || continue
		# 63: candidates are shown only, nothing is inserted.
		[[ $COMP_TYPE != 63 || $line != *$'\t'* ]] || word+="  (${line#*$'\t'})"
		COMPREPLY+=("${word#"$skip"}")
	done
	case ${lines[0]-} in
	:file) _filedir ;;
	:file\ .*) _filedir "${lines[0]#:file .}" ;;
	esac
}
complete -F _wgctl wgctl
