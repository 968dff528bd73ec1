#!/bin/sh
# Ask a command again and again until it says yes: 0 then, 1 if it has not in time.
#
#   until.sh SECONDS COMMAND [WORD ...]
set -u

[ $# -ge 2 ] || { echo "until: expected seconds and a command" >&2; exit 2; }
end=$(($(date +%s) + $1))
shift
until "$@" >/dev/null 2>&1 </dev/null; do
    [ "$(date +%s)" -lt "$end" ] || { echo "until: $*: not in time" >&2; exit 1; }
    sleep 2
done
