# Completion for fish: asks the program itself, so it knows what it knows.
# SPDX-License-Identifier: PostgreSQL
function __cortexctl_complete
    set -l words (commandline -opc)
    set -l commands (cortexctl --help 2>/dev/null | string match -rg '^  ([a-z][a-z-]*(?: [a-z][a-z-]*)?)  +')
    set -l command
    if test (count $commands) -gt 0
        set command $words[2]
        if test (count $words) -lt 2
            string replace -r ' .*' '' -- $commands | sort -u
            return
        end
        if not contains -- "$command" $commands
            if test (count $words) -lt 3
                string match -rg "^$command (.*)" -- $commands
                return
            end
            set command $words[2] $words[3]
        end
    end
    cortexctl $command --help 2>/dev/null | string match -rg '^  (--[a-z-]+)'
end
complete -c cortexctl -a '(__cortexctl_complete)'
