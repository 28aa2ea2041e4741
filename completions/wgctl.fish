# SPDX-License-Identifier: MIT
# fish asks `wgctl complete' what fits; src/cli/complete.h explains the answer.
function __wgctl_complete
    set -l current (commandline -ct)
    set -l lines (wgctl complete -- (commandline -opc) "$current" 2>/dev/null)
    set -l files $lines[1]
    set -e lines[1]
    string join \n -- $lines
    switch "$files"
        case :file
            __fish_complete_path "$current"
        case ':file *'
            set -l ending (string replace ':file ' '' -- $files | string escape --style=regex)
            __fish_complete_path "$current" | string match -er "(/|$ending)(\t|\$)"
    end
end
complete -c wgctl -f -a '(__wgctl_complete)'
